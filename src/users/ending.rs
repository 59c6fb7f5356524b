//! The end of sign-ins, told to whoever gave something out because of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::queue::service::push;
use crate::users::login::Login;
use crate::users::sessions::session_of;
use crate::users::{store, store_sessions};

/// The kind of the job that tells of it: its payload is [`Ended`].
pub const ENDED: &str = "sessions_ended";

/// Sessions of a user that are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub sessions: Vec<Digest>,
    /// Everything that was signed in to before this instant is over, too, in microseconds.
    pub all_before: Option<i64>,
}

async fn tell(tx: &mut Tx<'_>, ended: &Ended, now: DateTime<Utc>) -> Result<(), DbError> {
    let payload = serde_json::to_value(ended)
        .map_err(|_| DbError::CorruptRow { table: "jobs", column: "payload" })?;
    push(tx, ENDED, &payload, now).await
}

/// Ends one session.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn end_one(tx: &mut Tx<'_>, login: &Login, now: DateTime<Utc>) -> Result<(), DbError> {
    store_sessions::delete(tx, &login.key).await?;
    let (user, sessions) = (login.user.clone(), vec![login.session]);
    tell(tx, &Ended { user, sessions, all_before: None }, now).await
}

/// Signs a user out everywhere, and makes void whatever came of it.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::users) async fn end_all(
    tx: &mut Tx<'_>,
    user: &UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut sessions = Vec::new();
    for (key, data) in store_sessions::delete_of(tx, user).await? {
        sessions.extend(session_of(key, &data)?);
    }
    store::sign_out(tx, user, now).await?;
    let all_before = Some(crate::base::clock::micros(now));
    tell(tx, &Ended { user: user.clone(), sessions, all_before }, now).await
}
