//! An act of somebody in an account, as a unit of work needs it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::AccountId;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::policy::model::Declared;
use crate::policy::permit::Permit;
use crate::policy::privilege::Privilege;

/// Who acts, where and when.
#[derive(Clone, Debug)]
pub(in crate::accounts) struct Act {
    pub(in crate::accounts) ctx: Ctx,
    pub(in crate::accounts) account: AccountId,
    pub(in crate::accounts) actor: Actor,
    pub(in crate::accounts) now: DateTime<Utc>,
}

impl Act {
    /// What the permit is used for.
    pub(in crate::accounts) fn of<P: Privilege>(ctx: &Ctx, permit: &Permit<P>) -> Self {
        Self::by(ctx, permit.account(), permit.actor())
    }

    /// What somebody does in an account.
    pub(in crate::accounts) fn by(ctx: &Ctx, account: &AccountId, actor: &Actor) -> Self {
        let (account, actor, now) = (account.clone(), actor.clone(), ctx.now());
        Self { ctx: ctx.clone(), account, actor, now }
    }

    /// Something that is done to `target` in the account.
    pub(in crate::accounts) fn event(
        &self,
        action: Action,
        kind: &'static str,
        target: &str,
    ) -> Event {
        Event::new(action, kind, target).of(&self.account)
    }

    /// Records what a declaration of the operator's changed, if it changed something.
    pub(in crate::accounts) fn declared(
        &self,
        tx: &mut Tx<'_>,
        done: Declared,
        (kind, target): (&'static str, &str),
        (before, after): (Option<Value>, Value),
    ) {
        let action = match done {
            Declared::Unchanged => return,
            Declared::Created => Action::Create,
            Declared::Updated => Action::Update,
        };
        self.record(tx, &Event { before, ..self.event(action, kind, target).after(after) });
    }

    /// Records it with the unit of work.
    pub(in crate::accounts) fn record(&self, tx: &mut Tx<'_>, event: &Event) {
        record(tx, &self.ctx, &self.actor, event);
    }
}
