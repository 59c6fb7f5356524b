//! Hashes of passwords, in SQL.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Fetch, Tx};

/// The hash of a user's password.
///
/// # Errors
/// [`DbError`] if the query fails.
pub(in crate::users) async fn phc(db: impl Fetch, id: &UserId) -> Result<Option<String>, DbError> {
    let row =
        db.fetch_optional(sql("SELECT phc FROM passwords WHERE user_id = $1").bind(id)).await?;
    row.map(|row| row.get("phc")).transpose()
}

/// Whether this is what a user's password was imported as, whatever became of it since.
///
/// # Errors
/// [`DbError`] if the query fails.
pub(in crate::users) async fn was_imported(
    db: impl Fetch,
    id: &UserId,
    hash: Digest,
) -> Result<bool, DbError> {
    let query = sql("SELECT imported FROM passwords WHERE user_id = $1 AND imported = $2");
    Ok(db.fetch_optional(query.bind(id).bind(hash)).await?.is_some())
}

/// Sets a user's password; `imported` is the digest of a hash that came from elsewhere.
///
/// # Errors
/// [`DbError::Refused`] if there is no such user, [`DbError`] if the statement fails.
pub(in crate::users) async fn set_phc(
    tx: &mut Tx<'_>,
    id: &UserId,
    (phc, imported): (&str, Option<Digest>),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO passwords (user_id, phc, changed_at, imported) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE
                SET phc = $2, changed_at = $3, imported = COALESCE($4, passwords.imported)")
        .bind(id)
        .bind(phc)
        .bind(now)
        .bind(imported),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// Replaces a hash by a stronger one of the same password, unless the password changed meanwhile.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn upgrade_phc(
    tx: &mut Tx<'_>,
    id: &UserId,
    old: &str,
    new: &str,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE passwords SET phc = $3 WHERE user_id = $1 AND phc = $2")
            .bind(id)
            .bind(old)
            .bind(new),
    )
    .await?;
    Ok(())
}
