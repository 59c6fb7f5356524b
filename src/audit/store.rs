//! Entries and the heads of their chains in the database.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::audit::chain;
use crate::audit::model::{Entry, Erasable, Wanted};
use crate::base::clock::micros;
use crate::base::id::UserId;
use crate::base::mac::MacKey;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Param, Query, Row, built_sql, sql};
use crate::db::{Db, Fetch, Tx};

const TABLE: &str = "audit_entries";

/// What entries are about whose target is a person.
pub(in crate::audit) const PERSONAL: [&str; 2] = ["user", "sign-in"];

/// What an entry is about that says that a chain begins.
pub(in crate::audit) const BEGUN: &str = "audit";

/// The end of a chain: number and digest of its last entry, and of the last that was removed by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::audit) struct Head {
    pub(in crate::audit) seq: i64,
    pub(in crate::audit) digest: Digest,
    pub(in crate::audit) swept: (i64, Digest),
    /// What authenticates the others.
    pub(in crate::audit) mac: Option<Digest>,
}

impl Head {
    /// What authenticates this head of `chain`.
    pub(in crate::audit) fn seal(&self, chain: &str, key: &MacKey) -> Digest {
        let (seq, swept) = (self.seq.to_be_bytes(), self.swept.0.to_be_bytes());
        key.mac(&[chain.as_bytes(), &seq, &self.digest.0, &swept, &self.swept.1.0])
    }
}

fn read_head(row: &Row) -> Result<Head, DbError> {
    let digest = |column: &'static str| {
        let bytes: Option<Vec<u8>> = row.get(column)?;
        bytes.map(|bytes| of_slice(&bytes, column)).transpose()
    };
    let swept = (row.get("swept_seq")?, digest("swept_digest")?.unwrap_or(chain::START));
    let (seq, own) = (row.get("seq")?, read_digest(row, "digest")?);
    Ok(Head { seq, digest: own, swept, mac: digest("mac")? })
}

/// Appends an entry to its chain, and tells its number.
///
/// The head's row is locked until the transaction ends: no two entries get one number.
pub(in crate::audit) async fn append(
    tx: &mut Tx<'_>,
    key: Option<&MacKey>,
    entry: &mut Entry,
) -> Result<i64, DbError> {
    let row = tx
        .fetch_optional(
            sql("INSERT INTO audit_heads (chain, seq, digest) VALUES ($1, 1, $2)
                 ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq + 1
                 RETURNING seq, digest, swept_seq, swept_digest, mac")
            .bind(&entry.chain)
            .bind(chain::START),
        )
        .await?
        .ok_or(DbError::Closed)?;
    let mut head = read_head(&row)?;
    entry.seq = head.seq;
    head.digest = chain::digest(head.digest, entry);
    tx.execute(insert(entry, head.digest)).await?;
    write_head(tx, &entry.chain, key, &head).await?;
    Ok(entry.seq)
}

/// Writes the end of a chain down, sealed.
async fn write_head(
    tx: &mut Tx<'_>,
    chain: &str,
    key: Option<&MacKey>,
    head: &Head,
) -> Result<(), DbError> {
    let query = sql("UPDATE audit_heads
                        SET digest = $2, swept_seq = $3, swept_digest = $4, mac = $5
                      WHERE chain = $1");
    let query = query.bind(chain).bind(head.digest).bind(head.swept.0).bind(head.swept.1);
    tx.execute(query.bind(key.map(|key| head.seal(chain, key)))).await?;
    Ok(())
}

/// Seals the end of each chain, as it is.
pub(in crate::audit) async fn seal_all(tx: &mut Tx<'_>, key: &MacKey) -> Result<(), DbError> {
    for chain in chains(&mut *tx).await? {
        if let Some(head) = head(&mut *tx, &chain).await? {
            write_head(tx, &chain, Some(key), &head).await?;
        }
    }
    Ok(())
}

/// Chains whose first entry is older than `before`, and not their last.
pub(in crate::audit) async fn old(
    db: impl Fetch,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT h.chain AS chain FROM audit_heads h
                       JOIN audit_entries e ON e.chain = h.chain AND e.seq = h.swept_seq + 1
                      WHERE h.seq > e.seq AND e.at < $1 LIMIT ($2 + 0)");
    let rows = db.fetch_all(query.bind(before).bind(limit)).await?;
    rows.iter().map(|row| row.get("chain")).collect()
}

/// Removes at most `limit` entries of a chain that are older than `before`, from the first on; says
/// how many. The last entry of a chain stays.
pub(in crate::audit) async fn sweep(
    tx: &mut Tx<'_>,
    (chain, key): (&str, Option<&MacKey>),
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, DbError> {
    // The lock of whoever appends.
    let lock = sql("UPDATE audit_heads SET seq = seq WHERE chain = $1").bind(chain);
    tx.execute(lock).await?;
    let Some(mut head) = head(&mut *tx, chain).await? else { return Ok(0) };
    let last = (head.swept.0 + limit).min(head.seq - 1);
    // Entries are in the order of their writing, and their times nearly so.
    let query = sql("SELECT MIN(seq) AS seq FROM audit_entries WHERE chain = $1 AND seq > $2
                        AND seq <= $3 AND at >= $4");
    let query = query.bind(chain).bind(head.swept.0).bind(last).bind(before);
    let row = tx.fetch_optional(query).await?;
    let young: Option<i64> = row.map(|row| row.get("seq")).transpose()?.flatten();
    let end = young.map_or(last, |seq| seq - 1);
    if end <= head.swept.0 {
        return Ok(0);
    }
    let query = sql("SELECT digest FROM audit_entries WHERE chain = $1 AND seq = $2");
    let row = tx.fetch_optional(query.bind(chain).bind(end)).await?;
    // What is missing is for `verify` to tell.
    let Some(row) = row else { return Ok(0) };
    head.swept = (end, read_digest(&row, "digest")?);
    write_head(tx, chain, key, &head).await?;
    let query = sql("DELETE FROM audit_entries WHERE chain = $1 AND seq <= $2");
    Ok(tx.execute(query.bind(chain).bind(end)).await?.affected)
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
        (" AND key_id = $", &wanted.key),
        (" AND request_id = $", &wanted.request),
        (" AND action = $", &wanted.action),
        (" AND reason = $", &wanted.reason),
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

/// The end of a chain.
pub(in crate::audit) async fn head(db: impl Fetch, chain: &str) -> Result<Option<Head>, DbError> {
    let query = sql("SELECT seq, digest, swept_seq, swept_digest, mac FROM audit_heads
                      WHERE chain = $1");
    db.fetch_optional(query.bind(chain)).await?.as_ref().map(read_head).transpose()
}

/// The number of an entry that stands before the first of its chain, or after the last.
pub(in crate::audit) async fn outside(db: impl Fetch, chain: &str) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT MIN(e.seq) AS seq FROM audit_entries e
                       LEFT JOIN audit_heads h ON h.chain = e.chain
                      WHERE e.chain = $1
                        AND (e.seq > COALESCE(h.seq, 0) OR e.seq <= COALESCE(h.swept_seq, 0))");
    let row = db.fetch_optional(query.bind(chain)).await?;
    Ok(row.map(|row| row.get::<Option<i64>>("seq")).transpose()?.flatten())
}

/// The users who are gone, as the record has it: what it told of them was erased.
#[derive(Clone, Debug, Default)]
pub(in crate::audit) struct Gone {
    /// Who.
    pub(in crate::audit) users: BTreeSet<String>,
    /// Of those who went before, nothing is known any more.
    pub(in crate::audit) since: Option<DateTime<Utc>>,
}

/// Who is gone.
pub(in crate::audit) async fn gone(db: &Db) -> Result<Gone, DbError> {
    let query = sql("SELECT target FROM audit_entries
                      WHERE chain = '' AND kind = 'user' AND action = 'D'");
    let rows = db.fetch_all(query).await?;
    let users = rows.iter().map(|row| row.get("target")).collect::<Result<_, _>>()?;
    let query =
        sql("SELECT e.at AS at FROM audit_entries e JOIN audit_heads h ON h.chain = e.chain
                      WHERE e.chain = '' AND h.swept_seq > 0 AND e.seq = h.swept_seq + 1");
    let row = db.fetch_optional(query).await?;
    Ok(Gone { users, since: row.map(|row| row.time("at")).transpose()? })
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
