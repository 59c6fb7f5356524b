//! Usage in the database.

use std::fmt::Write as _;

use crate::base::id::{AccountId, AppId};
use crate::db::error::DbError;
use crate::db::query::{Param, Row, built_sql, sql};
use crate::db::{Db, Fetch, Tx};
use crate::usage::model::{Batch, Count, Day, Line, Wanted};

fn app(app: Option<&AppId>) -> &str {
    app.map_or("", AppId::as_str)
}

/// Adds what was counted. What was counted for an account that is gone meanwhile is dropped.
pub(in crate::usage) async fn add(tx: &mut Tx<'_>, batch: &Batch) -> Result<(), DbError> {
    for (whose, count) in &batch.calls {
        tx.execute(
            sql("INSERT INTO usage_calls (account_id, day, app, calls, micros)
                 SELECT id, $2 + 0, $3, $4 + 0, $5 + 0 FROM accounts WHERE id = $1
                 ON CONFLICT (account_id, day, app) DO UPDATE
                    SET calls = usage_calls.calls + excluded.calls,
                        micros = usage_calls.micros + excluded.micros")
            .bind(&whose.account)
            .bind(whose.day.0)
            .bind(app(whose.app.as_ref()))
            .bind(count.calls)
            .bind(count.micros),
        )
        .await?;
    }
    for (whose, user) in &batch.users {
        tx.execute(
            sql("INSERT INTO usage_users (account_id, day, app, user_id)
                 SELECT id, $2 + 0, $3, $4 FROM accounts WHERE id = $1
                 ON CONFLICT DO NOTHING")
            .bind(&whose.account)
            .bind(whose.day.0)
            .bind(app(whose.app.as_ref()))
            .bind(user),
        )
        .await?;
    }
    Ok(())
}

/// What an account holds: names, descriptions, documents and attributes, as they are stored.
const WEIGHTS: &str = "
    SELECT account_id, SUM(bytes) AS bytes FROM (
        SELECT account_id, OCTET_LENGTH(name) + OCTET_LENGTH(COALESCE(description, '')) AS bytes
          FROM projects WHERE account_id = ACCOUNT
        UNION ALL
        SELECT account_id, OCTET_LENGTH(name) + OCTET_LENGTH(document)
          FROM policies WHERE account_id = ACCOUNT
        UNION ALL
        SELECT account_id, OCTET_LENGTH(name) + OCTET_LENGTH(COALESCE(description, ''))
          FROM account_groups WHERE account_id = ACCOUNT
        UNION ALL
        SELECT account_id, OCTET_LENGTH(attributes)
          FROM member_attributes WHERE account_id = ACCOUNT
        UNION ALL
        SELECT account_id, OCTET_LENGTH(title) + OCTET_LENGTH(COALESCE(description, ''))
          FROM apps WHERE account_id = ACCOUNT
    ) AS weights GROUP BY account_id";

pub(in crate::usage) async fn weigh(db: &Db, day: Day) -> Result<(), DbError> {
    let weights = WEIGHTS.replace("ACCOUNT", "account_id");
    let text = format!(
        "INSERT INTO usage_storage (account_id, day, bytes)
         SELECT account_id, $1 + 0, CAST(bytes AS BIGINT) FROM ({weights}) AS sums WHERE 1 = 1
         ON CONFLICT (account_id, day) DO UPDATE SET bytes = excluded.bytes"
    );
    db.write_one(built_sql(text).bind(day.0)).await.map(drop)
}

pub(in crate::usage) async fn bytes_now(db: &Db, account: &AccountId) -> Result<i64, DbError> {
    let weights = WEIGHTS.replace("ACCOUNT", "$1");
    let text = format!("SELECT CAST(bytes AS BIGINT) AS bytes FROM ({weights}) AS sums");
    let row = db.fetch_optional(built_sql(text).bind(account)).await?;
    row.map_or(Ok(0), |row| row.get("bytes"))
}

/// Lines of an account, the latest day first, then by app.
pub(in crate::usage) async fn lines(
    db: &Db,
    account: &AccountId,
    wanted: &Wanted,
) -> Result<Vec<Line>, DbError> {
    let group = if wanted.by_app { "c.day, c.app" } else { "c.day" };
    let (shown, of_app) = if wanted.by_app { ("c.app", " AND u.app = c.app") } else { ("''", "") };
    let of_wanted = if wanted.app.is_some() { " AND u.app = $4" } else { "" };
    let mut params: Vec<Param> = vec![account.into(), wanted.from.0.into(), wanted.until.0.into()];
    let mut text = format!(
        "SELECT c.day AS day, {shown} AS app, CAST(SUM(c.calls) AS BIGINT) AS calls,
                CAST(SUM(c.micros) AS BIGINT) AS micros,
                (SELECT COUNT(DISTINCT u.user_id) FROM usage_users u
                  WHERE u.account_id = $1 AND u.day = c.day{of_app}{of_wanted}) AS users,
                (SELECT s.bytes FROM usage_storage s
                  WHERE s.account_id = $1 AND s.day = c.day) AS bytes
           FROM usage_calls c
          WHERE c.account_id = $1 AND c.day >= $2 AND c.day <= $3"
    );
    if let Some(app) = &wanted.app {
        params.push(app.into());
        text.push_str(" AND c.app = $4");
    }
    if let Some((day, app)) = &wanted.after {
        let at = params.len() + 1;
        params.extend([day.0.into(), app.into()]);
        let or = if wanted.by_app {
            format!(" OR (c.day = ${at} AND c.app > ${})", at + 1)
        } else {
            // Bound all the same: PostgreSQL asks for the type of each value.
            format!(" OR (c.day = ${at} AND ${} IS NULL)", at + 1)
        };
        let _ = write!(text, " AND (c.day < ${at}{or})");
    }
    params.push(wanted.limit.into());
    let order = if wanted.by_app { "c.day DESC, c.app" } else { "c.day DESC" };
    let _ = write!(text, " GROUP BY {group} ORDER BY {order} LIMIT (${} + 0)", params.len());
    let rows = db.fetch_all(built_sql(text).bind_all(params)).await?;
    rows.iter().map(|row| read(row, wanted.by_app)).collect()
}

fn read(row: &Row, by_app: bool) -> Result<Line, DbError> {
    let app = if by_app { Some(row.get("app")?) } else { None };
    let bytes: Option<i64> = row.get("bytes")?;
    Ok(Line {
        day: Day(row.get("day")?),
        app,
        count: Count { calls: row.get("calls")?, micros: row.get("micros")? },
        users: row.get("users")?,
        bytes: bytes.filter(|_| !by_app),
    })
}
