//! Buckets of failed guesses, in SQL.

use chrono::{DateTime, Utc};

use crate::base::secret::Digest;
use crate::config::model::Throttle;
use crate::db::error::DbError;
use crate::db::query::{Written, sql};
use crate::db::{Db, Fetch as _, Tx};
use crate::users::throttle::{AfterSuccess, Buckets, Charge, Counting, Limits, stale_before};

/// Why an attempt is not charged.
#[derive(Debug)]
pub(in crate::users) enum ChargeError {
    /// A bucket is blocked until then.
    Blocked(DateTime<Utc>),
    /// Our fault.
    Internal(DbError),
}

impl From<DbError> for ChargeError {
    fn from(error: DbError) -> Self {
        Self::Internal(error)
    }
}

/// How an attempt that was charged ended, if not in failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum Outcome {
    /// What was guessed was right.
    Right,
    /// We had no room to look at it.
    NotLookedAt,
}

/// What one attempt asks for.
#[derive(Clone, Debug)]
pub(in crate::users) struct Attempt {
    pub(in crate::users) buckets: Buckets,
    pub(in crate::users) limits: Limits,
    pub(in crate::users) settings: Throttle,
    /// Whether it is the first failure of its network with its name; known once it was charged.
    pub(in crate::users) is_new_name: bool,
    pub(in crate::users) now: DateTime<Utc>,
}

/// Until when one of the buckets is blocked, if any is: a read, for attempts that would be refused.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn blocked(
    db: &Db,
    attempt: &Attempt,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let charges = &attempt.buckets.charges;
    let at = |at: usize| charges.get(at).or(charges.first()).map(|charge| charge.bucket.to_vec());
    let query = sql("SELECT blocked_until FROM throttle
                      WHERE (bucket = $1 OR bucket = $2 OR bucket = $3) AND blocked_until > $4
                      ORDER BY blocked_until DESC LIMIT 1")
    .bind(at(0))
    .bind(at(1))
    .bind(at(2))
    .bind(attempt.now);
    db.fetch_optional(query).await?.map(|row| row.time("blocked_until")).transpose()
}

/// Charges an attempt to all of its buckets, or to none if one of them is blocked. Says whether its
/// network fails with this name for the first time.
///
/// The first statement holds the bucket's row until the end of the unit, so attempts that race
/// are counted one after the other: none of them is free. All units take the rows in one order:
/// the mark, the user's, the address's, the network's.
///
/// # Errors
/// [`ChargeError::Blocked`], or [`ChargeError::Internal`] if a statement fails.
pub(in crate::users) async fn charge(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
) -> Result<bool, ChargeError> {
    let is_new_name = match attempt.buckets.mark {
        Some(mark) => count_own(tx, mark, attempt).await? == Some(1),
        None => false,
    };
    for charge in &attempt.buckets.charges {
        let counted = match charge.counting {
            Counting::Own => count_own(tx, charge.bucket, attempt).await?,
            Counting::Shared => count_shared(tx, charge, is_new_name, attempt).await?,
        };
        let Some(failures) = counted else {
            return Err(ChargeError::Blocked(blocked_until(tx, charge.bucket, attempt.now).await?));
        };
        let pause = attempt.limits.wait(charge, failures);
        if !pause.is_zero() {
            tx.execute(
                sql("UPDATE throttle SET blocked_until = $2 WHERE bucket = $1")
                    .bind(charge.bucket)
                    .bind(attempt.now + pause),
            )
            .await?;
        }
    }
    Ok(is_new_name)
}

/// Counts one failure, and answers how many there are; `None` if the bucket is blocked.
async fn count_own(
    tx: &mut Tx<'_>,
    bucket: Digest,
    attempt: &Attempt,
) -> Result<Option<i64>, DbError> {
    let counted = tx
        .execute(
            sql("INSERT INTO throttle (bucket, failures, blocked_until, updated_at)
                 VALUES ($1, 1, 0, $2)
                 ON CONFLICT (bucket) DO UPDATE SET
                     failures = CASE WHEN throttle.updated_at < $3 THEN 1
                                     ELSE throttle.failures + 1 END,
                     updated_at = $2
                 WHERE throttle.blocked_until <= $2
                 RETURNING failures")
            .bind(bucket)
            .bind(attempt.now)
            .bind(stale_before(attempt.now, &attempt.settings)),
        )
        .await?;
    counted.rows.first().map(|row| row.get("failures")).transpose()
}

/// Forgets what time has made good, then counts by weight; `None` if the bucket is blocked.
async fn count_shared(
    tx: &mut Tx<'_>,
    charge: &Charge,
    is_new_name: bool,
    attempt: &Attempt,
) -> Result<Option<i64>, DbError> {
    let counted = tx
        .execute(
            sql("INSERT INTO throttle (bucket, failures, blocked_until, updated_at)
                 VALUES ($1, $3, 0, $2)
                 ON CONFLICT (bucket) DO UPDATE SET
                     failures = CASE
                         WHEN throttle.failures > ($2 - throttle.updated_at) / $4
                         THEN throttle.failures - ($2 - throttle.updated_at) / $4
                         ELSE 0 END + $3,
                     updated_at = $2
                 WHERE throttle.blocked_until <= $2
                 RETURNING failures")
            .bind(charge.bucket)
            .bind(attempt.now)
            .bind(charge.weight(is_new_name))
            .bind(charge.forgets_in()),
        )
        .await?;
    counted.rows.first().map(|row| row.get("failures")).transpose()
}

async fn blocked_until(
    tx: &mut Tx<'_>,
    bucket: Digest,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbError> {
    let row = tx
        .fetch_optional(sql("SELECT blocked_until FROM throttle WHERE bucket = $1").bind(bucket))
        .await?;
    row.map_or(Ok(now), |row| row.time("blocked_until"))
}

/// Gives an attempt back that was no failure.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::users) async fn settle(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    outcome: Outcome,
) -> Result<(), DbError> {
    let was_name = match attempt.buckets.mark {
        Some(mark) => unmark(tx, mark, attempt, outcome).await?,
        None => false,
    };
    for charge in &attempt.buckets.charges {
        let resets = outcome == Outcome::Right && charge.after_success == AfterSuccess::Reset;
        let statement = if resets {
            sql("DELETE FROM throttle WHERE bucket = $1").bind(charge.bucket)
        } else {
            sql("UPDATE throttle
                    SET failures = CASE WHEN failures > $3 THEN failures - $3 ELSE 0 END,
                        blocked_until = CASE WHEN updated_at = $2 THEN 0 ELSE blocked_until END
                  WHERE bucket = $1")
            .bind(charge.bucket)
            .bind(attempt.now)
            .bind(charge.weight(was_name))
        };
        tx.execute(statement).await?;
    }
    Ok(())
}

/// Takes away the mark that its network failed with a name: somebody of that name is there after
/// all. Says whether there was one, so that what it weighed is given back.
async fn unmark(
    tx: &mut Tx<'_>,
    mark: Digest,
    attempt: &Attempt,
    outcome: Outcome,
) -> Result<bool, DbError> {
    if outcome == Outcome::NotLookedAt && !attempt.is_new_name {
        return Ok(false);
    }
    let query = sql("DELETE FROM throttle WHERE bucket = $1").bind(mark);
    Ok(tx.execute(query).await?.affected == 1)
}

/// Adds to what failed on all nodes in a slot of time.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn add_failed(db: &Db, slot: i64, failed: i64) -> Result<(), DbError> {
    let query = sql("INSERT INTO failed_sign_ins (slot, failed) VALUES ($1, $2)
                     ON CONFLICT (slot) DO UPDATE SET failed = failed_sign_ins.failed + $2")
    .bind(slot)
    .bind(failed);
    db.write_one(query).await.map(drop)
}

/// What failed in each slot since then.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn failed_since(db: &Db, slot: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let query = sql("SELECT slot, failed FROM failed_sign_ins WHERE slot >= $1").bind(slot);
    let rows = db.fetch_all(query).await?;
    rows.iter().map(|row| Ok((row.get("slot")?, row.get("failed")?))).collect()
}

/// Drops slots that nobody looks at any more.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn sweep_failed(db: &Db, before: i64) -> Result<Written, DbError> {
    db.write_one(sql("DELETE FROM failed_sign_ins WHERE slot < $1").bind(before)).await
}

/// Drops buckets that begin anew anyway.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn sweep(db: &Db, before: DateTime<Utc>) -> Result<Written, DbError> {
    db.write_one(
        sql("DELETE FROM throttle WHERE updated_at < $1 AND blocked_until < $1").bind(before),
    )
    .await
}
