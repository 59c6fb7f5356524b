//! Latencies: how they are collected, and what is said about them.

use std::time::Duration;

use serde::Serialize;

/// The latencies of one flow.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

/// What a report says about latencies, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half were at most this.
    #[serde(rename = "p50_micros")]
    pub p50: u32,
    /// 95 of 100 were at most this.
    #[serde(rename = "p95_micros")]
    pub p95: u32,
    /// 99 of 100 were at most this.
    #[serde(rename = "p99_micros")]
    pub p99: u32,
    /// The slowest.
    #[serde(rename = "max_micros")]
    pub max: u32,
}

impl Latencies {
    /// Notes one latency; what lasts longer than an hour counts as an hour or so.
    pub fn record(&mut self, latency: Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Takes over what another worker noted.
    pub fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
    }

    /// How many were noted.
    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// The percentiles; all zero when nothing was noted.
    pub fn percentiles(mut self) -> Percentiles {
        self.micros.sort_unstable();
        let at = |percent: usize| {
            // The nearest rank: the smallest value that so many percent do not exceed.
            let rank = (self.micros.len() * percent).div_ceil(100);
            self.micros.get(rank.saturating_sub(1)).copied().unwrap_or(0)
        };
        Percentiles { p50: at(50), p95: at(95), p99: at(99), max: at(100) }
    }
}

/// A whole number as a float: exact up to 2^53, which no count here reaches.
#[expect(clippy::cast_precision_loss, reason = "counts and durations here stay far below 2^53")]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// How many in a second; zero when no time passed.
pub fn per_second(count: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 { float(count) / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl Iterator<Item = u64>) -> Percentiles {
        let mut latencies = Latencies::default();
        micros.for_each(|micros| latencies.record(Duration::from_micros(micros)));
        latencies.percentiles()
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        assert_eq!(of(std::iter::empty()), Percentiles::default());
        assert_eq!(of([7].into_iter()), Percentiles { p50: 7, p95: 7, p99: 7, max: 7 });
        assert_eq!(of((1..=100).rev()), Percentiles { p50: 50, p95: 95, p99: 99, max: 100 });
        assert_eq!(of(1..=1000), Percentiles { p50: 500, p95: 950, p99: 990, max: 1000 });
    }

    #[test]
    fn workers_are_merged() {
        let mut all = Latencies::default();
        for micros in [3, 1, 2] {
            let mut one = Latencies::default();
            one.record(Duration::from_micros(micros));
            all.merge(one);
        }
        assert_eq!(all.count(), 3);
        assert_eq!(all.percentiles().p50, 2);
    }

    #[test]
    fn a_rate_is_per_second() {
        assert!((per_second(10, Duration::from_millis(2_500)) - 4.0).abs() < 1e-9);
        assert!(per_second(10, Duration::ZERO).abs() < 1e-9);
    }
}
