//! The closed loop: as many units under way as there are connections, each followed by the next.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::cli::bench::client::Fault;
use crate::cli::bench::process::CpuSnapshot;
use crate::cli::bench::stats::{Latencies, Percentiles, float, per_second};

/// How long a flow runs, and whose CPU time it costs.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Not measured.
    pub warm_up: Duration,
    /// Measured.
    pub measured: Duration,
    /// The server's process, if it can be watched.
    pub server_pid: Option<u32>,
}

/// Somebody who does one unit of a flow after the other.
pub trait Worker: Send + 'static {
    /// Does one unit and checks what came back.
    fn unit(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;

    /// How long it rests after each unit.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }
}

/// What was seen of one flow.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Units that did what they should, in a second.
    pub per_second: f64,
    /// Microseconds from the first byte asked to the last answered.
    #[serde(flatten)]
    pub micros: Percentiles,
    /// Units that did what they should.
    pub good: u64,
    /// Units that did not.
    pub errors: u64,
    /// What the first of those said.
    pub first_error: Option<String>,
    /// Microseconds of the server's CPU for one unit.
    pub server_cpu_micros: Option<f64>,
}

impl Outcome {
    /// A flow that could not even begin.
    pub fn failed(error: String) -> Self {
        Self {
            per_second: 0.0,
            micros: Percentiles::default(),
            good: 0,
            errors: 1,
            first_error: Some(error),
            server_cpu_micros: None,
        }
    }
}

/// After an error, so that a server which refuses all is not asked as fast as it can refuse.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

const WARMING: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

#[derive(Debug, Default)]
struct Seen {
    latencies: Latencies,
    errors: u64,
    first_error: Option<Fault>,
}

/// Lets `workers` work for `span`, and says what was seen.
///
/// # Errors
/// The server's process cannot be watched, or a worker panicked.
pub async fn run<W: Worker>(workers: Vec<W>, span: Span) -> anyhow::Result<Outcome> {
    let phase = Arc::new(AtomicU8::new(WARMING));
    let mut tasks = JoinSet::new();
    for worker in workers {
        tasks.spawn(work(worker, Arc::clone(&phase)));
    }
    tokio::time::sleep(span.warm_up).await;
    let before = span.server_pid.map(CpuSnapshot::of).transpose()?;
    let start = Instant::now();
    phase.store(MEASURED, Ordering::Relaxed);
    tokio::time::sleep(span.measured).await;
    phase.store(OVER, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let after = span.server_pid.map(CpuSnapshot::of).transpose()?;
    let mut all = Seen::default();
    while let Some(seen) = tasks.join_next().await {
        let seen = seen?;
        all.latencies.merge(seen.latencies);
        all.errors += seen.errors;
        all.first_error = all.first_error.or(seen.first_error);
    }
    let cpu = after.zip(before).map(|(after, before)| after.since(&before));
    Ok(all.outcome(elapsed, cpu))
}

async fn work<W: Worker>(mut worker: W, phase: Arc<AtomicU8>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let start = Instant::now();
        let result = worker.unit().await;
        let latency = start.elapsed();
        // What was begun before the measurement and ends in it counts; what ends after it does not.
        match (phase.load(Ordering::Relaxed), result) {
            (OVER, _) => return seen,
            (MEASURED, Ok(())) => seen.latencies.record(latency),
            (phase, Err(fault)) => {
                seen.errors += u64::from(phase == MEASURED);
                seen.first_error.get_or_insert(fault);
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
            _ => {}
        }
        let pause = worker.pause();
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
}

impl Seen {
    fn outcome(self, elapsed: Duration, cpu: Option<Duration>) -> Outcome {
        let good = u64::try_from(self.latencies.count()).unwrap_or(u64::MAX);
        let units = float(good + self.errors);
        Outcome {
            per_second: per_second(good, elapsed),
            micros: self.latencies.percentiles(),
            good,
            errors: self.errors,
            first_error: self.first_error.map(|fault| fault.0),
            server_cpu_micros: cpu
                .filter(|_| units > 0.0)
                .map(|cpu| cpu.as_secs_f64() * 1_000_000.0 / units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every tenth time.
    struct Sleeper(u32);

    impl Worker for Sleeper {
        async fn unit(&mut self) -> Result<(), Fault> {
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.0 += 1;
            if self.0.is_multiple_of(10) { Err(Fault("tenth".to_owned())) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn good_units_errors_and_cpu_are_counted() {
        let span = Span {
            warm_up: Duration::from_millis(20),
            measured: Duration::from_millis(300),
            server_pid: Some(std::process::id()),
        };

        let outcome = run(vec![Sleeper(0), Sleeper(5)], span).await.unwrap();

        assert!(outcome.good > outcome.errors && outcome.errors > 0, "{outcome:?}");
        assert!(outcome.micros.p50 >= 2_000, "{outcome:?}");
        assert_eq!(outcome.first_error.as_deref(), Some("tenth"));
        assert!(outcome.server_cpu_micros.is_some_and(|micros| micros > 0.0), "{outcome:?}");
        assert!(outcome.per_second > 10.0 && outcome.per_second < 1_001.0, "{outcome:?}");
    }

    #[test]
    fn cpu_is_divided_among_all_units() {
        let mut seen = Seen { errors: 1, ..Seen::default() };
        for _ in 0..3 {
            seen.latencies.record(Duration::from_micros(5));
        }
        let outcome = seen.outcome(Duration::from_secs(1), Some(Duration::from_micros(400)));
        assert_eq!(outcome.server_cpu_micros, Some(100.0));
        assert_eq!((outcome.good, outcome.errors), (3, 1));

        let nothing = Seen::default().outcome(Duration::from_secs(1), Some(Duration::ZERO));
        assert_eq!(nothing.server_cpu_micros, None);
    }
}
