//! What an account's policies know of its members, changed by those who administer access.
//!
//! Attributes open what policies make depend on them, so nobody gives by them what they do not
//! hold themselves.

use serde_json::{Map, Value, json};

use crate::accounts::model::check_attributes;
use crate::accounts::service::Accounts;
use crate::accounts::store;
use crate::audit::model::{Action, Event};
use crate::audit::service::record;
use crate::base::id::UserId;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::policy::administrators::{keeps_administrator, lock};
use crate::policy::attributes::Attributes;
use crate::policy::model::PolicyError;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::Policies;

/// Why attributes are not changed.
#[derive(Debug, thiserror::Error)]
pub enum AttributesError {
    /// The user is no member, or none whom the caller may administer.
    #[error("there is no such member")]
    Unknown,
    /// They are too many.
    #[error("the attributes of a member are too long")]
    TooMany,
    /// They would give what the caller does not hold, or take the last administrator away.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl From<DbError> for AttributesError {
    fn from(error: DbError) -> Self {
        Self::Policy(PolicyError::Internal(error))
    }
}

/// A member as a resource that policies are about.
fn resource(user: &UserId) -> Attributes {
    Attributes::new().with("resource", "id", user.as_str()).with("resource", "type", "user")
}

impl Accounts {
    /// What the account's policies know of a member; `None` for whoever is none, or may not be
    /// administered by the caller.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn attributes(
        &self,
        permit: &Permit<AccessAdmin>,
        user: &UserId,
    ) -> Result<Option<Map<String, Value>>, DbError> {
        if !permit.allows(&resource(user)) {
            return Ok(None);
        }
        let found = self.membership(permit.account(), user).await?;
        Ok(found.map(|membership| membership.attributes.clone()))
    }

    /// Makes `attributes` what the account's policies know of a member. `facts` are those that the
    /// permit was given on.
    ///
    /// # Errors
    /// [`AttributesError`].
    pub async fn put_attributes(
        &self,
        policies: &Policies,
        (permit, facts): (&Permit<AccessAdmin>, &Attributes),
        user: &UserId,
        attributes: &Map<String, Value>,
    ) -> Result<(), AttributesError> {
        let text = check_attributes(attributes).map_err(|_| AttributesError::TooMany)?;
        if !permit.allows(&resource(user)) {
            return Err(AttributesError::Unknown);
        }
        let before = policies.facts_of(permit.account(), user).await?;
        let before = before.ok_or(AttributesError::Unknown)?;
        let after = before.clone().with("user", "customAttributes", attributes);
        policies.may_change((permit, facts), &before, &after).await?;
        let (ctx, account) = (self.ctx.clone(), permit.account().clone());
        let unit = (ctx, account, permit.actor().clone(), user.clone(), text, facts.clone());
        self.ctx
            .db
            .write(unit, |tx, (ctx, account, actor, user, text, facts)| {
                Box::pin(async move {
                    lock(tx, account).await?;
                    if store::membership(&mut *tx, account, user).await?.is_none() {
                        return Err(AttributesError::Unknown);
                    }
                    store::put_attributes(tx, account, user, text).await?;
                    // What they say of somebody stays out of the record.
                    let event = Event::new(Action::Update, "policyAttributes", user.as_str())
                        .of(account)
                        .after(json!({ "changed": ["attributes"] }));
                    record(tx, ctx, actor, &event);
                    tx.touch(Topic::Accounts);
                    Ok(keeps_administrator(tx, account, facts).await?)
                })
            })
            .await
    }
}
