//! Leaving a group, told to whoever gave something out because of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::clock::micros;
use crate::base::id::{AccountId, UserId};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::queue::service::push;

/// The kind of the job that tells of it: its payload is [`Left`].
pub const LEFT: &str = "group_left";

/// A user who was taken out of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Whose group it is.
    pub account: AccountId,
    /// Who.
    pub user: UserId,
    /// When, in microseconds.
    pub at: i64,
}

/// Has it told that a user was taken out of a group.
pub(in crate::accounts) async fn tell(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let left = Left { account: account.clone(), user: user.clone(), at: micros(now) };
    let payload = serde_json::to_value(left)
        .map_err(|_| DbError::CorruptRow { table: "jobs", column: "payload" })?;
    push(tx, LEFT, &payload, now).await
}
