//! The rows of apps that were registered over HTTP.

use chrono::{DateTime, Utc};

use crate::apps::registration::Registered;
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Fetch, Tx};

const TABLE: &str = "registrations";

/// How the app was registered, if it was registered over HTTP.
pub(in crate::apps) async fn find(
    db: impl Fetch,
    app: &AppId,
) -> Result<Option<Registered>, DbError> {
    let query = sql("SELECT token_digest, created_at FROM registrations WHERE app_id = $1");
    let Some(row) = db.fetch_optional(query.bind(app)).await? else { return Ok(None) };
    let corrupt = DbError::CorruptRow { table: TABLE, column: "token_digest" };
    Ok(Some(Registered {
        token: Digest::from_slice(&row.get::<Vec<u8>>("token_digest")?).ok_or(corrupt)?,
        at: row.time("created_at")?,
    }))
}

/// Notes how an app was registered.
pub(in crate::apps) async fn insert(
    tx: &mut Tx<'_>,
    app: &AppId,
    token: Digest,
    source: Option<Digest>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO registrations (app_id, token_digest, source, created_at)
                     VALUES ($1, $2, $3, $4)");
    tx.execute(query.bind(app).bind(token).bind(source).bind(now)).await?;
    Ok(())
}

/// How many apps were registered from an address since then.
pub(in crate::apps) async fn count_from(
    tx: &mut Tx<'_>,
    source: Digest,
    since: DateTime<Utc>,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS n FROM registrations
                      WHERE source = $1 AND created_at > $2");
    count(tx.fetch_optional(query.bind(source).bind(since)).await?.as_ref())
}

/// How many apps there are that were registered without a token.
pub(in crate::apps) async fn count_all(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS n FROM registrations WHERE source IS NOT NULL");
    count(tx.fetch_optional(query).await?.as_ref())
}

fn count(row: Option<&crate::db::query::Row>) -> Result<i64, DbError> {
    row.ok_or(DbError::CorruptRow { table: TABLE, column: "n" })?.get("n")
}

/// Deletes an app, and with it all that was given to it. Answers whether there was one.
pub(in crate::apps) async fn delete_app(tx: &mut Tx<'_>, app: &AppId) -> Result<bool, DbError> {
    Ok(tx.execute(sql("DELETE FROM apps WHERE id = $1").bind(app)).await?.affected == 1)
}
