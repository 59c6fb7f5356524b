//! The policies of accounts: read by the gate, written by administrators and operators.

use std::sync::Arc;

use serde_json::Value;

use crate::audit::model::Actor;
use crate::base::id::{AccountId, GroupId};
use crate::base::text;
use crate::db::Tx;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::filter::Columns;
use crate::policy::give::given_by_group;
use crate::policy::history::{Step, note};
use crate::policy::holdings::Holdings;
use crate::policy::model::{Change, NAME_BYTES_MAX};
pub use crate::policy::model::{Declared, Policy, PolicyError};
use crate::policy::parse::compile;
use crate::policy::path::Later;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::AccessAdmin;
use crate::policy::store;

/// Most accounts whose merged policies are held.
const ACCOUNTS_HELD_MAX: u64 = 4000;

/// What is yet to be known of somebody who makes no request.
pub const LATER: Later = Later::Among(&[RESOURCE, "environment"]);

/// What a policy is, as a resource that policies are about.
const TYPE: &str = "policy";
const COLUMNS: Columns = Columns::new(&[("resource.id", "name"), ("resource.type", "'policy'")]);

/// The policies of all accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policies {
    pub(in crate::policy) ctx: Ctx,
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
            Ok(Arc::new(merge(account, texts)))
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

    /// Whether whoever is let into `group` is given nothing that the caller does not hold, to the
    /// extent to which the caller holds it. `facts` are those that the permit was given on.
    ///
    /// To be asked before anybody is added or invited to a group.
    ///
    /// # Errors
    /// [`PolicyError::GrantsMoreThanHeld`], or [`PolicyError::Internal`].
    pub async fn may_give(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        group: &GroupId,
    ) -> Result<(), PolicyError> {
        self.covers(permit.account(), facts, group).await
    }

    /// Whether somebody of whom `facts` are known holds what `group` gives.
    ///
    /// # Errors
    /// [`PolicyError::GrantsMoreThanHeld`], or [`PolicyError::Internal`].
    pub async fn covers(
        &self,
        account: &AccountId,
        facts: &Attributes,
        group: &GroupId,
    ) -> Result<(), PolicyError> {
        let policy = self.merged(account).await?;
        let given = given_by_group(&policy, group.as_str(), facts);
        Holdings::of(&policy, facts).cover(&given)
    }

    /// Whether somebody of whom `before` was known until now, and `after` from now on, is given
    /// nothing by that which the caller does not hold.
    ///
    /// # Errors
    /// [`PolicyError::GrantsMoreThanHeld`], or [`PolicyError::Internal`].
    pub async fn may_change(
        &self,
        (permit, facts): (&Permit<AccessAdmin>, &Attributes),
        before: &Attributes,
        after: &Attributes,
    ) -> Result<(), PolicyError> {
        self.scales((permit, facts)).await?.weigh(before, after)
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
        let unit = (self.ctx.clone(), account.clone(), self.policy(name, document));
        self.ctx
            .db
            .write(unit, |tx, (ctx, account, policy)| Box::pin(write(tx, ctx, account, policy)))
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

async fn write(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: &AccountId,
    policy: &Policy,
) -> Result<Declared, PolicyError> {
    let found = store::find(&mut *tx, account, &policy.name).await?;
    let difference = difference(found.as_ref(), &policy.document);
    let change = match difference {
        Declared::Unchanged => return Ok(difference),
        Declared::Created => Change::Created,
        Declared::Updated => Change::Updated,
    };
    let mut step = Step::of(change, &policy.name).after(&policy.document);
    match &found {
        None => store::insert(tx, account, policy).await?,
        Some(found) => {
            store::update(tx, account, &policy.name, policy).await?;
            step = step.before(&found.document);
        }
    }
    note(tx, (ctx, &Actor::operator()), account, &step).await?;
    tx.touch(Topic::Policies);
    Ok(difference)
}

/// One document made of the policies of an account. One that this build cannot read grants
/// nothing, and the others stand.
pub(in crate::policy) fn merge(account: &AccountId, texts: Vec<(String, String)>) -> Document {
    let documents = texts.into_iter().filter_map(|(name, text)| {
        let document = serde_json::from_str(&text).ok().and_then(|fact| compile(&fact).ok());
        if document.is_none() {
            tracing::error!(%account, policy = ?name, "a policy is not valid: it is ignored");
        }
        Some((Arc::from(name), document?))
    });
    Document::merge(documents)
}

pub(in crate::policy) fn check(name: &str, document: &Value) -> Result<Document, PolicyError> {
    text::line(name, NAME_BYTES_MAX).map_err(PolicyError::BadName)?;
    if is_step(name) {
        return Err(PolicyError::StepName);
    }
    Document::parse(document).map_err(PolicyError::Invalid)
}

pub(in crate::policy) fn is_name(name: &str) -> bool {
    text::line(name, NAME_BYTES_MAX).is_ok() && !is_step(name)
}

/// Whether clients would take the name for a step in a path, and never ask for the policy.
/// Source: RFC 3986 section 5.2.4.
fn is_step(name: &str) -> bool {
    matches!(name, "." | "..")
}

pub(in crate::policy) fn resource(name: &str) -> Attributes {
    Attributes::new().with(RESOURCE, "id", name).with(RESOURCE, "type", TYPE)
}

fn difference(found: Option<&Policy>, document: &Value) -> Declared {
    match found {
        None => Declared::Created,
        Some(policy) if policy.document == *document => Declared::Unchanged,
        Some(_) => Declared::Updated,
    }
}
