//! What users gave to apps, deleted for good, in SQL.

use crate::base::id::{AppId, UserId};
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::oauth::purge::Part;

fn part(row: &Row, table: &'static str) -> Result<Part, DbError> {
    let corrupt = DbError::CorruptRow { table, column: "session_digest" };
    let session: Vec<u8> = row.get("session_digest")?;
    Ok((Digest::from_slice(&session).ok_or(corrupt)?, row.parsed(table, "app_id")?))
}

/// The first grants of a user: the number of the last of them, and who took part in sessions by
/// those that are still good. `None` if there is none.
pub(in crate::oauth) async fn grants(
    db: impl Fetch,
    user: &UserId,
    limit: i64,
) -> Result<Option<(i64, Vec<Part>)>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id, app_id, session_digest,
                        CAST(CASE WHEN stage = 'spent' AND revoked_at IS NULL
                                  AND session_digest IS NOT NULL
                                  AND ' ' || scope || ' ' LIKE '% openid %'
                             THEN 1 ELSE 0 END AS BIGINT) AS is_part
                   FROM grants WHERE user_id = $1 ORDER BY id LIMIT ($2 + 0)")
            .bind(user)
            .bind(limit),
        )
        .await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let last = last.get("id")?;
    let mut parts = Vec::new();
    for row in &rows {
        if row.flag("is_part")? {
            parts.push(part(row, "grants")?);
        }
    }
    Ok(Some((last, parts)))
}

/// Deletes the grants of a user up to this number.
pub(in crate::oauth) async fn delete_grants(
    tx: &mut Tx<'_>,
    user: &UserId,
    last: i64,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM grants WHERE user_id = $1 AND id <= $2").bind(user).bind(last);
    tx.execute(query).await?;
    tx.touch(Topic::Grants);
    Ok(())
}

/// The first apps that are remembered to have taken part in sessions of a user.
pub(in crate::oauth) async fn parts(
    db: impl Fetch,
    user: &UserId,
    limit: i64,
) -> Result<Vec<Part>, DbError> {
    let query = sql("SELECT session_digest, app_id FROM session_apps WHERE user_id = $1
          ORDER BY session_digest, app_id LIMIT ($2 + 0)");
    let rows = db.fetch_all(query.bind(user).bind(limit)).await?;
    rows.iter().map(|row| part(row, "session_apps")).collect()
}

/// Forgets that an app took part in a session.
pub(in crate::oauth) async fn delete_part(
    tx: &mut Tx<'_>,
    user: &UserId,
    session: Digest,
    app: &AppId,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM session_apps
          WHERE user_id = $1 AND session_digest = $2 AND app_id = $3");
    tx.execute(query.bind(user).bind(session).bind(app)).await?;
    Ok(())
}
