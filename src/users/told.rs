//! What is recorded of changes to people: who, and the names of what changed. Never what it is now.

use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::UserId;
use crate::db::Tx;
use crate::users::service::Users;

/// What the record calls a person.
const TYPE: &str = "user";

impl Users {
    /// Records a change that somebody made to themselves.
    pub(in crate::users) fn tell_own(&self, tx: &mut Tx<'_>, user: &UserId, what: &'static str) {
        self.tell_change(tx, &Actor::user(user), user, (Action::Update, what));
    }

    /// Records that somebody became a user by what they did.
    pub(in crate::users) fn tell_made(&self, tx: &mut Tx<'_>, user: &UserId) {
        self.tell_change(tx, &Actor::user(user), user, (Action::Create, TYPE));
    }

    /// Records a change that the operator made, or the server by itself.
    pub(in crate::users) fn tell_operated(
        &self,
        tx: &mut Tx<'_>,
        user: &UserId,
        done: (Action, &'static str),
    ) {
        self.tell_change(tx, &Actor::operator(), user, done);
    }

    fn tell_change(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        user: &UserId,
        (action, what): (Action, &'static str),
    ) {
        let event = Event::new(action, TYPE, user.as_str()).after(json!({ "changed": what }));
        record(tx, &self.0.ctx, actor, &event);
    }
}
