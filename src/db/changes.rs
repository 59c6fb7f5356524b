//! What changed since a cache last looked.
//!
//! A unit of work that changes what caches hold says so with `tx.touch(topic)`: a counter in the
//! database counts up in the same transaction, and the counter in this process counts up right
//! after the commit. Other processes see the first by polling.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _};

/// A family of rows that caches hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Signing keys.
    Keys,
    /// Users and their credentials.
    Users,
    /// Sessions that ended.
    Sessions,
    /// Accounts, groups, members and their attributes.
    Accounts,
    /// Policies.
    Policies,
    /// Registered apps.
    Apps,
    /// Grants and tokens that were revoked.
    Grants,
    /// What users consented to.
    Consents,
    /// What has to be delivered.
    Jobs,
    /// Providers of others.
    Providers,
    /// APIs of others.
    Apis,
    /// Keys and service accounts.
    Programs,
}

const TOPICS: [Topic; 12] = [
    Topic::Keys,
    Topic::Users,
    Topic::Sessions,
    Topic::Accounts,
    Topic::Policies,
    Topic::Apps,
    Topic::Grants,
    Topic::Consents,
    Topic::Jobs,
    Topic::Providers,
    Topic::Apis,
    Topic::Programs,
];

impl Topic {
    /// Its name in the table.
    pub(in crate::db) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::Accounts => "accounts",
            Self::Policies => "policies",
            Self::Apps => "apps",
            Self::Grants => "grants",
            Self::Consents => "consents",
            Self::Jobs => "jobs",
            Self::Providers => "providers",
            Self::Apis => "apis",
            Self::Programs => "programs",
        }
    }
}

/// The counters of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    epochs: [AtomicU64; TOPICS.len()],
    seen: [AtomicI64; TOPICS.len()],
    told: [Notify; TOPICS.len()],
}

impl Changes {
    /// How often `topic` has changed, as far as this process knows.
    #[expect(clippy::indexing_slicing, reason = "a topic's number is its place in TOPICS")]
    pub fn epoch(&self, topic: Topic) -> u64 {
        self.0.epochs[topic as usize].load(Ordering::Acquire)
    }

    #[expect(clippy::indexing_slicing, reason = "a topic's number is its place in TOPICS")]
    fn bump(&self, topic: Topic) {
        self.0.epochs[topic as usize].fetch_add(1, Ordering::AcqRel);
        self.0.told[topic as usize].notify_one();
    }

    /// Waits for the next change of `topic`; one since the last call counts, too. For one waiter
    /// in a process.
    #[expect(clippy::indexing_slicing, reason = "a topic's number is its place in TOPICS")]
    pub async fn next(&self, topic: Topic) {
        self.0.told[topic as usize].notified().await;
    }

    pub(in crate::db) fn bump_all(&self, touched: &[Topic]) {
        for topic in touched {
            self.bump(*topic);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a topic's number is its place in TOPICS")]
    pub(in crate::db) async fn poll(&self, db: &Db) -> Result<(), DbError> {
        let rows = match db.fetch_all(sql("SELECT topic, seq FROM changes")).await {
            Ok(rows) => rows,
            Err(error) => {
                // What cannot be checked is not to be trusted.
                self.bump_all(&TOPICS);
                return Err(error);
            }
        };
        for row in rows {
            let (name, seq) = (row.get::<String>("topic")?, row.get::<i64>("seq")?);
            if let Some(topic) = TOPICS.into_iter().find(|topic| topic.name() == name)
                && self.0.seen[topic as usize].swap(seq, Ordering::AcqRel) != seq
            {
                self.bump(topic);
            }
        }
        Ok(())
    }
}
