//! Whether much more fails everywhere than usual: many addresses may try few passwords each, and no
//! bucket of theirs is ever full.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::clock::micros;

/// How long failures are counted together.
const SLOT: TimeDelta = TimeDelta::minutes(5);
/// How long is looked back.
const DAY: TimeDelta = TimeDelta::hours(24);
/// Slots that are now, not before.
const RECENT: usize = 2;
/// So many times the usual.
const FACTOR: i64 = 5;
/// Fewer failures than these are no alarm.
const FAILURES_MIN: i64 = 200;

/// What this process has seen since it last told the others, and what all of them have seen.
#[derive(Debug, Default)]
pub(in crate::users) struct Watch {
    tried: AtomicI64,
    right: AtomicI64,
    is_alarmed: AtomicBool,
}

impl Watch {
    /// Somebody tried.
    pub(in crate::users) fn tried(&self) {
        self.tried.fetch_add(1, Ordering::Relaxed);
    }

    /// They were right, or nobody has looked.
    pub(in crate::users) fn was_right(&self) {
        self.right.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes what failed since the last call; a right one may stand for an attempt before it.
    pub(in crate::users) fn take_failed(&self) -> i64 {
        let (tried, right) =
            (self.tried.swap(0, Ordering::AcqRel), self.right.swap(0, Ordering::AcqRel));
        (tried - right).max(0)
    }

    /// Gives back what could not be told.
    pub(in crate::users) fn put_back(&self, failed: i64) {
        self.tried.fetch_add(failed, Ordering::Relaxed);
    }

    /// Whether more fails than usual.
    pub(in crate::users) fn is_alarmed(&self) -> bool {
        self.is_alarmed.load(Ordering::Relaxed)
    }

    /// Notes it, and answers whether it is news.
    pub(in crate::users) fn set_alarmed(&self, is_alarmed: bool) -> bool {
        self.is_alarmed.swap(is_alarmed, Ordering::AcqRel) != is_alarmed
    }
}

/// The slot that an instant falls into.
pub(in crate::users) fn slot_of(at: DateTime<Utc>) -> i64 {
    micros(at).div_euclid(length())
}

/// The first slot that still counts.
pub(in crate::users) fn first_slot(now: DateTime<Utc>) -> i64 {
    slot_of(now - DAY)
}

fn length() -> i64 {
    SLOT.num_microseconds().unwrap_or(i64::MAX)
}

/// Whether the failures of the last minutes are many, and many times those of a usual time of the
/// last day. By the median: an attack of hours does not become the usual.
pub(in crate::users) fn is_alarming(failed: &[(i64, i64)], now: DateTime<Utc>) -> bool {
    let current = slot_of(now);
    let in_slot = |slot: i64| {
        failed.iter().filter(|(other, _)| *other == slot).map(|(_, count)| *count).sum::<i64>()
    };
    let recent: i64 = (0_i64..).take(RECENT).map(|back| in_slot(current - back)).sum();
    let first = first_slot(now);
    let mut before: Vec<i64> =
        (first..=current - i64::try_from(RECENT).unwrap_or(0)).map(in_slot).collect();
    before.sort_unstable();
    let median = before.get(before.len() / 2).copied().unwrap_or(0);
    let usual = median.saturating_mul(i64::try_from(RECENT).unwrap_or(1));
    recent >= FAILURES_MIN && recent > usual.saturating_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_micros;

    fn now() -> DateTime<Utc> {
        from_micros(1_800_000_000_000_000)
    }

    /// So many failures in each of the slots that begin so many minutes ago.
    fn with(ranges: &[(std::ops::Range<i64>, i64)]) -> Vec<(i64, i64)> {
        let slots = ranges.iter().flat_map(|(minutes, count)| {
            minutes.clone().step_by(5).map(|ago| (slot_of(now() - TimeDelta::minutes(ago)), *count))
        });
        slots.collect()
    }

    #[test]
    fn much_more_than_usual_is_an_alarm() {
        for (failed, expected) in [
            (with(&[]), false),
            (with(&[(0..10, 99)]), false),
            (with(&[(0..10, 100)]), true),
            (with(&[(0..1_440, 100)]), false),
            (with(&[(0..10, 501), (10..1_440, 100)]), true),
            (with(&[(0..10, 500), (10..1_440, 100)]), false),
            // It goes on for six hours.
            (with(&[(0..360, 1_000), (360..1_440, 10)]), true),
            // Yesterday it was so for an hour.
            (with(&[(0..10, 20), (600..660, 1_000)]), false),
        ] {
            assert_eq!(is_alarming(&failed, now()), expected, "{failed:?}");
        }
    }

    #[test]
    fn what_was_right_did_not_fail() {
        let watch = Watch::default();
        for _ in 0..5 {
            watch.tried();
        }
        watch.was_right();

        assert_eq!((watch.take_failed(), watch.take_failed()), (4, 0));
        watch.was_right();
        assert_eq!(watch.take_failed(), 0);
        watch.put_back(3);
        assert_eq!(watch.take_failed(), 3);
        assert!(watch.set_alarmed(true) && !watch.set_alarmed(true) && watch.is_alarmed());
    }
}
