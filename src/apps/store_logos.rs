//! The pictures of apps.

use chrono::{DateTime, Utc};

use crate::apps::belongings::Logo;
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Fetch, Tx};

/// The picture of an app, and its digest.
pub(in crate::apps) async fn find(
    db: impl Fetch,
    app: &AppId,
) -> Result<Option<(Digest, Logo)>, DbError> {
    let query = sql("SELECT media_type, digest, image FROM app_logos WHERE app_id = $1");
    let Some(row) = db.fetch_optional(query.bind(app)).await? else { return Ok(None) };
    let corrupt = DbError::CorruptRow { table: "app_logos", column: "digest" };
    let digest = Digest::from_slice(&row.get::<Vec<u8>>("digest")?).ok_or(corrupt)?;
    Ok(Some((digest, Logo { media_type: row.get("media_type")?, image: row.get("image")? })))
}

/// Stores the picture of an app that has none.
pub(in crate::apps) async fn insert(
    tx: &mut Tx<'_>,
    app: &AppId,
    (media_type, digest, image): (&str, Digest, &[u8]),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO app_logos (app_id, media_type, digest, image, created_at)
                     VALUES ($1, $2, $3, $4, $5)");
    tx.execute(query.bind(app).bind(media_type).bind(digest).bind(image).bind(now)).await?;
    Ok(())
}

/// Forgets the picture of an app.
pub(in crate::apps) async fn delete(tx: &mut Tx<'_>, app: &AppId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM app_logos WHERE app_id = $1").bind(app)).await?;
    Ok(())
}
