//! What a user gave to apps, by app, in SQL.

use chrono::{DateTime, Utc};

use crate::base::id::{AppId, UserId};
use crate::base::scope::Scope;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::oauth::own_apps::Given;

fn scope(row: &Row, table: &'static str) -> Result<Scope, DbError> {
    let corrupt = |_| DbError::CorruptRow { table, column: "scope" };
    Scope::parse(&row.get::<String>("scope")?).map_err(corrupt)
}

/// What apps hold that may still be used.
pub(in crate::oauth) async fn held(
    db: impl Fetch,
    user: &UserId,
    now: DateTime<Utc>,
) -> Result<Vec<(AppId, Given)>, DbError> {
    let query = sql("SELECT app_id, scope, MIN(created_at) AS since,
                 MAX(access_expires_at) AS access_until
            FROM grants
           WHERE user_id = $1 AND stage = 'spent' AND revoked_at IS NULL AND expires_at > $2
           GROUP BY app_id, scope");
    let read = |row: &Row| {
        let given = Given {
            scopes: scope(row, "grants")?,
            since: row.time("since")?,
            access_until: row.optional_time("access_until")?,
        };
        Ok((row.parsed("grants", "app_id")?, given))
    };
    db.fetch_all(query.bind(user).bind(now)).await?.iter().map(read).collect()
}

/// What apps are not asked for again.
pub(in crate::oauth) async fn remembered(
    db: impl Fetch,
    user: &UserId,
) -> Result<Vec<(AppId, Given)>, DbError> {
    let query = sql("SELECT app_id, scope, granted_at FROM consents WHERE user_id = $1").bind(user);
    let read = |row: &Row| {
        let given = Given {
            scopes: scope(row, "consents")?,
            since: row.time("granted_at")?,
            access_until: None,
        };
        Ok((row.parsed("consents", "app_id")?, given))
    };
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// Forgets what a user agreed to give an app.
pub(in crate::oauth) async fn forget_consent(
    tx: &mut Tx<'_>,
    user: &UserId,
    app: &AppId,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM consents WHERE user_id = $1 AND app_id = $2");
    tx.execute(query.bind(user).bind(app)).await?;
    tx.touch(Topic::Consents);
    Ok(())
}

/// Revokes what holds this scope of what a user gave an app.
pub(in crate::oauth) async fn revoke_scope(
    tx: &mut Tx<'_>,
    (user, app): (&UserId, &AppId),
    scope: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE grants SET revoked_at = $4
          WHERE user_id = $1 AND app_id = $2 AND revoked_at IS NULL
            AND ' ' || scope || ' ' LIKE '% ' || $3 || ' %'");
    tx.execute(query.bind(user).bind(app).bind(scope).bind(now)).await?;
    tx.touch(Topic::Grants);
    Ok(())
}

/// Forgets these scopes of what a user agreed to give an app.
pub(in crate::oauth) async fn forget_scopes(
    tx: &mut Tx<'_>,
    (user, app): (&UserId, &AppId),
    scopes: &Scope,
) -> Result<(), DbError> {
    let query = sql("SELECT scope FROM consents WHERE user_id = $1 AND app_id = $2");
    let Some(row) = tx.fetch_optional(query.bind(user).bind(app)).await? else { return Ok(()) };
    let known = scope(&row, "consents")?;
    let left: Vec<&str> = known.tokens().filter(|one| !scopes.contains(one)).collect();
    let left = Scope::parse(&left.join(" ")).unwrap_or_default();
    if left.is_empty() {
        return forget_consent(tx, user, app).await;
    }
    let query = sql("UPDATE consents SET scope = $3 WHERE user_id = $1 AND app_id = $2");
    tx.execute(query.bind(user).bind(app).bind(&left)).await?;
    tx.touch(Topic::Consents);
    Ok(())
}
