//! Many accounts at once, for the load that goes from one to the next: rows, without the rules that
//! a declaration of so many would be held against.

use crate::db::error::DbError;
use crate::db::query::{Query, sql};
use crate::db::{Db, Tx};

/// Groups of each account.
pub const GROUPS: i64 = 50;
/// Policies of each account.
pub const POLICIES: i64 = 20;
/// Users who are in a group of each account, besides the load's own.
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

/// The load's own user is in the first group of every account.
const OWN_MEMBER: &str = concat!(
    "INSERT INTO group_members (account_id, group_id, user_id, joined_at) ",
    numbers!(),
    "SELECT 'n' || CAST(i AS TEXT), 'n' || CAST(i AS TEXT) || '-g0', u.id, 0
       FROM a, k, users u WHERE u.username_key = $4"
);

/// The id of a neighbour.
pub fn account_id(number: i64) -> String {
    format!("n{number}")
}

/// Adds the accounts numbered from `first` up to `end`, in all of which `username` is a member.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn fill(db: &Db, (first, end): (i64, i64), username: &str) -> Result<(), DbError> {
    db.write((first, end, username.to_owned()), |tx, (first, end, username)| {
        Box::pin(async move {
            for (statement, each) in [
                (ACCOUNTS, 1),
                (ACCOUNT_GROUPS, GROUPS),
                (ACCOUNT_POLICIES, POLICIES),
                (ACCOUNT_PROJECTS, PROJECTS),
                (ACCOUNT_USERS, USERS),
                (ACCOUNT_MEMBERS, USERS),
            ] {
                run(tx, sql(statement).bind(*first).bind(*end).bind(each)).await?;
            }
            let own = sql(OWN_MEMBER).bind(*first).bind(*end).bind(1_i64);
            run(tx, own.bind(username)).await
        })
    })
    .await
}

async fn run(tx: &mut Tx<'_>, query: Query) -> Result<(), DbError> {
    tx.execute(query).await.map(drop)
}
