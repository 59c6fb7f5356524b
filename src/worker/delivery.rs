//! Delivering jobs: a bounded number at once, as soon as they are pushed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::mail::service::MAIL;
use crate::oauth::deliver;
use crate::queue::model::{ATTEMPTS_MAX, Fate, Job, Undelivered};
use crate::server::Server;

/// How often jobs are looked for that nobody announced: retries, and those of dead nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most jobs that one node delivers at once.
const AT_ONCE_MAX: usize = 16;

/// Delivers jobs until `stop` is cancelled; what is under way then is ended first.
pub(in crate::worker) async fn run(server: &Server, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = FuturesUnordered::new();
    while !stop.is_cancelled() {
        let jobs = take(server, AT_ONCE_MAX.saturating_sub(under_way.len())).await;
        under_way.extend(jobs.into_iter().map(|job| attempt(server, job)));
        tokio::select! {
            () = stop.cancelled() => {}
            _ = under_way.next(), if !under_way.is_empty() => {}
            () = server.queue.pushed() => {}
            _ = ticks.tick() => {}
        }
    }
    while under_way.next().await.is_some() {}
}

/// Delivers whatever is due, and returns when nothing is.
pub async fn deliver_due(server: &Server) {
    loop {
        let jobs = take(server, AT_ONCE_MAX).await;
        if jobs.is_empty() {
            return;
        }
        let mut under_way: FuturesUnordered<_> =
            jobs.into_iter().map(|job| attempt(server, job)).collect();
        while under_way.next().await.is_some() {}
    }
}

async fn take(server: &Server, limit: usize) -> Vec<Job> {
    match server.queue.lease(limit).await {
        Ok(jobs) => jobs,
        Err(error) => {
            tracing::warn!(%error, "jobs could not be taken");
            Vec::new()
        }
    }
}

/// Gives a job to whoever delivers its kind.
async fn deliver(server: &Server, job: &Job) -> Result<(), Undelivered> {
    match job.kind.as_str() {
        MAIL => server.mail.deliver(job).await,
        _ => deliver::deliver(&server.oauth, job).await,
    }
}

async fn attempt(server: &Server, job: Job) {
    let outcome = if job.attempt > ATTEMPTS_MAX {
        // Whoever took it before died of it each time.
        Err(Undelivered::Never("no attempt came to an end"))
    } else {
        // A fault of ours in one job must not stop all others.
        let attempt = AssertUnwindSafe(deliver(server, &job)).catch_unwind().await;
        attempt.unwrap_or(Err(Undelivered::Again("the attempt panicked")))
    };
    let (id, kind, number) = (job.id, job.kind.as_str(), job.attempt);
    match (server.queue.settle(&job, outcome).await, outcome) {
        (Ok(Fate::Dead), Err(reason)) => {
            tracing::error!(job = id, kind, attempt = number, %reason, "a job was given up");
        }
        (Ok(_), Err(reason)) => {
            tracing::warn!(job = id, kind, attempt = number, %reason, "a job was not delivered");
        }
        (Ok(_), Ok(())) => tracing::debug!(job = id, kind, attempt = number, "a job was delivered"),
        (Err(error), _) => {
            tracing::warn!(job = id, kind, %error, "a job will be delivered once more");
        }
    }
}
