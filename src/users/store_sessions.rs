//! Sessions, in SQL. The key is SHA-256 of the cookie's id.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, Written, sql};
use crate::db::{Db, Fetch, Tx};

/// A row of `sessions`.
#[derive(Debug)]
pub(in crate::users) struct SessionRow {
    pub(in crate::users) digest: Digest,
    pub(in crate::users) user: Option<UserId>,
    /// JSON of the session's data.
    pub(in crate::users) data: String,
    pub(in crate::users) created_at: DateTime<Utc>,
    pub(in crate::users) last_seen_at: DateTime<Utc>,
    pub(in crate::users) expires_at: DateTime<Utc>,
}

/// Adds a session.
///
/// # Errors
/// [`DbError::Duplicate`] if the id is taken, [`DbError`] if the statement fails.
pub(in crate::users) async fn insert(db: &Db, row: &SessionRow) -> Result<Written, DbError> {
    db.write_one(
        sql("INSERT INTO sessions (id_digest, user_id, data, created_at, last_seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(row.digest)
        .bind(row.user.as_ref().map(ToString::to_string))
        .bind(&row.data)
        .bind(row.created_at)
        .bind(row.last_seen_at)
        .bind(row.expires_at),
    )
    .await
}

/// Replaces what a session holds; does nothing if it has ended.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::users) async fn update(tx: &mut Tx<'_>, row: &SessionRow) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE sessions SET data = $2, user_id = $3 WHERE id_digest = $1")
            .bind(row.digest)
            .bind(&row.data)
            .bind(row.user.as_ref().map(ToString::to_string)),
    )
    .await?;
    tx.touch(Topic::Sessions);
    Ok(())
}

/// Finds a session, even one that has expired.
///
/// # Errors
/// [`DbError`] if the query fails or the row does not parse.
pub(in crate::users) async fn find(
    db: impl Fetch,
    digest: Digest,
) -> Result<Option<SessionRow>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT user_id, data, created_at, last_seen_at, expires_at
                   FROM sessions WHERE id_digest = $1")
            .bind(digest),
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |_| DbError::CorruptRow { table: "sessions", column: "user_id" };
    let user: Option<String> = row.get("user_id")?;
    Ok(Some(SessionRow {
        digest,
        user: user.map(UserId::try_from).transpose().map_err(corrupt)?,
        data: row.get("data")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
    }))
}

/// The sessions of a user that were used last, also such as have expired since.
///
/// # Errors
/// [`DbError`] if the query fails or a row does not parse.
pub(in crate::users) async fn of_user(
    db: impl Fetch,
    user: &UserId,
    limit: i64,
) -> Result<Vec<SessionRow>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id_digest, data, created_at, last_seen_at, expires_at
                   FROM sessions WHERE user_id = $1
                  ORDER BY last_seen_at DESC, id_digest LIMIT ($2 + 0)")
            .bind(user)
            .bind(limit),
        )
        .await?;
    let corrupt = || DbError::CorruptRow { table: "sessions", column: "id_digest" };
    let read = |row: &Row| {
        let key: Vec<u8> = row.get("id_digest")?;
        Ok(SessionRow {
            digest: Digest::from_slice(&key).ok_or_else(corrupt)?,
            user: Some(user.clone()),
            data: row.get("data")?,
            created_at: row.time("created_at")?,
            last_seen_at: row.time("last_seen_at")?,
            expires_at: row.time("expires_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Notes that a session is in use.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn see(
    db: &Db,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<Written, DbError> {
    db.write_one(
        sql("UPDATE sessions SET last_seen_at = $2 WHERE id_digest = $1 AND last_seen_at < $2")
            .bind(digest)
            .bind(now),
    )
    .await
}

/// Ends a session that no cache holds.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn delete_uncached(db: &Db, digest: Digest) -> Result<Written, DbError> {
    db.write_one(sql("DELETE FROM sessions WHERE id_digest = $1").bind(digest)).await
}

/// Ends a session, here and in every cache.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::users) async fn delete(tx: &mut Tx<'_>, digest: &Digest) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM sessions WHERE id_digest = $1").bind(*digest)).await?;
    tx.touch(Topic::Sessions);
    Ok(())
}

/// Ends every session of a user, complete or not; answers the key and the data of each.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::users) async fn delete_of(
    tx: &mut Tx<'_>,
    user: &UserId,
) -> Result<Vec<(Digest, String)>, DbError> {
    let query = sql("DELETE FROM sessions WHERE user_id = $1 RETURNING id_digest, data").bind(user);
    let ended = tx.execute(query).await?.rows;
    tx.touch(Topic::Sessions);
    let corrupt = DbError::CorruptRow { table: "sessions", column: "id_digest" };
    let key = |bytes: Vec<u8>| Digest::from_slice(&bytes);
    let read = |row: &Row| Ok(key(row.get("id_digest")?).zip(Some(row.get("data")?)));
    let read: Result<Option<Vec<_>>, DbError> = ended.iter().map(read).collect();
    read?.ok_or(corrupt)
}

/// Drops sessions that have ended by themselves.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn sweep(
    db: &Db,
    now: DateTime<Utc>,
    idle_before: DateTime<Utc>,
) -> Result<Written, DbError> {
    db.write_one(
        sql("DELETE FROM sessions WHERE expires_at < $1 OR last_seen_at < $2")
            .bind(now)
            .bind(idle_before),
    )
    .await
}
