//! The table of policies.

use crate::base::id::AccountId;
use crate::db::error::DbError;
use crate::db::query::{Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;
use crate::policy::model::Policy;

fn policy(row: &Row) -> Result<Policy, DbError> {
    Ok(Policy {
        name: row.get("name")?,
        document: row.json("policies", "document")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Name and text of every policy of the account, by name.
pub(in crate::policy) async fn texts(
    db: impl Fetch,
    account: &AccountId,
) -> Result<Vec<(String, String)>, DbError> {
    let query = sql("SELECT name, document FROM policies WHERE account_id = $1 ORDER BY name");
    let rows = db.fetch_all(query.bind(account)).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.get("document")?))).collect()
}

/// At most `limit` policies of the account that pass `filter`, by name, those after `after`.
///
/// The parameters of `filter` start at `$4`.
pub(in crate::policy) async fn list(
    db: impl Fetch,
    account: &AccountId,
    after: &str,
    limit: u32,
    filter: Filter,
) -> Result<Vec<Policy>, DbError> {
    let query = built_sql(format!(
        "SELECT name, document, created_at, updated_at
           FROM policies
          WHERE account_id = $1 AND name > $2 AND {}
          ORDER BY name
          LIMIT ($3 + 0)",
        filter.sql
    ));
    let rows =
        db.fetch_all(query.bind(account).bind(after).bind(limit).bind_all(filter.params)).await?;
    rows.iter().map(policy).collect()
}

/// The policy of the account that is called `name`.
pub(in crate::policy) async fn find(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
) -> Result<Option<Policy>, DbError> {
    let query = sql("SELECT name, document, created_at, updated_at
                       FROM policies
                      WHERE account_id = $1 AND name = $2");
    db.fetch_optional(query.bind(account).bind(name)).await?.as_ref().map(policy).transpose()
}

/// How many policies the account has.
pub(in crate::policy) async fn count(db: impl Fetch, account: &AccountId) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS found FROM policies WHERE account_id = $1");
    let row = db.fetch_optional(query.bind(account)).await?;
    row.map_or(Ok(0), |row| row.get("found"))
}

/// Writes a new policy; [`DbError::Duplicate`] if there is one of that name.
pub(in crate::policy) async fn insert(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Policy,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO policies (account_id, name, document, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5)")
        .bind(account)
        .bind(&policy.name)
        .bind(policy.document.to_string())
        .bind(policy.created_at)
        .bind(policy.updated_at),
    )
    .await?;
    Ok(())
}

/// Writes a policy over the one called `name`, which may be another name than its own;
/// [`DbError::Duplicate`] if that one is taken.
pub(in crate::policy) async fn update(
    tx: &mut Tx<'_>,
    account: &AccountId,
    name: &str,
    policy: &Policy,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE policies SET name = $3, document = $4, updated_at = $5
              WHERE account_id = $1 AND name = $2")
        .bind(account)
        .bind(name)
        .bind(&policy.name)
        .bind(policy.document.to_string())
        .bind(policy.updated_at),
    )
    .await?;
    Ok(())
}

/// Removes the policy of that name; whether there was one.
pub(in crate::policy) async fn delete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    name: &str,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM policies WHERE account_id = $1 AND name = $2");
    Ok(tx.execute(query.bind(account).bind(name)).await?.affected == 1)
}
