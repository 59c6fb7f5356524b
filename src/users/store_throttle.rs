//! Buckets of failed guesses, in SQL.

use chrono::{DateTime, Utc};

use crate::base::secret::Digest;
use crate::config::model::Throttle;
use crate::db::error::DbError;
use crate::db::query::{Written, sql};
use crate::db::{Db, Fetch as _, Tx};
use crate::users::throttle::{AfterSuccess, Charge, stale_before, wait};

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
    pub(in crate::users) charges: Vec<Charge>,
    pub(in crate::users) settings: Throttle,
    pub(in crate::users) now: DateTime<Utc>,
}

/// Charges an attempt to all of its buckets, or to none if one of them is blocked.
///
/// The first statement holds the bucket's row until the end of the unit, so attempts that race
/// are counted one after the other: none of them is free.
///
/// # Errors
/// [`ChargeError::Blocked`], or [`ChargeError::Internal`] if a statement fails.
pub(in crate::users) async fn charge(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
) -> Result<(), ChargeError> {
    for charge in &attempt.charges {
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
                .bind(charge.bucket)
                .bind(attempt.now)
                .bind(stale_before(attempt.now, &attempt.settings)),
            )
            .await?;
        let Some(row) = counted.rows.first() else {
            return Err(ChargeError::Blocked(blocked_until(tx, charge.bucket, attempt.now).await?));
        };
        let pause = wait(row.get("failures")?, charge.free, attempt.settings.backoff_seconds_max);
        if !pause.is_zero() {
            tx.execute(
                sql("UPDATE throttle SET blocked_until = $2 WHERE bucket = $1")
                    .bind(charge.bucket)
                    .bind(attempt.now + pause),
            )
            .await?;
        }
    }
    Ok(())
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
    for charge in &attempt.charges {
        let resets = outcome == Outcome::Right && charge.after_success == AfterSuccess::Reset;
        let statement = if resets {
            sql("DELETE FROM throttle WHERE bucket = $1").bind(charge.bucket)
        } else {
            sql("UPDATE throttle
                    SET failures = failures - 1,
                        blocked_until = CASE WHEN updated_at = $2 THEN 0 ELSE blocked_until END
                  WHERE bucket = $1 AND failures > 0")
            .bind(charge.bucket)
            .bind(attempt.now)
        };
        tx.execute(statement).await?;
    }
    Ok(())
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
