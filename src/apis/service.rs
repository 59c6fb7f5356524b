//! The APIs of others: asked by the gate, registered by administrators and operators.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::apis::check::{Fault, api_of, check};
use crate::apis::model::{Api, ApiScope, NewApi};
use crate::apis::store;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::ApiId;
use crate::config::model::Issuer;
use crate::db::Tx;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::model::Declared;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::AccountAdmin;

/// Most APIs that an account registers by itself.
const OF_ACCOUNT_MAX: i64 = 20;
/// Most APIs of all accounts: all of them are held, and stand in the table of scopes.
const APIS_MAX: i64 = 1000;

/// Why an API is not registered.
#[derive(Debug, thiserror::Error)]
pub enum ApisError {
    /// It breaks rules.
    #[error("{}", first(.0))]
    Invalid(Vec<Fault>),
    /// The id or the identifier is another's.
    #[error("an API of that id or identifier already exists")]
    Taken,
    /// There are as many as there may be.
    #[error("there are too many APIs")]
    TooMany,
    /// The caller's policies do not allow it for this one.
    #[error("your policies do not allow it for this API")]
    Denied,
    /// There is no such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// Our fault.
    #[error(transparent)]
    Internal(DbError),
}

fn first(faults: &[Fault]) -> String {
    faults.first().map(|one| format!("{} {}", one.field, one.problem)).unwrap_or_default()
}

impl From<DbError> for ApisError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(_) => Self::Taken,
            // The one thing that the table refuses is an account that is not there.
            DbError::Refused(_) => Self::UnknownAccount,
            other => Self::Internal(other),
        }
    }
}

/// All APIs, by id.
pub type Catalogue = BTreeMap<ApiId, Arc<Api>>;

/// What is said of a scope, if it is one of theirs.
pub fn scope_of<'c>(all: &'c Catalogue, name: &str) -> Option<&'c ApiScope> {
    let api = all.get(&api_of(name)?)?;
    api.definition().scopes.iter().find(|scope| scope.name == name)
}

/// The APIs of others. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Apis {
    ctx: Ctx,
    issuer: Issuer,
    reserved: Arc<BTreeSet<&'static str>>,
    all: Cache<(), Arc<Catalogue>>,
}

impl Apis {
    /// On the database of `ctx`, beside a built-in API with these scopes.
    pub fn new(ctx: &Ctx, issuer: &Issuer, scopes: impl IntoIterator<Item = &'static str>) -> Self {
        let thing = |scope: &'static str| scope.split('.').next().unwrap_or_default();
        Self {
            ctx: ctx.clone(),
            issuer: issuer.clone(),
            reserved: Arc::new(scopes.into_iter().map(thing).collect()),
            all: Cache::new(ctx.db.changes(), Topic::Apis, 1),
        }
    }

    /// All of them. Held until one changes.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn all(&self) -> Result<Arc<Catalogue>, DbError> {
        let load = async || {
            let all = store::all(&self.ctx.db).await?.into_iter();
            Ok(Arc::new(all.map(|api| (api.id.clone(), Arc::new(Api::new(api)))).collect()))
        };
        self.all.get_or_load(&(), load).await
    }

    /// The API, if there is one.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find(&self, id: &ApiId) -> Result<Option<Arc<Api>>, DbError> {
        Ok(self.all().await?.get(id).cloned())
    }

    /// Whether an API has this scope.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn has_scope(&self, scope: &str) -> Result<bool, DbError> {
        Ok(scope_of(&*self.all().await?, scope).is_some())
    }

    /// At most `limit` APIs of the permit's account after `after`, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn list(
        &self,
        permit: &Permit<AccountAdmin>,
        after: Option<&ApiId>,
        limit: u32,
    ) -> Result<Vec<NewApi>, DbError> {
        let filter = permit.filter(&store::COLUMNS, store::FIRST_FREE);
        store::of_account(&self.ctx.db, permit.account(), (after, limit), filter).await
    }

    /// The API, if the account has it and the caller may see it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn get(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &ApiId,
    ) -> Result<Option<NewApi>, DbError> {
        if !permit.allows(&resource(id)) {
            return Ok(None);
        }
        let found = store::find(&self.ctx.db, id).await?;
        Ok(found.filter(|api| api.account == *permit.account()))
    }

    /// Registers an API of the permit's account.
    ///
    /// # Errors
    /// [`ApisError`].
    pub async fn create(
        &self,
        permit: &Permit<AccountAdmin>,
        new: &NewApi,
    ) -> Result<(), ApisError> {
        let (new, definition) = self.checked(permit, new)?;
        let input = (self.ctx.clone(), permit.actor().clone(), new, definition);
        self.ctx
            .db
            .write(input, |tx, (ctx, actor, new, definition)| {
                Box::pin(async move {
                    let (own, many) = store::counts(&mut *tx, &new.account).await?;
                    if own >= OF_ACCOUNT_MAX || many >= APIS_MAX {
                        return Err(ApisError::TooMany);
                    }
                    store::insert(tx, new, definition, ctx.now()).await?;
                    record(tx, ctx, actor, &event(Action::Create, new).after(told(new)));
                    Ok(())
                })
            })
            .await
    }

    /// Replaces all that an API of the permit's account says; `false` if it has none of this id.
    ///
    /// # Errors
    /// [`ApisError`].
    pub async fn replace(
        &self,
        permit: &Permit<AccountAdmin>,
        new: &NewApi,
    ) -> Result<bool, ApisError> {
        let (new, definition) = self.checked(permit, new)?;
        let input = (self.ctx.clone(), permit.actor().clone(), new, definition);
        self.ctx
            .db
            .write(input, |tx, (ctx, actor, new, definition)| {
                Box::pin(async move {
                    let found =
                        store::find(&mut *tx, &new.id).await.map_err(ApisError::Internal)?;
                    let Some(found) = found.filter(|found| found.account == new.account) else {
                        return Ok(false);
                    };
                    let is_there = store::update(tx, new, definition, ctx.now()).await?;
                    let event = event(Action::Update, new).before(told(&found)).after(told(new));
                    record(tx, ctx, actor, &event);
                    Ok(is_there)
                })
            })
            .await
    }

    /// Removes an API of the permit's account; `false` if it has none of this id.
    ///
    /// # Errors
    /// [`ApisError`].
    pub async fn delete(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &ApiId,
    ) -> Result<bool, ApisError> {
        if !permit.allows(&resource(id)) {
            return Ok(false);
        }
        let input =
            (self.ctx.clone(), permit.actor().clone(), permit.account().clone(), id.clone());
        self.ctx
            .db
            .write(input, |tx, (ctx, actor, account, id)| {
                Box::pin(async move {
                    let found = store::find(&mut *tx, id).await.map_err(ApisError::Internal)?;
                    let Some(found) = found.filter(|found| found.account == *account) else {
                        return Ok(false);
                    };
                    let was_there = store::delete(tx, account, id).await?;
                    record(tx, ctx, actor, &event(Action::Delete, &found).before(told(&found)));
                    Ok(was_there)
                })
            })
            .await
    }

    fn checked(
        &self,
        permit: &Permit<AccountAdmin>,
        new: &NewApi,
    ) -> Result<(NewApi, String), ApisError> {
        let definition = self.check(new)?;
        if new.account != *permit.account() || !permit.allows(&resource(&new.id)) {
            return Err(ApisError::Denied);
        }
        Ok((new.clone(), definition))
    }

    /// The definition as it is stored.
    fn check(&self, new: &NewApi) -> Result<String, ApisError> {
        let faults = check(new, self.issuer.as_str(), &self.reserved);
        if !faults.is_empty() {
            return Err(ApisError::Invalid(faults));
        }
        serde_json::to_string(&new.definition).map_err(|_| {
            ApisError::Internal(DbError::CorruptRow { table: "apis", column: "definition" })
        })
    }

    /// What [`Apis::declare`] would do.
    ///
    /// # Errors
    /// [`ApisError`].
    pub async fn compare(&self, new: &NewApi) -> Result<Declared, ApisError> {
        self.check(new)?;
        let found = store::find(&self.ctx.db, &new.id).await.map_err(ApisError::Internal)?;
        outcome(found.as_ref(), new)
    }

    /// Makes the API be so, on behalf of the operator.
    ///
    /// # Errors
    /// [`ApisError`]; [`ApisError::Taken`] if it is another account's.
    pub async fn declare(&self, new: &NewApi) -> Result<Declared, ApisError> {
        let definition = self.check(new)?;
        let input = (self.ctx.clone(), new.clone(), definition);
        self.ctx
            .db
            .write(input, |tx, (ctx, new, definition)| Box::pin(write(tx, ctx, new, definition)))
            .await
    }
}

fn outcome(found: Option<&NewApi>, new: &NewApi) -> Result<Declared, ApisError> {
    match found {
        None => Ok(Declared::Created),
        Some(found) if found.account != new.account => Err(ApisError::Taken),
        Some(found) if found == new => Ok(Declared::Unchanged),
        Some(_) => Ok(Declared::Updated),
    }
}

async fn write(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    new: &NewApi,
    definition: &str,
) -> Result<Declared, ApisError> {
    let found = store::find(&mut *tx, &new.id).await.map_err(ApisError::Internal)?;
    let outcome = outcome(found.as_ref(), new)?;
    let action = match outcome {
        Declared::Unchanged => return Ok(outcome),
        Declared::Created => {
            store::insert(tx, new, definition, ctx.now()).await?;
            Action::Create
        }
        Declared::Updated => {
            store::update(tx, new, definition, ctx.now()).await?;
            Action::Update
        }
    };
    let mut event = event(action, new).after(told(new));
    if let Some(found) = &found {
        event = event.before(told(found));
    }
    record(tx, ctx, &Actor::operator(), &event);
    Ok(outcome)
}

fn event(action: Action, api: &NewApi) -> Event {
    Event::new(action, "api", api.id.to_string()).of(&api.account)
}

/// What the audit trail holds of an API: all of it, it is public.
fn told(api: &NewApi) -> Value {
    serde_json::to_value(&api.definition).unwrap_or_default()
}

fn resource(id: &ApiId) -> Attributes {
    Attributes::new().with(RESOURCE, "id", id.as_str()).with(RESOURCE, "type", "api")
}
