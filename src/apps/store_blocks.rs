//! The rows of accounts that keep apps out.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::apps::blocks::Usable;
use crate::apps::manage::AppQuery;
use crate::apps::store::{columns, read};
use crate::base::id::{AccountId, AppId};
use crate::db::error::DbError;
use crate::db::query::{built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;

pub(in crate::apps) use crate::apps::manage::COLUMNS;

/// The first parameter that is free for the filter of [`list`].
pub(in crate::apps) const FIRST_FREE: usize = 5;

/// The accounts that keep an app out.
pub(in crate::apps) async fn of_app(
    db: impl Fetch,
    app: &AppId,
) -> Result<BTreeSet<AccountId>, DbError> {
    let query = sql("SELECT account_id FROM app_blocks WHERE app_id = $1").bind(app);
    let rows = db.fetch_all(query).await?;
    rows.iter().map(|row| row.parsed("app_blocks", "account_id")).collect()
}

/// A page of the apps that are not switched off and whose allow-list has the account, by id.
pub(in crate::apps) async fn list(
    db: impl Fetch,
    account: &AccountId,
    query: &AppQuery,
    filter: Filter,
) -> Result<Vec<Usable>, DbError> {
    let statement = built_sql(format!(
        concat!(
            "SELECT ",
            columns!(),
            ", CAST(CASE WHEN b.app_id IS NULL THEN 0 ELSE 1 END AS BIGINT) AS blocked
               FROM apps a LEFT JOIN (SELECT app_id FROM app_blocks WHERE account_id = $1) b
                    ON b.app_id = a.id
              WHERE a.disabled = 0 AND a.id > $2 AND substr(a.title, 1, length($3)) = $3
                AND (a.allowed_accounts IS NULL OR a.allowed_accounts LIKE '%\"' || $1 || '\"%')
                AND {}
              ORDER BY a.id LIMIT ($4 + 0)"
        ),
        filter.sql
    ));
    let statement = statement
        .bind(account)
        .bind(query.after.as_ref().map_or("", AppId::as_str))
        .bind(query.title_prefix.as_deref().unwrap_or_default())
        .bind(query.limit)
        .bind_all(filter.params);
    let rows = db.fetch_all(statement).await?;
    let usable = |row| Ok(Usable { app: read(row)?, is_blocked: row.flag("blocked")? });
    rows.iter().map(usable).collect()
}

/// Keeps an app out; `false` if it was kept out before.
pub(in crate::apps) async fn insert(
    tx: &mut Tx<'_>,
    (app, account): (&AppId, &AccountId),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("INSERT INTO app_blocks (app_id, account_id, created_at) VALUES ($1, $2, $3)
                     ON CONFLICT (app_id, account_id) DO NOTHING");
    Ok(tx.execute(query.bind(app).bind(account).bind(now)).await?.affected == 1)
}

/// Lets an app in again; `false` if it was not kept out.
pub(in crate::apps) async fn delete(
    tx: &mut Tx<'_>,
    (app, account): (&AppId, &AccountId),
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM app_blocks WHERE app_id = $1 AND account_id = $2");
    Ok(tx.execute(query.bind(app).bind(account)).await?.affected == 1)
}
