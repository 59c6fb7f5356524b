//! The deletion of users, in SQL.
//!
//! Time parts what may race: taking it back works before the end of the grace period, closing and
//! purging after it. Each repeats that in its `WHERE`.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Fetch, Tx};

/// What is left of a user: neither the id nor the name.
#[derive(Clone, Debug)]
pub(in crate::users) struct Tombstone {
    pub(in crate::users) id: Digest,
    pub(in crate::users) username: Digest,
}

/// Sets the end of the grace period, unless there is one; `false` if nothing was changed.
pub(in crate::users) async fn ask(
    tx: &mut Tx<'_>,
    id: &UserId,
    (at, language): (DateTime<Utc>, &str),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let asked = tx
        .execute(
            sql("UPDATE users SET deletion_at = $2, updated_at = $3
                  WHERE id = $1 AND deletion_at IS NULL AND status = 'active'")
            .bind(id)
            .bind(at)
            .bind(now),
        )
        .await?;
    if asked.affected != 1 {
        return Ok(false);
    }
    tx.execute(
        sql("INSERT INTO deletions (user_id, language, asked_at) VALUES ($1, $2, $3)
             ON CONFLICT (user_id)
             DO UPDATE SET language = $2, asked_at = $3, reminded_at = NULL")
        .bind(id)
        .bind(language)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(true)
}

/// Takes it back, as long as the grace period lasts; `false` if nothing was changed.
pub(in crate::users) async fn cancel(
    tx: &mut Tx<'_>,
    id: &UserId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let kept = tx
        .execute(
            sql("UPDATE users SET deletion_at = NULL, updated_at = $2
                  WHERE id = $1 AND deletion_at > $2")
            .bind(id)
            .bind(now),
        )
        .await?;
    if kept.affected != 1 {
        return Ok(false);
    }
    tx.execute(sql("DELETE FROM deletions WHERE user_id = $1").bind(id)).await?;
    tx.touch(Topic::Users);
    Ok(true)
}

/// The language of the letters about a deletion.
pub(in crate::users) async fn language(
    db: impl Fetch,
    id: &UserId,
) -> Result<Option<String>, DbError> {
    let query = sql("SELECT language FROM deletions WHERE user_id = $1").bind(id);
    db.fetch_optional(query).await?.map(|row| row.get("language")).transpose()
}

/// Who will be deleted before `until`, and has not been reminded of it.
pub(in crate::users) async fn to_remind(
    db: impl Fetch,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT u.id FROM users u JOIN deletions d ON d.user_id = u.id
                  WHERE u.deletion_at > $1 AND u.deletion_at <= $2 AND d.reminded_at IS NULL
                  ORDER BY u.deletion_at LIMIT ($3 + 0)")
            .bind(now)
            .bind(until)
            .bind(limit),
        )
        .await?;
    rows.iter().map(|row| row.parsed("users", "id")).collect()
}

/// Notes that somebody is reminded; `true` to exactly one caller.
pub(in crate::users) async fn remind(
    tx: &mut Tx<'_>,
    id: &UserId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE deletions SET reminded_at = $2
          WHERE user_id = $1 AND reminded_at IS NULL");
    Ok(tx.execute(query.bind(id).bind(now)).await?.affected == 1)
}

/// Whose grace period is over.
pub(in crate::users) async fn due(
    db: impl Fetch,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id FROM users WHERE deletion_at <= $1
                  ORDER BY deletion_at LIMIT ($2 + 0)")
            .bind(now)
            .bind(limit),
        )
        .await?;
    rows.iter().map(|row| row.parsed("users", "id")).collect()
}

/// Closes a user whose grace period is over: from here on nothing of theirs works. `false` if it
/// is not over.
pub(in crate::users) async fn close(
    tx: &mut Tx<'_>,
    id: &UserId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let closed = tx
        .execute(
            sql("UPDATE users SET status = 'disabled', updated_at = $2
                  WHERE id = $1 AND deletion_at <= $2")
            .bind(id)
            .bind(now),
        )
        .await?;
    tx.touch(Topic::Users);
    Ok(closed.affected == 1)
}

/// Ends a bounded number of sessions of a user, and says how many.
pub(in crate::users) async fn end_sessions(
    tx: &mut Tx<'_>,
    id: &UserId,
    limit: i64,
) -> Result<u64, DbError> {
    let ended = tx
        .execute(
            sql("DELETE FROM sessions WHERE id_digest IN (
                    SELECT id_digest FROM sessions WHERE user_id = $1 LIMIT ($2 + 0))")
            .bind(id)
            .bind(limit),
        )
        .await?;
    tx.touch(Topic::Sessions);
    Ok(ended.affected)
}

/// Deletes the user, with whatever still refers to them, and leaves a tombstone; `true` to exactly
/// one caller.
pub(in crate::users) async fn purge(
    tx: &mut Tx<'_>,
    id: &UserId,
    tombstone: &Tombstone,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    // Invitations that they answered hold their address.
    let query = sql("DELETE FROM invitations WHERE decided_by = $1 AND EXISTS (
            SELECT u.id FROM users u WHERE u.id = $1 AND u.deletion_at <= $2)");
    tx.execute(query.bind(id).bind(now)).await?;
    let query = sql("DELETE FROM users WHERE id = $1 AND deletion_at <= $2").bind(id).bind(now);
    if tx.execute(query).await?.affected != 1 {
        return Ok(false);
    }
    tx.execute(
        sql("INSERT INTO gone_users (id_digest, username_mac, gone_at) VALUES ($1, $2, $3)")
            .bind(tombstone.id)
            .bind(tombstone.username)
            .bind(now),
    )
    .await?;
    for topic in [Topic::Users, Topic::Sessions, Topic::Accounts, Topic::Grants, Topic::Consents] {
        tx.touch(topic);
    }
    Ok(true)
}

/// Whether the id was that of somebody who is gone.
pub(in crate::users) async fn is_id_gone(db: impl Fetch, id: Digest) -> Result<bool, DbError> {
    let query = sql("SELECT gone_at FROM gone_users WHERE id_digest = $1").bind(id);
    Ok(db.fetch_optional(query).await?.is_some())
}

/// Whether the name was that of somebody who is gone.
pub(in crate::users) async fn is_name_gone(db: impl Fetch, name: Digest) -> Result<bool, DbError> {
    let query = sql("SELECT gone_at FROM gone_users WHERE username_mac = $1 LIMIT 1").bind(name);
    Ok(db.fetch_optional(query).await?.is_some())
}
