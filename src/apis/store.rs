//! The rows of APIs.

use chrono::{DateTime, Utc};

use crate::apis::check::normal;
use crate::apis::model::NewApi;
use crate::base::id::{AccountId, ApiId};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::{Columns, Filter};

const APIS: &str = "apis";

/// What policies may ask of an API as a resource.
pub(in crate::apis) const COLUMNS: Columns =
    Columns::new(&[("resource.id", "id"), ("resource.type", "'api'")]);
/// The first parameter that is free for the filter of [`of_account`].
pub(in crate::apis) const FIRST_FREE: usize = 4;

fn api(row: &Row) -> Result<NewApi, DbError> {
    Ok(NewApi {
        id: row.parsed(APIS, "id")?,
        account: row.parsed(APIS, "account_id")?,
        definition: row.json(APIS, "definition")?,
    })
}

/// The APIs of all accounts: what they say of themselves is public.
pub(in crate::apis) async fn all(db: impl Fetch) -> Result<Vec<NewApi>, DbError> {
    let rows = db.fetch_all(sql("SELECT id, account_id, definition FROM apis ORDER BY id")).await?;
    rows.iter().map(api).collect()
}

/// The API of this id, whosesoever it is.
pub(in crate::apis) async fn find(db: impl Fetch, id: &ApiId) -> Result<Option<NewApi>, DbError> {
    let query = sql("SELECT id, account_id, definition FROM apis WHERE id = $1").bind(id);
    db.fetch_optional(query).await?.as_ref().map(api).transpose()
}

/// A page of an account's APIs for which `filter` holds, by id.
pub(in crate::apis) async fn of_account(
    db: impl Fetch,
    account: &AccountId,
    (after, limit): (Option<&ApiId>, u32),
    filter: Filter,
) -> Result<Vec<NewApi>, DbError> {
    let query = built_sql(format!(
        "SELECT id, account_id, definition FROM apis
          WHERE account_id = $1 AND id > $2 AND {} ORDER BY id LIMIT ($3 + 0)",
        filter.sql
    ));
    let after = after.map(ApiId::as_str).unwrap_or_default();
    let query = query.bind(account).bind(after).bind(limit).bind_all(filter.params);
    db.fetch_all(query).await?.iter().map(api).collect()
}

/// How many the account has, and how many there are.
pub(in crate::apis) async fn counts(
    db: impl Fetch,
    account: &AccountId,
) -> Result<(i64, i64), DbError> {
    let query = sql("SELECT count(*) AS many,
                            count(CASE WHEN account_id = $1 THEN 1 END) AS own FROM apis");
    let row = db.fetch_optional(query.bind(account)).await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get("own")?, row.get("many")?)))
}

/// Adds an API.
pub(in crate::apis) async fn insert(
    tx: &mut Tx<'_>,
    new: &NewApi,
    definition: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO apis (id, account_id, identifier, definition, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $5)")
        .bind(&new.id)
        .bind(&new.account)
        .bind(normal(&new.definition.identifier))
        .bind(definition)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Apis);
    Ok(())
}

/// Changes an API of that account, or answers `false`.
pub(in crate::apis) async fn update(
    tx: &mut Tx<'_>,
    new: &NewApi,
    definition: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("UPDATE apis SET identifier = $3, definition = $4, updated_at = $5
                  WHERE id = $1 AND account_id = $2")
            .bind(&new.id)
            .bind(&new.account)
            .bind(normal(&new.definition.identifier))
            .bind(definition)
            .bind(now),
        )
        .await?;
    tx.touch(Topic::Apis);
    Ok(written.affected == 1)
}

/// Removes an API of that account, or answers `false`.
pub(in crate::apis) async fn delete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &ApiId,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM apis WHERE id = $1 AND account_id = $2").bind(id).bind(account);
    let written = tx.execute(query).await?;
    tx.touch(Topic::Apis);
    Ok(written.affected == 1)
}
