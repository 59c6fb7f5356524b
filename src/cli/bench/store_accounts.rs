//! Many accounts at once, for the load that goes from one to the next: rows, without the rules that
//! a declaration of so many would be held against.

use serde::Serialize;

use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _};

/// Groups of each account.
pub const GROUPS: i64 = 50;
/// Policies of each account.
pub const POLICIES: i64 = 20;
/// Users who are each in one group of an account.
pub const USERS: i64 = 100;
/// Projects of each account.
pub const PROJECTS: i64 = 20;

macro_rules! numbers {
    () => {
        "WITH RECURSIVE a(i) AS (SELECT ($1 + 0) UNION ALL SELECT i + 1 FROM a WHERE i + 1 < $2),
              k(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM k WHERE j + 1 < $3) "
    };
}

const ACCOUNTS: &str = concat!(
    "INSERT INTO accounts (id, name, type, status, created_at, updated_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT), 'Neighbour', 'PAID', 'ACTIVE', 0, 0 FROM a, k"
);

const ACCOUNT_GROUPS: &str = concat!(
    "INSERT INTO account_groups (id, account_id, name, type, created_at, updated_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT) || '-g' || CAST(j AS TEXT), 'n' || CAST(i AS TEXT),
            'Group ' || CAST(j AS TEXT), 'CLOSED', 0, 0 FROM a, k"
);

const ACCOUNT_POLICIES: &str = concat!(
    "INSERT INTO policies (account_id, name, document, created_at, updated_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT), 'Policy ' || CAST(j AS TEXT),
            '{\"rules\":{\"readData\":[{\"user.groups\":{\"comparison\":\"includes\",\"value\":\"n'
              || CAST(i AS TEXT) || '-g' || CAST(j AS TEXT)
              || '\"},\"resource.dataset\":{\"comparison\":\"in\",\"value\":[\"n'
              || CAST(i AS TEXT) || '-p' || CAST(j AS TEXT) || '\"]}}]}}', 0, 0 FROM a, k"
);

const ACCOUNT_PROJECTS: &str = concat!(
    "INSERT INTO projects (id, account_id, name, status, created_at, updated_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT) || '-p' || CAST(j AS TEXT), 'n' || CAST(i AS TEXT),
            'Project ' || CAST(j AS TEXT), 'ACTIVE', 0, 0 FROM a, k"
);

const ACCOUNT_USERS: &str = concat!(
    "INSERT INTO users (id, username, username_key, email_verified, attributes, status,
                        created_at, updated_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT) || '-u' || CAST(j AS TEXT),
            'n' || CAST(i AS TEXT) || '-u' || CAST(j AS TEXT),
            'n' || CAST(i AS TEXT) || '-u' || CAST(j AS TEXT), 0, '{}', 'active', 0, 0 FROM a, k"
);

const ACCOUNT_MEMBERS: &str = concat!(
    "INSERT INTO group_members (account_id, group_id, user_id, joined_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT),
            'n' || CAST(i AS TEXT) || '-g' || CAST(j % 50 AS TEXT),
            'n' || CAST(i AS TEXT) || '-u' || CAST(j AS TEXT), 0 FROM a, k"
);

/// The id of an account.
pub fn account_id(account: i64) -> String {
    format!("n{account}")
}

/// The id of a user, who is in one group with few others.
pub fn user_id(account: i64, user: i64) -> String {
    format!("n{account}-u{user}")
}

/// Whether the policies let a user read a project.
pub fn may_read(user: i64) -> bool {
    user % GROUPS < POLICIES
}

/// The id of that project.
pub fn project_id(account: i64, user: i64) -> String {
    format!("n{account}-p{}", user % GROUPS)
}

/// Adds the accounts numbered from `first` up to `end`.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn fill(db: &Db, range: (i64, i64)) -> Result<(), DbError> {
    db.write(range, |tx, (first, end)| {
        Box::pin(async move {
            for (statement, each) in [
                (ACCOUNTS, 1),
                (ACCOUNT_GROUPS, GROUPS),
                (ACCOUNT_POLICIES, POLICIES),
                (ACCOUNT_PROJECTS, PROJECTS),
                (ACCOUNT_USERS, USERS),
                (ACCOUNT_MEMBERS, USERS),
            ] {
                let query = sql(statement).bind(*first).bind(*end).bind(each);
                tx.execute(query).await?;
            }
            Ok(())
        })
    })
    .await
}

/// How much is in the database, of whomever.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rows {
    /// Accounts.
    pub accounts: i64,
    groups: i64,
    policies: i64,
    users: i64,
    members: i64,
    projects: i64,
}

/// Counts what is there.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn count(db: &Db) -> Result<Rows, DbError> {
    let query = sql("SELECT (SELECT COUNT(*) FROM accounts) AS accounts,
                            (SELECT COUNT(*) FROM account_groups) AS groups,
                            (SELECT COUNT(*) FROM policies) AS policies,
                            (SELECT COUNT(*) FROM users) AS users,
                            (SELECT COUNT(*) FROM group_members) AS members,
                            (SELECT COUNT(*) FROM projects) AS projects");
    let row = db.fetch_optional(query).await?.ok_or(DbError::Closed)?;
    Ok(Rows {
        accounts: row.get("accounts")?,
        groups: row.get("groups")?,
        policies: row.get("policies")?,
        users: row.get("users")?,
        members: row.get("members")?,
        projects: row.get("projects")?,
    })
}
