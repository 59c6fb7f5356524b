//! What policies were before, and who changed them.

use serde_json::{Value, json};

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::AccountId;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::model::{Change, Version};
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::{Policies, is_name, resource};
use crate::policy::store_versions;

impl Policies {
    /// At most `limit` versions of the policy called `name`, the newest first, those before the
    /// one numbered `before`. There are some of a policy that was removed, too; none for a policy
    /// that never was, or that the caller may not see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn versions(
        &self,
        permit: &Permit<AccessAdmin>,
        name: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Version>, DbError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Ok(Vec::new());
        }
        let page = (before.unwrap_or(i64::MAX), limit);
        store_versions::list(&self.ctx.db, permit.account(), name, page).await
    }
}

/// Something that happens to a policy.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Step<'s> {
    change: Change,
    /// What it is called, until then.
    name: &'s str,
    /// What it is called from then on, if that is something else.
    new_name: Option<&'s str>,
    before: Option<&'s Value>,
    after: Option<&'s Value>,
}

impl<'s> Step<'s> {
    pub(in crate::policy) fn of(change: Change, name: &'s str) -> Self {
        Self { change, name, new_name: None, before: None, after: None }
    }

    pub(in crate::policy) fn before(self, document: &'s Value) -> Self {
        Self { before: Some(document), ..self }
    }

    pub(in crate::policy) fn after(self, document: &'s Value) -> Self {
        Self { after: Some(document), ..self }
    }

    pub(in crate::policy) fn renamed(self, new_name: Option<&'s str>) -> Self {
        Self { new_name, ..self }
    }

    fn event(&self, account: &AccountId) -> Event {
        let action = match self.change {
            Change::Created => Action::Create,
            Change::Deleted => Action::Delete,
            Change::Updated | Change::Restored | Change::RenamedTo | Change::RenamedFrom => {
                Action::Update
            }
        };
        let shown = |name: &str, document: &Value| json!({ "name": name, "policy": document });
        let mut event = Event::new(action, "policy", self.name).of(account);
        if let Some(document) = self.before {
            event = event.before(shown(self.name, document));
        }
        if let Some(document) = self.after {
            event = event.after(shown(self.new_name.unwrap_or(self.name), document));
        }
        event
    }
}

/// Keeps what happens to a policy: as a version of it, and in the record of the account.
pub(in crate::policy) async fn note(
    tx: &mut Tx<'_>,
    (ctx, actor): (&Ctx, &Actor),
    account: &AccountId,
    step: &Step<'_>,
) -> Result<(), DbError> {
    let version = |change, document: Option<&Value>, other_name: Option<&str>| Version {
        number: 0,
        change,
        document: document.cloned().unwrap_or_default(),
        other_name: other_name.map(str::to_owned),
        changed_by: actor.user.clone(),
        changed_at: ctx.now(),
    };
    let last = match step.change {
        Change::Deleted | Change::RenamedTo => step.before,
        _ => step.after,
    };
    let own = version(step.change, last, step.new_name);
    store_versions::append(tx, account, step.name, &own).await?;
    if let Some(new_name) = step.new_name {
        let other = version(Change::RenamedFrom, step.after, Some(step.name));
        store_versions::append(tx, account, new_name, &other).await?;
    }
    record(tx, ctx, actor, &step.event(account));
    Ok(())
}
