//! The rows of places from where users signed in at apps.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::db::query::sql;

/// Notes that a user signed in at a place, and forgets those where that was before `oldest`.
/// Answers whether the place is new.
pub(in crate::users) async fn note(
    tx: &mut Tx<'_>,
    (user, place): (&UserId, Digest),
    now: DateTime<Utc>,
    oldest: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM known_places WHERE user_id = $1 AND seen_at < $2");
    tx.execute(query.bind(user).bind(oldest)).await?;
    let query = sql("UPDATE known_places SET seen_at = $3 WHERE user_id = $1 AND place = $2");
    if tx.execute(query.bind(user).bind(place).bind(now)).await?.affected == 1 {
        return Ok(false);
    }
    let query = sql("INSERT INTO known_places (user_id, place, seen_at) VALUES ($1, $2, $3)
                     ON CONFLICT (user_id, place) DO NOTHING");
    Ok(tx.execute(query.bind(user).bind(place).bind(now)).await?.affected == 1)
}
