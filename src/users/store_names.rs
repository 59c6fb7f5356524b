//! What people sign in with, in SQL: names and verified addresses in one space.

use crate::base::id::UserId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::users::username::UsernameKey;

/// Takes all of a user's names away.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn clear(tx: &mut Tx<'_>, id: &UserId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM sign_in_names WHERE user_id = $1").bind(id)).await?;
    Ok(())
}

/// Gives a user one more name.
///
/// # Errors
/// [`DbError::Duplicate`] if it is somebody's, [`DbError`] if the statement fails.
pub(in crate::users) async fn add(
    tx: &mut Tx<'_>,
    id: &UserId,
    key: &UsernameKey,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO sign_in_names (key, user_id) VALUES ($1, $2)");
    tx.execute(query.bind(key.as_str()).bind(id)).await?;
    Ok(())
}
