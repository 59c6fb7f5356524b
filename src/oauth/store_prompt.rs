//! What a user decided about a request while it waits, in SQL.

use chrono::{DateTime, Utc};

use crate::base::id::GrantId;
use crate::base::secret::Digest;
use crate::db::Db;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::oauth::request::AuthorizeRequest;

/// Replaces the request of a grant that waits in this browser; `false` if there is none.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::oauth) async fn replace(
    db: &Db,
    id: GrantId,
    browser: Digest,
    request: &AuthorizeRequest,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let request = serde_json::to_string(request)
        .map_err(|_| DbError::CorruptRow { table: "grants", column: "request" })?;
    let written = db
        .write_one(
            sql("UPDATE grants SET request = $3
                  WHERE id = $1 AND browser_digest = $2 AND stage = 'pending'
                    AND expires_at > $4")
            .bind(id)
            .bind(browser)
            .bind(request)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}
