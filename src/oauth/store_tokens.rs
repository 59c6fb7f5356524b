//! Revocations and consents in the database.

use chrono::{DateTime, Utc};

use crate::base::id::{AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch, Tx};

/// Rows that one sweep deletes at most: others wait for the writer meanwhile.
const SWEEP_ROWS_MAX: i64 = 500;

/// Revokes a grant and, with it, its tokens.
pub(in crate::oauth) async fn revoke(
    db: &Db,
    id: GrantId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    db.write((id, now), |tx, (id, now)| {
        Box::pin(async move {
            tx.execute(
                sql("UPDATE grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
                    .bind(*id)
                    .bind(*now),
            )
            .await?;
            tx.touch(Topic::Grants);
            Ok(())
        })
    })
    .await
}

/// Revokes one access token, until it would have expired.
pub(in crate::oauth) async fn revoke_token(
    db: &Db,
    jti: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    db.write((jti.to_owned(), expires_at), |tx, (jti, expires_at)| {
        Box::pin(async move {
            insert_revoked(tx, jti, *expires_at).await?;
            tx.touch(Topic::Grants);
            Ok(())
        })
    })
    .await
}

/// Notes a revoked access token inside a unit that touches [`Topic::Grants`].
pub(in crate::oauth) async fn insert_revoked(
    tx: &mut Tx<'_>,
    jti: &str,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2)
             ON CONFLICT (jti) DO NOTHING")
        .bind(jti)
        .bind(expires_at),
    )
    .await?;
    Ok(())
}

/// Whether this access token was revoked by itself.
pub(in crate::oauth) async fn is_revoked(db: impl Fetch, jti: &str) -> Result<bool, DbError> {
    let found =
        db.fetch_optional(sql("SELECT jti FROM revoked_tokens WHERE jti = $1").bind(jti)).await?;
    Ok(found.is_some())
}

/// What a user agreed to give an app, on earlier occasions.
pub(in crate::oauth) async fn consented(
    db: impl Fetch,
    user: &UserId,
    app: &AppId,
) -> Result<Scope, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT scope FROM consents WHERE user_id = $1 AND app_id = $2")
                .bind(user)
                .bind(app),
        )
        .await?;
    let Some(row) = row else { return Ok(Scope::default()) };
    Scope::parse(&row.get::<String>("scope")?)
        .map_err(|_| DbError::CorruptRow { table: "consents", column: "scope" })
}

/// Remembers that a user agreed, beside what they agreed to before.
pub(in crate::oauth) async fn remember_consent(
    tx: &mut Tx<'_>,
    user: &UserId,
    app: &AppId,
    scope: &Scope,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let before = consented(&mut *tx, user, app).await?;
    tx.execute(
        sql("INSERT INTO consents (user_id, app_id, scope, granted_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, app_id)
             DO UPDATE SET scope = excluded.scope, granted_at = excluded.granted_at")
        .bind(user)
        .bind(app)
        .bind(&before.union(scope))
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Consents);
    Ok(())
}

/// Forgets a bounded number of revoked tokens that have expired, and says how many.
pub(in crate::oauth) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    let tokens = db
        .write_one(
            sql("DELETE FROM revoked_tokens WHERE jti IN (
                    SELECT jti FROM revoked_tokens
                     WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)")
            .bind(now)
            .bind(SWEEP_ROWS_MAX),
        )
        .await?;
    Ok(tokens.affected)
}
