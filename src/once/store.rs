//! One-time secrets and names that were seen, in the database.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use crate::base::id::{AppId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Query, Written, sql};
use crate::db::{Db, Fetch as _, Tx};
use crate::once::model::{Found, Owner};

const TABLE: &str = "one_time_secrets";
/// Most rows that one sweep deletes from one table.
const SWEEP_MAX: i64 = 1_000;

/// A one-time secret to be stored.
#[derive(Debug)]
pub(in crate::once) struct Stored<'a> {
    pub(in crate::once) kind: &'static str,
    pub(in crate::once) digest: Digest,
    pub(in crate::once) owner: Owner<'a>,
    pub(in crate::once) data: String,
    pub(in crate::once) now: DateTime<Utc>,
    pub(in crate::once) end: DateTime<Utc>,
}

pub(in crate::once) fn corrupt() -> DbError {
    DbError::CorruptRow { table: TABLE, column: "data" }
}

pub(in crate::once) async fn insert(db: &Db, stored: Stored<'_>) -> Result<i64, DbError> {
    number_of(&db.write_one(insertion(stored)).await?)
}

pub(in crate::once) async fn insert_in(
    tx: &mut Tx<'_>,
    stored: Stored<'_>,
) -> Result<i64, DbError> {
    number_of(&tx.execute(insertion(stored)).await?)
}

fn insertion(stored: Stored<'_>) -> Query {
    let (app, user, subject) = match stored.owner {
        Owner::Nobody => (None, None, None),
        Owner::App(app) => (Some(app.as_str()), None, None),
        Owner::User(user) => (None, Some(user.as_str()), None),
        Owner::Subject(subject) => (None, None, Some(subject)),
    };
    sql("INSERT INTO one_time_secrets
             (kind, digest, app_id, user_id, data, created_at, expires_at, subject)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id")
    .bind(stored.kind)
    .bind(stored.digest)
    .bind(app)
    .bind(user)
    .bind(stored.data)
    .bind(stored.now)
    .bind(stored.end)
    .bind(subject)
}

fn number_of(written: &Written) -> Result<i64, DbError> {
    let row = written.rows.first().ok_or(DbError::CorruptRow { table: TABLE, column: "id" })?;
    row.get("id")
}

/// Makes void what `user` was given as this kind and has not used.
pub(in crate::once) async fn void(
    tx: &mut Tx<'_>,
    kind: &str,
    user: &UserId,
) -> Result<(), DbError> {
    tx.execute(
        sql("DELETE FROM one_time_secrets WHERE user_id = $1 AND kind = $2").bind(user).bind(kind),
    )
    .await?;
    Ok(())
}

/// Makes void what `user` was given as this kind since the secret of number `id`, that one
/// included.
pub(in crate::once) async fn void_since(
    tx: &mut Tx<'_>,
    kind: &str,
    user: &UserId,
    id: i64,
) -> Result<(), DbError> {
    tx.execute(
        sql("DELETE FROM one_time_secrets WHERE user_id = $1 AND kind = $2 AND id >= $3")
            .bind(user)
            .bind(kind)
            .bind(id),
    )
    .await?;
    Ok(())
}

/// Makes void what `subject` was given as this kind.
pub(in crate::once) async fn void_of(
    tx: &mut Tx<'_>,
    kind: &str,
    subject: Digest,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM one_time_secrets WHERE subject = $1 AND kind = $2");
    tx.execute(query.bind(subject).bind(kind)).await?;
    Ok(())
}

/// What `subject` was given last as this kind and has not used.
pub(in crate::once) async fn find_of<T: DeserializeOwned>(
    db: &Db,
    kind: &str,
    subject: Digest,
    now: DateTime<Utc>,
) -> Result<Option<Found<T>>, DbError> {
    let query = sql("SELECT id, data FROM one_time_secrets
          WHERE subject = $1 AND kind = $2 AND expires_at > $3 AND used_at IS NULL
          ORDER BY id DESC LIMIT 1");
    let row = db.fetch_optional(query.bind(subject).bind(kind).bind(now)).await?;
    let Some(row) = row else { return Ok(None) };
    let data = row.json(TABLE, "data")?;
    Ok(Some(Found { id: row.get("id")?, app: None, user: None, is_used: false, data }))
}

pub(in crate::once) async fn find<T: DeserializeOwned>(
    db: &Db,
    kind: &str,
    id: i64,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<Option<Found<T>>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT digest, app_id, user_id, data, used_at FROM one_time_secrets
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
    let user = match row.get::<Option<String>>("user_id")? {
        Some(_) => Some(row.parsed(TABLE, "user_id")?),
        None => None,
    };
    let is_used = row.optional_time("used_at")?.is_some();
    Ok(Some(Found { id, app, user, is_used, data: row.json(TABLE, "data")? }))
}

pub(in crate::once) async fn count(
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

pub(in crate::once) async fn consume(
    db: &Db,
    id: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    Ok(db.write_one(consumption(id, now)).await?.affected == 1)
}

pub(in crate::once) async fn consume_in(
    tx: &mut Tx<'_>,
    id: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    Ok(tx.execute(consumption(id, now)).await?.affected == 1)
}

fn consumption(id: i64, now: DateTime<Utc>) -> Query {
    sql("UPDATE one_time_secrets SET used_at = $2
          WHERE id = $1 AND used_at IS NULL AND expires_at > $2")
    .bind(id)
    .bind(now)
}

pub(in crate::once) async fn swap(
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

pub(in crate::once) async fn note(
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
pub(in crate::once) async fn sweep(tx: &mut Tx<'_>, now: DateTime<Utc>) -> Result<u64, DbError> {
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
