//! The rows of accounts, groups and members.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::accounts::model::{Account, Group, Membership, NewAccount, NewGroup};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Query, Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;

/// The first parameter that is free for a filter of [`groups`].
pub(in crate::accounts) const GROUPS_FIRST_FREE: usize = 5;

const GROUP: &str = "account_groups";

macro_rules! group_columns {
    () => {
        "id, account_id, name, description, type, purpose, created_at, updated_at FROM account_groups"
    };
}

/// The account, if there is one.
pub(in crate::accounts) async fn account(
    db: impl Fetch,
    id: &AccountId,
) -> Result<Option<Account>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT id, name, description, owner, type, products, requires_second_factor,
                        deletion_at, created_at, updated_at
                   FROM accounts WHERE id = $1")
            .bind(id),
        )
        .await?;
    row.as_ref().map(read_account).transpose()
}

/// The accounts that the user is a member of, by id.
pub(in crate::accounts) async fn accounts_of(
    db: impl Fetch,
    user: &UserId,
) -> Result<Vec<Account>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id, name, description, owner, type, products, requires_second_factor,
                        deletion_at, created_at, updated_at
                   FROM accounts
                  WHERE id IN (SELECT account_id FROM group_members WHERE user_id = $1)
                  ORDER BY id")
            .bind(user),
        )
        .await?;
    rows.iter().map(read_account).collect()
}

/// The user's groups in the account, what it knows of them, and which Patients they are; `None`
/// without a group.
pub(in crate::accounts) async fn membership(
    db: impl Fetch,
    account: &AccountId,
    user: &UserId,
) -> Result<Option<Membership>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT m.group_id AS item, a.attributes, 'group' AS kind
                   FROM group_members m
                   LEFT JOIN member_attributes a
                     ON a.account_id = m.account_id AND a.user_id = m.user_id
                  WHERE m.account_id = $1 AND m.user_id = $2
                  UNION ALL
                 SELECT DISTINCT p.patient_id, CAST(NULL AS TEXT), 'patient'
                   FROM patient_mappings p
                  WHERE p.account_id = $1 AND p.user_id = $2
                  ORDER BY kind, item")
            .bind(account)
            .bind(user),
        )
        .await?;
    let (mut groups, mut patients) = (Vec::new(), Vec::new());
    for row in &rows {
        if row.get::<String>("kind")? == "group" {
            groups.push(row.parsed("group_members", "item")?);
        } else {
            patients.push(row.parsed("patient_mappings", "item")?);
        }
    }
    let Some(first) = rows.first().filter(|_| !groups.is_empty()) else { return Ok(None) };
    let attributes = match first.get::<Option<String>>("attributes")? {
        None => Map::new(),
        Some(_) => first.json("member_attributes", "attributes")?,
    };
    Ok(Some(Membership { groups, attributes, patients }))
}

/// What the account knows of the user, as it is stored.
pub(in crate::accounts) async fn attributes(
    db: impl Fetch,
    account: &AccountId,
    user: &UserId,
) -> Result<Option<Map<String, Value>>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT attributes FROM member_attributes WHERE account_id = $1 AND user_id = $2")
                .bind(account)
                .bind(user),
        )
        .await?;
    row.map(|row| row.json("member_attributes", "attributes")).transpose()
}

/// A page of the account's groups for which `filter` holds, by id.
pub(in crate::accounts) async fn groups(
    db: impl Fetch,
    account: &AccountId,
    (name_prefix, after, limit): (&str, Option<&GroupId>, u32),
    filter: Filter,
) -> Result<Vec<Group>, DbError> {
    let rows = db
        .fetch_all(
            built_sql(format!(
                "SELECT g.id, g.account_id, g.name, g.description, g.type, g.purpose,
                        g.created_at, g.updated_at
                   FROM account_groups g
                  WHERE g.account_id = $1 AND g.id > $2
                    AND substr(g.name, 1, length($3)) = $3 AND {}
                  ORDER BY g.id LIMIT ($4 + 0)",
                filter.sql
            ))
            .bind(account)
            .bind(after.map(GroupId::as_str).unwrap_or_default())
            .bind(name_prefix)
            .bind(limit)
            .bind_all(filter.params),
        )
        .await?;
    rows.iter().map(read_group).collect()
}

/// The account's group of this id.
pub(in crate::accounts) async fn group(
    db: impl Fetch,
    account: &AccountId,
    id: &GroupId,
) -> Result<Option<Group>, DbError> {
    let query = sql(concat!("SELECT ", group_columns!(), " WHERE account_id = $1 AND id = $2"));
    one_group(db, query.bind(account).bind(id)).await
}

/// The account's group of this name.
pub(in crate::accounts) async fn group_named(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
) -> Result<Option<Group>, DbError> {
    let query = sql(concat!("SELECT ", group_columns!(), " WHERE account_id = $1 AND name = $2"));
    one_group(db, query.bind(account).bind(name)).await
}

async fn one_group(db: impl Fetch, query: Query) -> Result<Option<Group>, DbError> {
    db.fetch_optional(query).await?.as_ref().map(read_group).transpose()
}

/// A page of all members of the account, by id.
pub(in crate::accounts) async fn member_ids(
    db: impl Fetch,
    account: &AccountId,
    after: Option<&UserId>,
    limit: u32,
) -> Result<Vec<UserId>, DbError> {
    let after = after.map(UserId::as_str).unwrap_or_default();
    let query = sql("SELECT DISTINCT user_id FROM group_members
                      WHERE account_id = $1 AND user_id > $2 ORDER BY user_id LIMIT ($3 + 0)");
    let rows = db.fetch_all(query.bind(account).bind(after).bind(limit)).await?;
    rows.iter().map(|row| row.parsed("group_members", "user_id")).collect()
}

/// The members of the account's group, by id.
pub(in crate::accounts) async fn members(
    db: impl Fetch,
    account: &AccountId,
    group: &GroupId,
) -> Result<Vec<UserId>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT user_id FROM group_members
                  WHERE account_id = $1 AND group_id = $2 ORDER BY user_id")
            .bind(account)
            .bind(group),
        )
        .await?;
    rows.iter().map(|row| row.parsed("group_members", "user_id")).collect()
}

/// Adds an account.
pub(in crate::accounts) async fn insert_account(
    tx: &mut Tx<'_>,
    account: &NewAccount,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO accounts
               (id, name, description, owner, type, status, deletion_at, created_at, updated_at,
                requires_second_factor, products)
             VALUES ($1, $2, $3, $4, $5, 'ACTIVE', NULL, $6, $6, $7, $8)")
        .bind(&account.id)
        .bind(&account.name)
        .bind(account.description.clone())
        .bind(account.owner.clone())
        .bind(account.kind.as_str())
        .bind(now)
        .bind(account.requires_second_factor)
        .bind(products(account)),
    )
    .await?;
    Ok(())
}

/// Changes what an account says of itself.
pub(in crate::accounts) async fn update_account(
    tx: &mut Tx<'_>,
    account: &NewAccount,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE accounts
                SET name = $2, description = $3, owner = $4, type = $5, updated_at = $6,
                    requires_second_factor = $7, products = $8
              WHERE id = $1")
        .bind(&account.id)
        .bind(&account.name)
        .bind(account.description.clone())
        .bind(account.owner.clone())
        .bind(account.kind.as_str())
        .bind(now)
        .bind(account.requires_second_factor)
        .bind(products(account)),
    )
    .await?;
    Ok(())
}

/// Adds a group to the account.
pub(in crate::accounts) async fn insert_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, group): (&GroupId, &NewGroup),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO account_groups
               (id, account_id, name, description, type, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)")
        .bind(id)
        .bind(account)
        .bind(&group.name)
        .bind(group.description.clone())
        .bind(group.kind.as_str())
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Changes the account's group.
pub(in crate::accounts) async fn update_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, group): (&GroupId, &NewGroup),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE account_groups SET name = $3, description = $4, type = $5, updated_at = $6
              WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id)
        .bind(&group.name)
        .bind(group.description.clone())
        .bind(group.kind.as_str())
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Adds a user to the account's group.
pub(in crate::accounts) async fn insert_member(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO group_members (account_id, group_id, user_id, joined_at)
             VALUES ($1, $2, $3, $4)")
        .bind(account)
        .bind(group)
        .bind(user)
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Takes a user out of the account's group.
pub(in crate::accounts) async fn delete_member(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
) -> Result<(), DbError> {
    tx.execute(
        sql("DELETE FROM group_members WHERE account_id = $1 AND group_id = $2 AND user_id = $3")
            .bind(account)
            .bind(group)
            .bind(user),
    )
    .await?;
    Ok(())
}

/// Makes `json` what the account knows of the user.
pub(in crate::accounts) async fn put_attributes(
    tx: &mut Tx<'_>,
    account: &AccountId,
    user: &UserId,
    json: &str,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO member_attributes (account_id, user_id, attributes) VALUES ($1, $2, $3)
             ON CONFLICT (account_id, user_id) DO UPDATE SET attributes = excluded.attributes")
        .bind(account)
        .bind(user)
        .bind(json),
    )
    .await?;
    Ok(())
}

fn products(account: &NewAccount) -> String {
    json!(account.products).to_string()
}

pub(in crate::accounts) fn read_account(row: &Row) -> Result<Account, DbError> {
    Ok(Account {
        id: row.parsed("accounts", "id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        owner: row.get("owner")?,
        kind: row.parsed("accounts", "type")?,
        products: row.json("accounts", "products")?,
        requires_second_factor: row.flag("requires_second_factor")?,
        deletion_at: row.optional_time("deletion_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(in crate::accounts) fn read_group(row: &Row) -> Result<Group, DbError> {
    let purpose = match row.get::<Option<String>>("purpose")? {
        Some(_) => Some(row.parsed(GROUP, "purpose")?),
        None => None,
    };
    Ok(Group {
        id: row.parsed(GROUP, "id")?,
        account: row.parsed(GROUP, "account_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        kind: row.parsed(GROUP, "type")?,
        purpose,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
