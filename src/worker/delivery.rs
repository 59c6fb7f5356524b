//! Delivering jobs: a bounded number at once, as soon as they are pushed.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::accounts::leaving::{LEFT, Left};
use crate::mail::service::MAIL;
use crate::oauth::deliver;
use crate::queue::model::{ATTEMPTS_MAX, Fate, Job, Lane, Undelivered};
use crate::server::Server;
use crate::users::mailed::wish::WISH;

/// How often jobs are looked for that nobody announced: retries, and those of dead nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long jobs that are under way may take when the process is asked to stop; what takes longer
/// is delivered again by the next one.
const GRACE: Duration = Duration::from_secs(10);

/// Letters, few at once, for a mail server counts connections: and when it hangs, apps are told of
/// what ended all the same.
const LETTERS: (Lane, usize) = (Lane::Only(MAIL), 4);
/// Everything else.
const OTHERS: (Lane, usize) = (Lane::Except(MAIL), 16);

/// Delivers jobs until `stop` is cancelled; what is under way then is ended first.
pub(in crate::worker) async fn run(server: &Server, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Each in a task of its own: a future that nobody polls while more jobs are looked for may be the
    // one that was given the connection which looking for them waits for.
    let (mut letters, mut others) = (JoinSet::new(), JoinSet::new());
    while !stop.is_cancelled() {
        for job in take(server, LETTERS, letters.len()).await {
            letters.spawn(attempt(server.clone(), job));
        }
        for job in take(server, OTHERS, others.len()).await {
            others.spawn(attempt(server.clone(), job));
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = letters.join_next(), if !letters.is_empty() => {}
            _ = others.join_next(), if !others.is_empty() => {}
            () = server.queue.pushed() => {}
            _ = ticks.tick() => {}
        }
    }
    let rest = async {
        while letters.join_next().await.is_some() {}
        while others.join_next().await.is_some() {}
    };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("jobs that are under way will be delivered by the next process");
    }
}

/// Delivers whatever is due, and returns when nothing is.
pub async fn deliver_due(server: &Server) {
    loop {
        let (letters, others) = (take(server, LETTERS, 0).await, take(server, OTHERS, 0).await);
        if letters.is_empty() && others.is_empty() {
            return;
        }
        let under_way = letters.into_iter().chain(others).map(|job| attempt(server.clone(), job));
        under_way.collect::<JoinSet<()>>().join_all().await;
    }
}

/// Takes due jobs of a lane in which so many are under way.
async fn take(server: &Server, (lane, most): (Lane, usize), under_way: usize) -> Vec<Job> {
    match server.queue.lease(lane, most.saturating_sub(under_way)).await {
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
        WISH => server.users.deliver(job).await,
        LEFT => {
            keys_of_left(server, job).await?;
            deliver::deliver(&server.oauth, job).await
        }
        _ => deliver::deliver(&server.oauth, job).await,
    }
}

/// Revokes the keys of somebody who is no member of the account any more.
async fn keys_of_left(server: &Server, job: &Job) -> Result<(), Undelivered> {
    let left = serde_json::from_value::<Left>(job.payload.clone());
    let Left { account, user, .. } = left.map_err(|_| Undelivered::Never("it cannot be read"))?;
    let revoked = server.programs.left(&account, &user).await;
    revoked.map_err(|_| Undelivered::Again("storage failed"))
}

async fn attempt(server: Server, job: Job) {
    let outcome = if job.attempt > ATTEMPTS_MAX {
        // Whoever took it before died of it each time.
        Err(Undelivered::Never("no attempt came to an end"))
    } else {
        // A fault of ours in one job must not stop all others.
        let attempt = AssertUnwindSafe(deliver(&server, &job)).catch_unwind().await;
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
