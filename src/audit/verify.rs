//! Whether the record is what was written: every number is there, every digest covers the one
//! before, the last is the head's.

use crate::audit::chain::{self, START};
use crate::audit::model::Entry;
use crate::audit::store::{self, Gone, Head, PERSONAL};
use crate::base::mac::MacKey;
use crate::base::secret::Digest;
use crate::db::Db;
use crate::db::error::DbError;

/// How many entries are read at once.
const STRETCH: u32 = 1_000;

/// What was found in one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The account, or nothing.
    pub chain: String,
    /// How many entries were looked at.
    pub entries: i64,
    /// The digest of the last of them.
    pub head: Digest,
    /// The first thing that is wrong, and at which number.
    pub fault: Option<(i64, Fault)>,
}

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A number is not there.
    #[error("an entry is missing")]
    Missing,
    /// An entry, or the one before, is not what was written.
    #[error("the entry was changed, or the one before it")]
    Changed,
    /// The text beside an entry is not what was written.
    #[error("the details of the entry were changed")]
    DetailChanged,
    /// Entries stand after the last one that the head knows.
    #[error("the head of the chain was changed")]
    Head,
    /// The end of the chain was not written by this server.
    #[error("the head of the chain was not written by this server")]
    Unsealed,
    /// An entry has a number that the chain did not give.
    #[error("an entry stands before the first or after the last")]
    Outside,
    /// What is only erased of people who are gone is not there.
    #[error("the details of the entry were erased")]
    Blank,
    /// There was such a chain, and it is gone.
    #[error("the whole chain is missing")]
    Gone,
}

/// Looks at all entries of all chains, chain by chain, as they were when each was begun; with a key,
/// at what seals their ends, too.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn verify(db: &Db, key: Option<&MacKey>) -> Result<Vec<Found>, DbError> {
    let mut found = Vec::new();
    let gone = store::gone(db).await?;
    for name in store::chains(db).await? {
        found.push(chain(db, &name, key, &gone).await?);
    }
    for name in store::begun(db).await? {
        if !found.iter().any(|found| found.chain == name) {
            found.push(missing(name));
        }
    }
    Ok(found)
}

/// What is to be said of a chain that should be there.
pub fn missing(chain: String) -> Found {
    Found { chain, entries: 0, head: START, fault: Some((1, Fault::Gone)) }
}

async fn chain(db: &Db, name: &str, key: Option<&MacKey>, gone: &Gone) -> Result<Found, DbError> {
    // The head is read first: entries that are added meanwhile are not looked at.
    let none = Head { seq: 0, digest: START, swept: (0, START), mac: None };
    let head = store::head(db, name).await?.unwrap_or(none);
    let (last, end) = (head.seq, head.digest);
    let (mut seq, mut before) = head.swept;
    let first = seq;
    let found = |at: i64, fault| {
        let entries = at - first;
        Found { chain: name.to_owned(), entries, head: end, fault }
    };
    while seq < last {
        let stretch = store::stretch(db, name, seq, STRETCH).await?;
        if stretch.is_empty() {
            return Ok(found(seq, Some((seq + 1, Fault::Missing))));
        }
        for (entry, digest) in stretch.into_iter().take_while(|(entry, _)| entry.seq <= last) {
            if let Some(fault) = fault((seq, before), &entry, digest, gone) {
                return Ok(found(seq, Some((seq + 1, fault))));
            }
            (seq, before) = (entry.seq, digest);
        }
    }
    if before != end {
        return Ok(found(seq, Some((seq, Fault::Head))));
    }
    if let Some(other) = store::outside(db, name).await? {
        return Ok(found(seq, Some((other, Fault::Outside))));
    }
    let is_sealed = key.is_none_or(|key| head.mac == Some(head.seal(name, key)));
    Ok(found(seq, (!is_sealed).then_some((seq, Fault::Unsealed))))
}

fn fault(
    (seq, before): (i64, Digest),
    entry: &Entry,
    digest: Digest,
    gone: &Gone,
) -> Option<Fault> {
    if entry.seq != seq + 1 {
        return Some(Fault::Missing);
    }
    if chain::digest(before, entry) != digest {
        return Some(Fault::Changed);
    }
    if !entry.detail.is_whole() || !entry.origin.is_whole() {
        return Some(Fault::DetailChanged);
    }
    let is_about = PERSONAL.contains(&&*entry.kind) && gone.users.contains(&entry.target);
    let is_by = entry.user.as_ref().is_some_and(|user| gone.users.contains(user));
    let is_blank =
        (entry.detail.is_blank() && !is_about) || (entry.origin.is_blank() && !is_about && !is_by);
    let is_known = gone.since.is_none_or(|since| entry.at >= since);
    (is_blank && is_known).then_some(Fault::Blank)
}
