//! Service accounts in the database.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, AppId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::programs::model::{Described, ServiceAccount};

const TABLE: &str = "service_accounts";

pub(in crate::programs) async fn insert(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    described: &Described,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO service_accounts (user_id, account_id, name, description, created_at,
                    updated_at)
             VALUES ($1, $2, $3, $4, $5, $5)")
        .bind(user)
        .bind(account)
        .bind(&described.name)
        .bind(described.description.clone())
        .bind(now),
    )
    .await?;
    Ok(())
}

/// How many an account has.
pub(in crate::programs) async fn count(
    db: impl Fetch,
    account: &AccountId,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS services FROM service_accounts WHERE account_id = $1");
    let row = db.fetch_optional(query.bind(account)).await?;
    row.map_or(Ok(0), |row| row.get("services"))
}

/// Those of an account, by id.
pub(in crate::programs) async fn list(
    db: impl Fetch,
    account: &AccountId,
    after: Option<&UserId>,
    limit: u32,
) -> Result<Vec<ServiceAccount>, DbError> {
    let query = sql("SELECT * FROM service_accounts WHERE account_id = $1 AND user_id > $2
                      ORDER BY user_id LIMIT ($3 + 0)")
    .bind(account)
    .bind(after.map_or("", UserId::as_str))
    .bind(limit);
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// One of an account.
pub(in crate::programs) async fn find(
    db: impl Fetch,
    account: &AccountId,
    user: &UserId,
) -> Result<Option<ServiceAccount>, DbError> {
    let query = sql("SELECT * FROM service_accounts WHERE account_id = $1 AND user_id = $2");
    let row = db.fetch_optional(query.bind(account).bind(user)).await?;
    row.as_ref().map(read).transpose()
}

/// The one for which an app acts, unless it is disabled.
pub(in crate::programs) async fn of_app(
    db: impl Fetch,
    app: &AppId,
) -> Result<Option<ServiceAccount>, DbError> {
    let query = sql("SELECT s.* FROM service_accounts s
                       JOIN apps a ON a.id = s.app_id AND a.account_id = s.account_id
                      WHERE s.app_id = $1 AND s.disabled_at IS NULL");
    let row = db.fetch_optional(query.bind(app)).await?;
    row.as_ref().map(read).transpose()
}

/// Writes what may change of one.
pub(in crate::programs) async fn update(
    tx: &mut Tx<'_>,
    changed: &ServiceAccount,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE service_accounts
                SET name = $3, description = $4, app_id = $5, updated_at = $7,
                    disabled_at = CASE WHEN $6 = 0 THEN NULL ELSE COALESCE(disabled_at, $7) END
              WHERE account_id = $1 AND user_id = $2")
        .bind(&changed.account)
        .bind(&changed.user)
        .bind(&changed.name)
        .bind(changed.description.clone())
        .bind(changed.app.as_ref())
        .bind(changed.is_disabled)
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Removes one, with its user, keys and memberships.
pub(in crate::programs) async fn delete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &UserId,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM users WHERE id = (
                        SELECT user_id FROM service_accounts
                         WHERE account_id = $1 AND user_id = $2)");
    Ok(tx.execute(query.bind(account).bind(user)).await?.affected == 1)
}

fn read(row: &Row) -> Result<ServiceAccount, DbError> {
    let app: Option<String> = row.get("app_id")?;
    let app = app.map(|app| app.parse()).transpose();
    Ok(ServiceAccount {
        user: row.parsed(TABLE, "user_id")?,
        account: row.parsed(TABLE, "account_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        app: app.map_err(|_| DbError::CorruptRow { table: TABLE, column: "app_id" })?,
        is_disabled: row.optional_time("disabled_at")?.is_some(),
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
