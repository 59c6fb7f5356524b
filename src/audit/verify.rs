//! Whether the record is what was written: every number is there, every digest covers the one
//! before, the last is the head's.

use crate::audit::chain::{self, START};
use crate::audit::model::Entry;
use crate::audit::store;
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
    /// There was such a chain, and it is gone.
    #[error("the whole chain is missing")]
    Gone,
}

/// Looks at all entries of all chains, chain by chain, as they were when each was begun.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn verify(db: &Db) -> Result<Vec<Found>, DbError> {
    let mut found = Vec::new();
    for name in store::chains(db).await? {
        found.push(chain(db, &name).await?);
    }
    for name in store::begun(db).await? {
        if !found.iter().any(|found| found.chain == name) {
            found.push(Found {
                chain: name,
                entries: 0,
                head: START,
                fault: Some((1, Fault::Gone)),
            });
        }
    }
    Ok(found)
}

async fn chain(db: &Db, name: &str) -> Result<Found, DbError> {
    // The head is read first: entries that are added meanwhile are not looked at.
    let (last, head) = store::head(db, name).await?.unwrap_or((0, START));
    let (mut seq, mut before) = (0, START);
    let found = |entries, fault| Found { chain: name.to_owned(), entries, head, fault };
    while seq < last {
        let stretch = store::stretch(db, name, seq, STRETCH).await?;
        if stretch.is_empty() {
            return Ok(found(seq, Some((seq + 1, Fault::Missing))));
        }
        for (entry, digest) in stretch.into_iter().take_while(|(entry, _)| entry.seq <= last) {
            if let Some(fault) = fault(seq, before, &entry, digest) {
                return Ok(found(seq, Some((seq + 1, fault))));
            }
            (seq, before) = (entry.seq, digest);
        }
    }
    if before != head || (last == 0 && !store::stretch(db, name, 0, 1).await?.is_empty()) {
        return Ok(found(seq, Some((seq, Fault::Head))));
    }
    Ok(found(seq, None))
}

fn fault(seq: i64, before: Digest, entry: &Entry, digest: Digest) -> Option<Fault> {
    if entry.seq != seq + 1 {
        return Some(Fault::Missing);
    }
    if chain::digest(before, entry) != digest {
        return Some(Fault::Changed);
    }
    (!entry.detail.is_whole() || !entry.origin.is_whole()).then_some(Fault::DetailChanged)
}
