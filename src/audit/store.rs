//! Entries and the heads of their chains in the database.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::audit::chain;
use crate::audit::model::{Entry, Erasable, Wanted};
use crate::base::clock::micros;
use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Param, Query, Row, built_sql, sql};
use crate::db::{Fetch, Tx};

const TABLE: &str = "audit_entries";

/// What entries are about whose target is a person.
const PERSONAL: [&str; 2] = ["user", "sign-in"];

/// What an entry is about that says that a chain begins.
pub(in crate::audit) const BEGUN: &str = "audit";

/// Appends an entry to its chain, and tells its number.
///
/// The head's row is locked until the transaction ends: no two entries get one number.
pub(in crate::audit) async fn append(tx: &mut Tx<'_>, entry: &mut Entry) -> Result<i64, DbError> {
    let head = tx
        .fetch_optional(
            sql("INSERT INTO audit_heads (chain, seq, digest) VALUES ($1, 1, $2)
                 ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq + 1
                 RETURNING seq, digest")
            .bind(&entry.chain)
            .bind(chain::START),
        )
        .await?
        .ok_or(DbError::Closed)?;
    entry.seq = head.get("seq")?;
    let digest = chain::digest(read_digest(&head, "digest")?, entry);
    tx.execute(insert(entry, digest)).await?;
    tx.execute(
        sql("UPDATE audit_heads SET digest = $2 WHERE chain = $1").bind(&entry.chain).bind(digest),
    )
    .await?;
    Ok(entry.seq)
}

fn insert(entry: &Entry, digest: Digest) -> Query {
    sql("INSERT INTO audit_entries (chain, seq, at, user_id, app_id, key_id, request_id, action,
                kind, target, outcome, reason, times, detail, detail_digest, origin,
                origin_digest, digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)")
    .bind(&entry.chain)
    .bind(entry.seq)
    .bind(micros(entry.at))
    .bind(entry.user.clone())
    .bind(entry.app.clone())
    .bind(entry.key.clone())
    .bind(entry.request.clone())
    .bind(&entry.action)
    .bind(&entry.kind)
    .bind(&entry.target)
    .bind(&entry.outcome)
    .bind(entry.reason.clone())
    .bind(entry.times)
    .bind(entry.detail.text.clone())
    .bind(entry.detail.digest)
    .bind(entry.origin.text.clone())
    .bind(entry.origin.digest)
    .bind(digest)
}

/// Entries of one chain after the number `after`, in order, with their digests.
pub(in crate::audit) async fn stretch(
    db: impl Fetch,
    chain: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<(Entry, Digest)>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT * FROM audit_entries WHERE chain = $1 AND seq > $2
                  ORDER BY seq LIMIT ($3 + 0)")
            .bind(chain)
            .bind(after)
            .bind(limit),
        )
        .await?;
    rows.iter().map(|row| Ok((read(row)?, read_digest(row, "digest")?))).collect()
}

/// The entries of one chain that are asked for, the latest first.
pub(in crate::audit) async fn list(
    db: impl Fetch,
    chain: &str,
    since: DateTime<Utc>,
    wanted: &Wanted,
) -> Result<Vec<Entry>, DbError> {
    let mut params: Vec<Param> = vec![chain.into(), since.max(wanted.from.unwrap_or(since)).into()];
    let mut text = "SELECT * FROM audit_entries WHERE chain = $1 AND at >= $2".to_owned();
    let texts = [
        (" AND user_id = $", &wanted.user),
        (" AND app_id = $", &wanted.app),
        (" AND kind = $", &wanted.kind),
        (" AND target = $", &wanted.target),
        (" AND outcome = $", &wanted.outcome),
    ];
    let mut add = |condition: &str, value: Param| {
        params.push(value);
        let _ = write!(text, "{condition}{}", params.len());
    };
    for (condition, value) in texts {
        if let Some(value) = value {
            add(condition, value.into());
        }
    }
    if let Some(until) = wanted.until {
        add(" AND at < $", until.into());
    }
    if let Some(before) = wanted.before {
        add(" AND seq < $", before.into());
    }
    add(" ORDER BY seq DESC LIMIT (0 + $", wanted.limit.into());
    text.push(')');
    db.fetch_all(built_sql(text).bind_all(params)).await?.iter().map(read).collect()
}

/// Erases where a user's acts came from, and what changed about them.
pub(in crate::audit) async fn forget(tx: &mut Tx<'_>, user: &UserId) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE audit_entries SET origin = NULL WHERE user_id = $1 AND origin IS NOT NULL")
            .bind(user),
    )
    .await?;
    // What failed in a user's name was not proven to be theirs; where it came from goes, too.
    for kind in PERSONAL {
        let query = sql("UPDATE audit_entries SET detail = NULL, origin = NULL
                          WHERE kind = $1 AND target = $2
                            AND (detail IS NOT NULL OR origin IS NOT NULL)");
        tx.execute(query.bind(kind).bind(user)).await?;
    }
    Ok(())
}

/// The names of all chains, with a head or without.
pub(in crate::audit) async fn chains(db: impl Fetch) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT chain FROM audit_heads UNION SELECT chain FROM audit_entries
                      ORDER BY chain");
    db.fetch_all(query).await?.iter().map(|row| row.get("chain")).collect()
}

/// The names of the chains that the entries of no account say were begun.
pub(in crate::audit) async fn begun(db: impl Fetch) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT target FROM audit_entries
                      WHERE chain = '' AND kind = $1 AND action = 'C' ORDER BY seq")
    .bind(BEGUN);
    db.fetch_all(query).await?.iter().map(|row| row.get("target")).collect()
}

/// The head of a chain: number and digest of its last entry.
pub(in crate::audit) async fn head(
    db: impl Fetch,
    chain: &str,
) -> Result<Option<(i64, Digest)>, DbError> {
    let query = sql("SELECT seq, digest FROM audit_heads WHERE chain = $1").bind(chain);
    let row = db.fetch_optional(query).await?;
    row.map(|row| Ok((row.get("seq")?, read_digest(&row, "digest")?))).transpose()
}

fn read(row: &Row) -> Result<Entry, DbError> {
    let erasable = |text: &'static str, digest: &'static str| {
        let bytes: Option<Vec<u8>> = row.get(digest)?;
        let digest = bytes.map(|bytes| of_slice(&bytes, digest)).transpose()?;
        Ok::<_, DbError>(Erasable { text: row.get(text)?, digest })
    };
    Ok(Entry {
        chain: row.get("chain")?,
        seq: row.get("seq")?,
        at: row.time("at")?,
        user: row.get("user_id")?,
        app: row.get("app_id")?,
        key: row.get("key_id")?,
        request: row.get("request_id")?,
        action: row.get("action")?,
        kind: row.get("kind")?,
        target: row.get("target")?,
        outcome: row.get("outcome")?,
        reason: row.get("reason")?,
        times: row.get("times")?,
        detail: erasable("detail", "detail_digest")?,
        origin: erasable("origin", "origin_digest")?,
    })
}

fn read_digest(row: &Row, column: &'static str) -> Result<Digest, DbError> {
    of_slice(&row.get::<Vec<u8>>(column)?, column)
}

fn of_slice(bytes: &[u8], column: &'static str) -> Result<Digest, DbError> {
    Digest::from_slice(bytes).ok_or(DbError::CorruptRow { table: TABLE, column })
}
