//! A job, and how long it is tried.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// Most attempts; after the last one a job is dead.
pub const ATTEMPTS_MAX: i64 = 8;
/// How long one attempt may take, before somebody else takes the job.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long dead jobs are kept, for the operator to look at.
pub const DEAD_KEPT: TimeDelta = TimeDelta::days(7);
/// The wait after the first attempt; each further one is so many times longer.
const FIRST_WAIT_SECONDS: i64 = 5;
const FACTOR: i64 = 5;

/// A job that this node holds the lease of.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its number: the same in every attempt.
    pub id: i64,
    /// Who delivers it.
    pub kind: String,
    /// What there is to deliver. Whatever is secret in it is sealed.
    pub payload: Value,
    /// Which attempt this is, from 1 on.
    pub attempt: i64,
}

/// Which kinds of jobs are taken: slow deliveries of one kind must not hold up all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Jobs of this kind.
    Only(&'static str),
    /// Jobs of any other kind.
    Except(&'static str),
}

/// A job that was given up. Its payload is nobody's to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Its number.
    pub id: i64,
    /// Who delivers it.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was pushed.
    pub created_at: DateTime<Utc>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
}

/// Why a job was not delivered. The texts are for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// It may work another time.
    #[error("not yet: {0}")]
    Again(&'static str),
    /// It never will, or nobody waits for it any more.
    #[error("never: {0}")]
    Never(&'static str),
}

/// What becomes of a job after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is gone.
    Done,
    /// It is tried again after this time.
    Later(TimeDelta),
    /// It is kept, but not tried any more.
    Dead,
}

impl Fate {
    /// What becomes of a job after the attempt of this number went so.
    ///
    /// The waits are 5 s, 25 s, 2 min, 10 min, 52 min, 4 h and 22 h: eight attempts within 27
    /// hours, most of them while a restart of the other side is the likeliest reason.
    pub fn after(attempt: i64, outcome: Result<(), Undelivered>) -> Self {
        match outcome {
            Ok(()) => Self::Done,
            Err(Undelivered::Never(_)) => Self::Dead,
            Err(Undelivered::Again(_)) if attempt >= ATTEMPTS_MAX => Self::Dead,
            Err(Undelivered::Again(_)) => {
                let factor = (1..attempt).fold(1_i64, |wait, _| wait.saturating_mul(FACTOR));
                Self::Later(TimeDelta::seconds(FIRST_WAIT_SECONDS.saturating_mul(factor)))
            }
        }
    }
}
