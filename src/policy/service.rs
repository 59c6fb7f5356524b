//! The policies of accounts: read by the gate, written by administrators and operators.

use std::sync::Arc;

use serde_json::Value;

use crate::base::id::AccountId;
use crate::base::text;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::filter::Columns;
pub use crate::policy::model::{Declared, Policy, PolicyError};
use crate::policy::model::{NAME_BYTES_MAX, POLICIES_MAX};
use crate::policy::parse::compile;
use crate::policy::path::Later;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::AccessAdmin;
use crate::policy::store;

/// Most accounts whose merged policies are held.
const ACCOUNTS_HELD_MAX: u64 = 1000;

/// What a policy is, as a resource that policies are about.
const TYPE: &str = "policy";
const COLUMNS: Columns = Columns::new(&[("resource.id", "name"), ("resource.type", "'policy'")]);

/// The policies of all accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policies {
    ctx: Ctx,
    merged: Cache<AccountId, Arc<Document>>,
}

impl Policies {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx) -> Self {
        let merged = Cache::new(ctx.db.changes(), Topic::Policies, ACCOUNTS_HELD_MAX);
        Self { ctx: ctx.clone(), merged }
    }

    /// All policies of the account as one document, compiled and held until one changes.
    ///
    /// A policy that this build cannot read grants nothing, and the others stand.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn merged(&self, account: &AccountId) -> Result<Arc<Document>, DbError> {
        let load = async || {
            let texts = store::texts(&self.ctx.db, account).await?;
            let documents = texts.into_iter().filter_map(|(name, text)| {
                let document = serde_json::from_str(&text).ok().and_then(|fact| compile(&fact).ok());
                if document.is_none() {
                    tracing::error!(%account, policy = ?name, "a policy is not valid: it is ignored");
                }
                Some((Arc::from(name), document?))
            });
            Ok(Arc::new(Document::merge(documents)))
        };
        self.merged.get_or_load(account, load).await
    }

    /// At most `limit` policies whose name comes after `after`, by name.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn list(
        &self,
        permit: &Permit<AccessAdmin>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Policy>, DbError> {
        let filter = permit.filter(&COLUMNS, 4);
        // No name has a control character, and PostgreSQL takes no NUL.
        let after = after.unwrap_or_default().split('\0').next().unwrap_or_default();
        store::list(&self.ctx.db, permit.account(), after, limit, filter).await
    }

    /// The policy called `name`, if there is one that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn get(
        &self,
        permit: &Permit<AccessAdmin>,
        name: &str,
    ) -> Result<Option<Policy>, DbError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Ok(None);
        }
        store::find(&self.ctx.db, permit.account(), name).await
    }

    /// Writes a new policy on behalf of somebody about whom `facts` are known: the facts that the
    /// permit was given on.
    ///
    /// Nobody grants what they do not hold themselves, without condition on the resource.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub async fn create(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        name: &str,
        document: &Value,
    ) -> Result<Policy, PolicyError> {
        let compiled = check(name, document)?;
        if !permit.allows(&resource(name)) {
            return Err(PolicyError::NotAllowed);
        }
        let own = self.merged(permit.account()).await?;
        for operation in compiled.operations() {
            let held = own.reduce_one(&operation.name, facts, Later::Only(RESOURCE));
            if !matches!(held, Some(Grant::Always { .. })) {
                return Err(PolicyError::GrantsMoreThanHeld(operation.name.to_string()));
            }
        }
        let policy = self.policy(name, document);
        let unit = (permit.account().clone(), policy);
        self.ctx
            .db
            .write(unit, |tx, (account, policy)| {
                Box::pin(async move {
                    if store::count(&mut *tx, account).await? >= POLICIES_MAX {
                        return Err(PolicyError::TooMany);
                    }
                    store::insert(tx, account, policy).await?;
                    tx.touch(Topic::Policies).await?;
                    Ok(policy.clone())
                })
            })
            .await
    }

    /// What [`Policies::declare`] would do.
    ///
    /// # Errors
    /// As [`Policies::declare`].
    pub async fn compare(
        &self,
        account: &AccountId,
        name: &str,
        document: &Value,
    ) -> Result<Declared, PolicyError> {
        check(name, document)?;
        let found = store::find(&self.ctx.db, account, name).await?;
        Ok(difference(found.as_ref(), document))
    }

    /// Makes the policy called `name` be `document`, on behalf of the operator.
    ///
    /// # Errors
    /// [`PolicyError::BadName`], [`PolicyError::Invalid`], [`PolicyError::UnknownAccount`], or
    /// [`PolicyError::Internal`].
    pub async fn declare(
        &self,
        account: &AccountId,
        name: &str,
        document: &Value,
    ) -> Result<Declared, PolicyError> {
        check(name, document)?;
        let unit = (account.clone(), self.policy(name, document));
        self.ctx
            .db
            .write(unit, |tx, (account, policy)| {
                Box::pin(async move {
                    let found = store::find(&mut *tx, account, &policy.name).await?;
                    let difference = difference(found.as_ref(), &policy.document);
                    match difference {
                        Declared::Unchanged => return Ok(difference),
                        Declared::Created => store::insert(tx, account, policy).await?,
                        Declared::Updated => store::update(tx, account, policy).await?,
                    }
                    tx.touch(Topic::Policies).await?;
                    Ok(difference)
                })
            })
            .await
    }

    /// Removes the policy called `name`, on behalf of the operator; whether there was one.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn delete(&self, account: &AccountId, name: &str) -> Result<bool, DbError> {
        if !is_name(name) {
            return Ok(false);
        }
        self.ctx
            .db
            .write((account.clone(), name.to_owned()), |tx, (account, name)| {
                Box::pin(async move {
                    let was_there = store::delete(tx, account, name).await?;
                    if was_there {
                        tx.touch(Topic::Policies).await?;
                    }
                    Ok(was_there)
                })
            })
            .await
    }

    fn policy(&self, name: &str, document: &Value) -> Policy {
        let now = self.ctx.now();
        Policy {
            name: name.to_owned(),
            document: document.clone(),
            created_at: now,
            updated_at: now,
        }
    }
}

fn check(name: &str, document: &Value) -> Result<Document, PolicyError> {
    text::line(name, NAME_BYTES_MAX).map_err(PolicyError::BadName)?;
    Document::parse(document).map_err(PolicyError::Invalid)
}

fn is_name(name: &str) -> bool {
    text::line(name, NAME_BYTES_MAX).is_ok()
}

fn resource(name: &str) -> Attributes {
    Attributes::new().with(RESOURCE, "id", name).with(RESOURCE, "type", TYPE)
}

fn difference(found: Option<&Policy>, document: &Value) -> Declared {
    match found {
        None => Declared::Created,
        Some(policy) if policy.document == *document => Declared::Unchanged,
        Some(_) => Declared::Updated,
    }
}
