//! Groups and their members as the people of an account change them, in SQL.

use chrono::{DateTime, Utc};

use crate::accounts::model::{Group, Purpose};
use crate::accounts::store;
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;

/// The first parameter that is free for a filter of [`people`].
pub(in crate::accounts) const PEOPLE_FIRST_FREE: usize = 4;

fn users(rows: &[Row]) -> Result<Vec<UserId>, DbError> {
    rows.iter().map(|row| row.parsed("group_members", "user_id")).collect()
}

/// How many groups the account has.
pub(in crate::accounts) async fn count_groups(
    db: impl Fetch,
    account: &AccountId,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS number FROM account_groups WHERE account_id = $1");
    let row = db.fetch_optional(query.bind(account)).await?;
    row.map_or(Ok(0), |row| row.get("number"))
}

/// The account's group that is there for this.
pub(in crate::accounts) async fn group_for(
    db: impl Fetch,
    account: &AccountId,
    purpose: Purpose,
) -> Result<Option<Group>, DbError> {
    let query =
        sql("SELECT id, account_id, name, description, type, purpose, created_at, updated_at
           FROM account_groups WHERE account_id = $1 AND purpose = $2");
    let row = db.fetch_optional(query.bind(account).bind(purpose.as_str())).await?;
    row.as_ref().map(store::read_group).transpose()
}

/// Says what the account's group is there for from the beginning.
pub(in crate::accounts) async fn set_purpose(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, purpose): (&GroupId, Purpose),
) -> Result<(), DbError> {
    let query = sql("UPDATE account_groups SET purpose = $3 WHERE account_id = $1 AND id = $2");
    tx.execute(query.bind(account).bind(group).bind(purpose.as_str())).await?;
    Ok(())
}

/// Deletes the account's group with its memberships; `true` to exactly one caller.
pub(in crate::accounts) async fn delete_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    group: &GroupId,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM account_groups
          WHERE account_id = $1 AND id = $2 AND purpose IS NULL");
    Ok(tx.execute(query.bind(account).bind(group)).await?.affected == 1)
}

/// A page of the members of the account's group, by id.
pub(in crate::accounts) async fn members(
    db: impl Fetch,
    account: &AccountId,
    group: &GroupId,
    (after, limit): (Option<&UserId>, u32),
) -> Result<Vec<UserId>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT user_id FROM group_members
                  WHERE account_id = $1 AND group_id = $2 AND user_id > $3
                  ORDER BY user_id LIMIT ($4 + 0)")
            .bind(account)
            .bind(group)
            .bind(after.map(UserId::as_str).unwrap_or_default())
            .bind(limit),
        )
        .await?;
    users(&rows)
}

/// A page of the people of the account for whom `filter` holds, by id.
pub(in crate::accounts) async fn people(
    db: impl Fetch,
    account: &AccountId,
    (after, limit): (Option<&UserId>, u32),
    filter: Filter,
) -> Result<Vec<UserId>, DbError> {
    let rows = db
        .fetch_all(
            built_sql(format!(
                "SELECT DISTINCT m.user_id FROM group_members m
                  WHERE m.account_id = $1 AND m.user_id > $2 AND {}
                  ORDER BY m.user_id LIMIT ($3 + 0)",
                filter.sql
            ))
            .bind(account)
            .bind(after.map(UserId::as_str).unwrap_or_default())
            .bind(limit)
            .bind_all(filter.params),
        )
        .await?;
    users(&rows)
}

/// Adds a user to the account's group, unless they are in it; whether they were not.
pub(in crate::accounts) async fn add(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("INSERT INTO group_members (account_id, group_id, user_id, joined_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (group_id, user_id) DO NOTHING");
    let added = tx.execute(query.bind(account).bind(group).bind(user).bind(now)).await?;
    Ok(added.affected == 1)
}

/// Takes a user out of the account's group; whether they were in it.
pub(in crate::accounts) async fn remove(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
) -> Result<bool, DbError> {
    let query =
        sql("DELETE FROM group_members WHERE account_id = $1 AND group_id = $2 AND user_id = $3");
    Ok(tx.execute(query.bind(account).bind(group).bind(user)).await?.affected == 1)
}

/// Takes a user out of all groups of the account, with all that it knows of them; whether they
/// were in one.
pub(in crate::accounts) async fn remove_from_all(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &UserId,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM group_members WHERE account_id = $1 AND user_id = $2");
    let left = tx.execute(query.bind(account).bind(user)).await?;
    let query = sql("DELETE FROM member_attributes WHERE account_id = $1 AND user_id = $2");
    tx.execute(query.bind(account).bind(user)).await?;
    let query = sql("DELETE FROM patient_mappings WHERE account_id = $1 AND user_id = $2");
    tx.execute(query.bind(account).bind(user)).await?;
    Ok(left.affected > 0)
}
