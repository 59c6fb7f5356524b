//! One-time secrets and names that were seen, in the database.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _, Tx};
use crate::oauth::once::Found;

const TABLE: &str = "one_time_secrets";
/// Most rows that one sweep deletes from one table.
const SWEEP_MAX: i64 = 1_000;

/// A one-time secret to be stored.
#[derive(Debug)]
pub(in crate::oauth) struct Stored<'a> {
    pub(in crate::oauth) kind: &'static str,
    pub(in crate::oauth) digest: Digest,
    pub(in crate::oauth) app: Option<&'a AppId>,
    pub(in crate::oauth) data: String,
    pub(in crate::oauth) now: DateTime<Utc>,
    pub(in crate::oauth) end: DateTime<Utc>,
}

pub(in crate::oauth) fn corrupt() -> DbError {
    DbError::CorruptRow { table: TABLE, column: "data" }
}

pub(in crate::oauth) async fn insert(db: &Db, stored: Stored<'_>) -> Result<i64, DbError> {
    let written = db
        .write_one(
            sql("INSERT INTO one_time_secrets (kind, digest, app_id, data, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING id")
            .bind(stored.kind)
            .bind(stored.digest)
            .bind(stored.app.map(AppId::as_str))
            .bind(stored.data)
            .bind(stored.now)
            .bind(stored.end),
        )
        .await?;
    let row = written.rows.first().ok_or(DbError::CorruptRow { table: TABLE, column: "id" })?;
    row.get("id")
}

pub(in crate::oauth) async fn find<T: DeserializeOwned>(
    db: &Db,
    kind: &str,
    id: i64,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<Option<Found<T>>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT digest, app_id, data, used_at FROM one_time_secrets
                  WHERE id = $1 AND kind = $2 AND expires_at > $3")
            .bind(id)
            .bind(kind)
            .bind(now),
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    if Digest::from_slice(&row.get::<Vec<u8>>("digest")?) != Some(digest) {
        return Ok(None);
    }
    let app = match row.get::<Option<String>>("app_id")? {
        Some(_) => Some(row.parsed(TABLE, "app_id")?),
        None => None,
    };
    let is_used = row.optional_time("used_at")?.is_some();
    Ok(Some(Found { id, app, is_used, data: row.json(TABLE, "data")? }))
}

pub(in crate::oauth) async fn count(
    db: &Db,
    kind: &str,
    app: &AppId,
    since: DateTime<Utc>,
) -> Result<i64, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT COUNT(*) AS number FROM one_time_secrets
                  WHERE app_id = $1 AND kind = $2 AND created_at > $3 AND used_at IS NULL")
            .bind(app)
            .bind(kind)
            .bind(since),
        )
        .await?;
    row.map_or(Ok(0), |row| row.get("number"))
}

pub(in crate::oauth) async fn consume(
    db: &Db,
    id: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("UPDATE one_time_secrets SET used_at = $2
                  WHERE id = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(id)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

pub(in crate::oauth) async fn swap(
    db: &Db,
    id: i64,
    (old, new): (String, String),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("UPDATE one_time_secrets SET data = $3
                  WHERE id = $1 AND data = $2 AND used_at IS NULL AND expires_at > $4")
            .bind(id)
            .bind(old)
            .bind(new)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

pub(in crate::oauth) async fn note(
    db: &Db,
    digest: Digest,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("INSERT INTO seen_names (digest, expires_at) VALUES ($1, $2)
                 ON CONFLICT (digest) DO UPDATE SET expires_at = $2
                  WHERE seen_names.expires_at <= $3")
            .bind(digest)
            .bind(end)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Deletes rows that are over, a bounded number at a time.
pub(in crate::oauth) async fn sweep(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<u64, DbError> {
    let mut deleted = 0;
    for statement in [
        "DELETE FROM one_time_secrets WHERE id IN (
            SELECT id FROM one_time_secrets WHERE expires_at <= $1 LIMIT ($2 + 0))",
        "DELETE FROM seen_names WHERE digest IN (
            SELECT digest FROM seen_names WHERE expires_at <= $1 LIMIT ($2 + 0))",
    ] {
        deleted += tx.execute(sql(statement).bind(now).bind(SWEEP_MAX)).await?.affected;
    }
    Ok(deleted)
}
