//! Sessions as their owner sees them: from where, since when, last used when.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::clock::from_micros;
use crate::base::id::UserId;
use crate::db::error::DbError;
use crate::users::login::Login;
use crate::users::service::Users;
use crate::users::sessions::{Stage, stage_of};
use crate::users::store_sessions as store;

/// Most sessions that are shown: the ones that were used last.
pub const SHOWN_MAX: i64 = 100;

/// From where somebody signed in. Kept as long as the session, and no longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seat {
    /// The name of the program, as far as the browser tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The name of the system, as far as the browser tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The address, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// A session of one's own.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// What it is; its `key` names it, and opens nothing.
    pub login: Login,
    /// From where it was signed in to.
    pub seat: Seat,
    /// When it was last used, to the minute.
    pub last_seen: DateTime<Utc>,
}

impl Users {
    /// Where the user is signed in, the last used first.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sessions_of(&self, user: &UserId) -> Result<Vec<OwnSession>, DbError> {
        let void_before = self.find(user).await?.and_then(|user| user.void_before());
        let now = self.0.ctx.now();
        let mut own = Vec::new();
        for row in store::of_user(&self.0.ctx.db, user, SHOWN_MAX).await? {
            if !self.0.sessions.is_usable(&row, now) {
                continue;
            }
            let stage = stage_of(&row)?;
            let Stage::Complete { user, auth_time, amr, session, provider, seat } = stage else {
                continue;
            };
            let (key, auth_time) = (row.digest, from_micros(auth_time));
            if void_before.is_some_and(|at| auth_time < at) {
                continue;
            }
            let session = session.unwrap_or(key);
            let login = Login { user, auth_time, amr, provider, session, key };
            own.push(OwnSession { login, seat, last_seen: row.last_seen_at });
        }
        Ok(own)
    }
}
