//! What is refused to somebody who has passed the gate's chain: noted in one place, whichever handler
//! says no, and for whatever reason.

use std::sync::{Arc, OnceLock};

use axum::response::Response;
use http::StatusCode;

use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::audit::trail::GATE;
use crate::base::id::AccountId;
use crate::gate::routes::Lock;
use crate::gate::service::Caller;
use crate::http::api::error::ApiError;
use crate::server::Server;

/// Who has passed, in which account, by what scope. Part of each request; empty until somebody has
/// passed.
#[derive(Clone, Default)]
pub(in crate::http) struct Passage(Arc<OnceLock<(Actor, Option<AccountId>, &'static str)>>);

/// Why it was refused, on the way out.
#[derive(Clone, Copy)]
struct Why(&'static str);

impl Passage {
    /// Somebody has passed.
    pub(in crate::http::api) fn passed(&self, caller: &Caller, lock: &'static Lock) {
        let account = caller.place.as_ref().map(|place| place.account.clone());
        let _ = self.0.set((caller.actor.clone(), account, lock.scope));
    }

    /// Notes it if they were refused after that.
    pub(in crate::http) fn note(&self, server: &Server, answer: &Response) {
        let Some(Why(reason)) = answer.extensions().get::<Why>() else { return };
        let Some((actor, account, scope)) = self.0.get() else { return };
        let event = Event::new(Action::Execute, GATE, *scope).outcome(Outcome::Refused(reason));
        let event = Event { account: account.clone(), ..event };
        server.users.trail().note(actor.clone(), event, server.ctx.now());
    }
}

/// Says in the answer, to ourselves, that somebody was refused.
pub(in crate::http::api) fn mark(error: &ApiError, answer: &mut Response) {
    let reason = match error {
        ApiError::Refused(refusal) => refusal.reason(),
        ApiError::GrantsMoreThanHeld(_) => "grants_more_than_held",
        ApiError::LastAdministrator => "last_administrator",
        ApiError::NotOffered(_) => "not_offered",
        ApiError::Told(status, reason, _) if *status == StatusCode::FORBIDDEN => *reason,
        _ => return,
    };
    answer.extensions_mut().insert(Why(reason));
}
