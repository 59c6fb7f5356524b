//! The table of what policies were.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::policy::model::{VERSIONS_MAX, Version};

/// Adds a version, numbered after the last one of that name; what is too old is forgotten. The
/// number of `version` does not matter.
///
/// Whoever calls it holds the lock of the account, or is the only writer.
pub(in crate::policy) async fn append(
    tx: &mut Tx<'_>,
    account: &AccountId,
    name: &str,
    version: &Version,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO policy_versions
               (account_id, name, version, change, document, other_name, changed_by, changed_at)
             SELECT $1, $2, COALESCE(MAX(version), 0) + 1, $3, $4, $5, $6, $7
               FROM policy_versions WHERE account_id = $1 AND name = $2")
        .bind(account)
        .bind(name)
        .bind(version.change.as_str())
        .bind(version.document.to_string())
        .bind(version.other_name.clone())
        .bind(version.changed_by.as_ref())
        .bind(version.changed_at),
    )
    .await?;
    tx.execute(
        sql("DELETE FROM policy_versions
              WHERE account_id = $1 AND name = $2
                AND version <= (SELECT MAX(version) FROM policy_versions
                                 WHERE account_id = $1 AND name = $2) - $3")
        .bind(account)
        .bind(name)
        .bind(VERSIONS_MAX),
    )
    .await?;
    Ok(())
}

/// At most `limit` versions of the policy, the newest first, those before `before`.
pub(in crate::policy) async fn list(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
    (before, limit): (i64, u32),
) -> Result<Vec<Version>, DbError> {
    let query = sql("SELECT version, change, document, other_name, changed_by, changed_at
                       FROM policy_versions
                      WHERE account_id = $1 AND name = $2 AND version < $3
                      ORDER BY version DESC LIMIT ($4 + 0)");
    let rows = db.fetch_all(query.bind(account).bind(name).bind(before).bind(limit)).await?;
    rows.iter().map(read).collect()
}

/// One version of the policy.
pub(in crate::policy) async fn find(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
    number: i64,
) -> Result<Option<Version>, DbError> {
    let query = sql("SELECT version, change, document, other_name, changed_by, changed_at
                       FROM policy_versions
                      WHERE account_id = $1 AND name = $2 AND version = $3");
    let row = db.fetch_optional(query.bind(account).bind(name).bind(number)).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Version, DbError> {
    let changed_by: Option<String> = row.get("changed_by")?;
    Ok(Version {
        number: row.get("version")?,
        change: row.parsed("policy_versions", "change")?,
        document: row.json("policy_versions", "document")?,
        other_name: row.get("other_name")?,
        changed_by: changed_by.map(|_| row.parsed("policy_versions", "changed_by")).transpose()?,
        changed_at: row.time("changed_at")?,
    })
}

/// Whether there are versions of the policy after the one numbered `number`, all of them made by
/// `user`, and after an instant.
pub(in crate::policy) async fn are_all_by(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
    (user, (number, since)): (&UserId, (i64, DateTime<Utc>)),
) -> Result<bool, DbError> {
    let query = sql("SELECT COUNT(*) AS number,
                COALESCE(SUM(CASE WHEN changed_by = $4 AND changed_at > $5 THEN 1 ELSE 0 END), 0)
                    AS own
           FROM policy_versions
          WHERE account_id = $1 AND name = $2 AND version > $3");
    let query = query.bind(account).bind(name).bind(number).bind(user).bind(since);
    let Some(row) = db.fetch_optional(query).await? else { return Ok(false) };
    let (all, own): (i64, i64) = (row.get("number")?, row.get("own")?);
    Ok(all > 0 && all == own)
}
