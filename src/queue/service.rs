//! Writing jobs, taking them, and saying how they went.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::queue::model::{Dead, Fate, Job, Lane, Undelivered};
use crate::queue::store;

/// Writes a job in the transaction of the act that causes it; it is taken up after the commit.
///
/// Secrets in `payload` have to be sealed by the vault.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn push(
    tx: &mut Tx<'_>,
    kind: &'static str,
    payload: &Value,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    store::insert(tx, kind, payload.to_string(), now).await
}

/// The jobs in this database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue {
    ctx: Ctx,
}

impl Queue {
    /// The jobs in this database.
    pub fn new(ctx: &Ctx) -> Self {
        Self { ctx: ctx.clone() }
    }

    /// Waits until a job was pushed, of whichever lane, here or by another process. One that comes
    /// while nobody waits is told to whoever waits next.
    pub async fn pushed(&self) {
        self.ctx.db.changes().next(Topic::Jobs).await;
    }

    /// Takes up to `limit` jobs of a lane that are due. Nobody else gets them until the lease ends.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn lease(&self, lane: Lane, limit: usize) -> Result<Vec<Job>, DbError> {
        let (db, now) = (&self.ctx.db, self.ctx.now());
        if limit == 0 || !store::is_any_due(db, lane, now).await? {
            return Ok(Vec::new());
        }
        store::lease(db, lane, i64::try_from(limit).unwrap_or(i64::MAX), now).await
    }

    /// Notes how an attempt went, unless its lease ended meanwhile and the job is somebody else's.
    ///
    /// # Errors
    /// [`DbError`] if storage fails: the job is taken again when its lease ends.
    pub async fn settle(
        &self,
        job: &Job,
        outcome: Result<(), Undelivered>,
    ) -> Result<Fate, DbError> {
        let fate = Fate::after(job.attempt, outcome);
        if !store::settle(&self.ctx.db, job, fate, self.ctx.now()).await? {
            tracing::warn!(job = job.id, kind = job.kind, "an attempt took longer than its lease");
        }
        Ok(fate)
    }

    /// The jobs that were given up, the oldest first, a bounded number of them.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn dead(&self) -> Result<Vec<Dead>, DbError> {
        store::dead(&self.ctx.db).await
    }

    /// Tries jobs that were given up once more, from the first attempt on: the one with this
    /// number, or all. Says how many there are.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn revive(&self, id: Option<i64>) -> Result<u64, DbError> {
        let input = (id, self.ctx.now());
        self.ctx.db.write(input, |tx, (id, now)| Box::pin(store::revive(tx, *id, *now))).await
    }

    /// Deletes a bounded number of jobs that were given up long ago, and says how many.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        store::sweep(&self.ctx.db, self.ctx.now()).await
    }
}
