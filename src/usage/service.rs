//! Counting, writing what was counted, and telling it.

use crate::base::id::AccountId;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::usage::counters::Counters;
use crate::usage::model::{Batch, Day, Line, Wanted};
use crate::usage::store;

/// What accounts use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Usage {
    ctx: Ctx,
    counters: Counters,
}

impl Usage {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx) -> Self {
        Self { ctx: ctx.clone(), counters: Counters::default() }
    }

    /// Where calls are counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Today.
    pub fn today(&self) -> Day {
        Day::of(self.ctx.now())
    }

    /// Adds what was counted to the database, all of it or nothing; what could not be written is
    /// counted on.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn flush(&self) -> Result<(), DbError> {
        let batch = self.counters.take();
        if batch.is_empty() {
            return Ok(());
        }
        let input = sorted(batch.clone());
        let unit = self.ctx.db.write(input, |tx, batch| Box::pin(store::add(tx, batch)));
        unit.await.inspect_err(|_| self.counters.put_back(batch))
    }

    /// Notes how much lies in each account today.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn weigh(&self) -> Result<(), DbError> {
        store::weigh(&self.ctx.db, self.today()).await
    }

    /// The lines of an account that are asked for, the latest day first.
    ///
    /// What was counted by this node up to now is among them; of other nodes, up to their last flush.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn lines(&self, account: &AccountId, wanted: &Wanted) -> Result<Vec<Line>, DbError> {
        self.flush().await?;
        let mut lines = store::lines(&self.ctx.db, account, wanted).await?;
        let today = self.today();
        for line in lines.iter_mut().filter(|line| !wanted.by_app && line.day == today) {
            line.bytes = Some(store::bytes_now(&self.ctx.db, account).await?);
        }
        Ok(lines)
    }
}

/// In one order on all nodes: rows are locked in it.
fn sorted(mut batch: Batch) -> Batch {
    batch
        .calls
        .sort_by(|(a, _), (b, _)| (&a.account, a.day, &a.app).cmp(&(&b.account, b.day, &b.app)));
    batch.users.sort_by(|(a, u), (b, v)| {
        (&a.account, a.day, &a.app, u).cmp(&(&b.account, b.day, &b.app, v))
    });
    batch
}
