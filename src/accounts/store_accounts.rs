//! Accounts as their people make, change and delete them, in SQL.
//!
//! Time parts what may race: taking a deletion back works before the end of the grace period,
//! purging after it. Each repeats that in its `WHERE`.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, UserId};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};

fn ids(rows: &[Row]) -> Result<Vec<AccountId>, DbError> {
    rows.iter().map(|row| row.parsed("accounts", "id")).collect()
}

/// Whether the id was that of an account that was deleted.
pub(in crate::accounts) async fn is_gone(db: impl Fetch, id: &AccountId) -> Result<bool, DbError> {
    let query = sql("SELECT gone_at FROM gone_accounts WHERE id = $1").bind(id);
    Ok(db.fetch_optional(query).await?.is_some())
}

/// How many accounts somebody made that are still there.
pub(in crate::accounts) async fn count_of(
    db: impl Fetch,
    creator: &UserId,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS number FROM accounts WHERE created_by = $1").bind(creator);
    db.fetch_optional(query).await?.map_or(Ok(0), |row| row.get("number"))
}

/// Notes who made the account.
pub(in crate::accounts) async fn set_creator(
    tx: &mut Tx<'_>,
    account: &AccountId,
    creator: &UserId,
) -> Result<(), DbError> {
    let query = sql("UPDATE accounts SET created_by = $2 WHERE id = $1");
    tx.execute(query.bind(account).bind(creator)).await?;
    Ok(())
}

/// What an account says of itself: name, description, owner.
pub(in crate::accounts) type Texts<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// Changes what an account says of itself.
pub(in crate::accounts) async fn set_texts(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (name, description, owner): Texts<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE accounts SET name = $2, description = $3, owner = $4, updated_at = $5
          WHERE id = $1");
    let query = query.bind(account).bind(name).bind(description).bind(owner).bind(now);
    tx.execute(query).await?;
    tx.touch(Topic::Accounts);
    Ok(())
}

/// Sets the end of the grace period, unless there is one; `true` to exactly one caller.
pub(in crate::accounts) async fn ask_deletion(
    tx: &mut Tx<'_>,
    account: &AccountId,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE accounts
            SET status = 'PENDING_DELETION', deletion_at = $2, updated_at = $3
          WHERE id = $1 AND deletion_at IS NULL");
    if tx.execute(query.bind(account).bind(at).bind(now)).await?.affected != 1 {
        return Ok(false);
    }
    let query = sql("INSERT INTO account_deletions (account_id, asked_at) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET asked_at = $2, reminded_at = NULL");
    tx.execute(query.bind(account).bind(now)).await?;
    tx.touch(Topic::Accounts);
    Ok(true)
}

/// Takes it back, as long as the grace period lasts; `true` to exactly one caller.
pub(in crate::accounts) async fn cancel_deletion(
    tx: &mut Tx<'_>,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE accounts SET status = 'ACTIVE', deletion_at = NULL, updated_at = $2
          WHERE id = $1 AND deletion_at > $2");
    if tx.execute(query.bind(account).bind(now)).await?.affected != 1 {
        return Ok(false);
    }
    let query = sql("DELETE FROM account_deletions WHERE account_id = $1");
    tx.execute(query.bind(account)).await?;
    tx.touch(Topic::Accounts);
    Ok(true)
}

/// Which accounts will be deleted before `until`, and their owners were not reminded of it.
pub(in crate::accounts) async fn to_remind(
    db: impl Fetch,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<AccountId>, DbError> {
    let query = sql("SELECT a.id FROM accounts a JOIN account_deletions d ON d.account_id = a.id
          WHERE a.deletion_at > $1 AND a.deletion_at <= $2 AND d.reminded_at IS NULL
          ORDER BY a.deletion_at LIMIT ($3 + 0)");
    ids(&db.fetch_all(query.bind(now).bind(until).bind(limit)).await?)
}

/// Notes that an owner is reminded; `true` to exactly one caller.
pub(in crate::accounts) async fn remind(
    tx: &mut Tx<'_>,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE account_deletions SET reminded_at = $2
          WHERE account_id = $1 AND reminded_at IS NULL");
    Ok(tx.execute(query.bind(account).bind(now)).await?.affected == 1)
}

/// Whose grace period is over.
pub(in crate::accounts) async fn due(
    db: impl Fetch,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AccountId>, DbError> {
    let query = sql("SELECT id FROM accounts WHERE deletion_at <= $1
          ORDER BY deletion_at LIMIT ($2 + 0)");
    ids(&db.fetch_all(query.bind(now).bind(limit)).await?)
}

/// What belongs to an account and may be so much that it is deleted bit by bit, with the topics
/// of what goes with it. An app takes its grants along: one at a time.
pub(in crate::accounts) const PIECES: &[(&str, &[Topic])] = &[
    (
        "DELETE FROM apps WHERE account_id = $1 AND id IN (
            SELECT a.id FROM apps a JOIN accounts c ON c.id = a.account_id
             WHERE c.id = $1 AND c.deletion_at <= $2 ORDER BY a.id LIMIT 1)",
        &[Topic::Apps, Topic::Grants, Topic::Consents],
    ),
    (
        "DELETE FROM projects WHERE account_id = $1 AND id IN (
            SELECT p.id FROM projects p JOIN accounts c ON c.id = p.account_id
             WHERE c.id = $1 AND c.deletion_at <= $2 ORDER BY p.id LIMIT 200)",
        &[],
    ),
    (
        "DELETE FROM account_groups WHERE account_id = $1 AND id IN (
            SELECT g.id FROM account_groups g JOIN accounts c ON c.id = g.account_id
             WHERE c.id = $1 AND c.deletion_at <= $2 ORDER BY g.id LIMIT 20)",
        &[Topic::Accounts],
    ),
    (
        "DELETE FROM member_attributes WHERE account_id = $1 AND user_id IN (
            SELECT m.user_id FROM member_attributes m JOIN accounts c ON c.id = m.account_id
             WHERE c.id = $1 AND c.deletion_at <= $2 ORDER BY m.user_id LIMIT 200)",
        &[Topic::Accounts],
    ),
    (
        "DELETE FROM policies WHERE account_id = $1 AND name IN (
            SELECT p.name FROM policies p JOIN accounts c ON c.id = p.account_id
             WHERE c.id = $1 AND c.deletion_at <= $2 ORDER BY p.name LIMIT 200)",
        &[Topic::Policies],
    ),
];

/// Deletes a bit of an account whose grace period is over; `false` if there was none.
pub(in crate::accounts) async fn delete_piece(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (statement, topics): (&'static str, &[Topic]),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let deleted = tx.execute(sql(statement).bind(account).bind(now)).await?;
    for topic in topics {
        tx.touch(*topic);
    }
    Ok(deleted.affected > 0)
}

/// Deletes an account whose grace period is over, with whatever still refers to it, and keeps its
/// id from being given again; `true` to exactly one caller.
pub(in crate::accounts) async fn purge(
    tx: &mut Tx<'_>,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM accounts WHERE id = $1 AND deletion_at <= $2");
    if tx.execute(query.bind(account).bind(now)).await?.affected != 1 {
        return Ok(false);
    }
    let query = sql("INSERT INTO gone_accounts (id, gone_at) VALUES ($1, $2)");
    tx.execute(query.bind(account).bind(now)).await?;
    for topic in [
        Topic::Accounts,
        Topic::Policies,
        Topic::Apps,
        Topic::Grants,
        Topic::Consents,
        Topic::Providers,
    ] {
        tx.touch(topic);
    }
    Ok(true)
}

/// The ids of all accounts.
pub(in crate::accounts) async fn all_ids(db: impl Fetch) -> Result<Vec<AccountId>, DbError> {
    ids(&db.fetch_all(sql("SELECT id FROM accounts ORDER BY id")).await?)
}
