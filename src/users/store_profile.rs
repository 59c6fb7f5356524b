//! The profile of a user, in SQL.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::users::own_profile::OwnProfile;

/// Changes the name, and nothing else.
pub(in crate::users) async fn set_name(
    tx: &mut Tx<'_>,
    id: &UserId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE users SET name = $2, updated_at = $3 WHERE id = $1");
    tx.execute(query.bind(id).bind(name).bind(now)).await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// Changes the profile, and nothing else: what changes at the same time stays changed.
/// Makes others who change the user wait until this unit of work has ended.
pub(in crate::users) async fn lock(tx: &mut Tx<'_>, id: &UserId) -> Result<(), DbError> {
    // A write that changes nothing locks the row on PostgreSQL; SQLite has one writer at a time.
    tx.execute(sql("UPDATE users SET updated_at = updated_at WHERE id = $1").bind(id)).await?;
    Ok(())
}

pub(in crate::users) async fn set(
    tx: &mut Tx<'_>,
    id: &UserId,
    own: &OwnProfile,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let corrupt = |_| DbError::CorruptRow { table: "users", column: "profile" };
    let profile = serde_json::to_string(&own.profile).map_err(corrupt)?;
    tx.execute(
        sql("UPDATE users
                SET name = $2, given_name = $3, family_name = $4, profile = $5, updated_at = $6
              WHERE id = $1")
        .bind(id)
        .bind(own.name.clone())
        .bind(own.given_name.clone())
        .bind(own.family_name.clone())
        .bind(profile)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(())
}
