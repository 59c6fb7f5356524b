//! What happens without being asked: changes of other processes are noticed, keys rotate, jobs
//! are delivered, rows that have ended are swept.

pub mod deletion;
pub mod delivery;
pub mod recorder;

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::server::Server;
use crate::tls::BadTls;

/// How long another process's change may go unnoticed.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// How often ended rows are swept: each sweep is small.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked whose grace period is over.
const DELETE_EVERY: Duration = Duration::from_mins(1);
/// How often the age of the keys is looked at.
const ROTATE_EVERY: Duration = Duration::from_mins(10);
/// How often nodes tell each other how many sign-ins failed.
const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How often the files with certificates are looked at.
const TLS_EVERY: Duration = Duration::from_secs(5);

/// How often what was seen is written: what a crash may lose.
const RECORD_EVERY: Duration = Duration::from_secs(1);

/// How often what was counted is written: what a crash may lose.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How often it is noted how much lies in each account.
const WEIGH_EVERY: Duration = Duration::from_hours(1);

/// How often the age of the record is looked at.
const AGE_EVERY: Duration = Duration::from_mins(10);

/// Runs the background work of a node until `stop` is cancelled.
pub async fn run(server: Server, stop: CancellationToken) {
    tokio::join!(
        every(POLL_EVERY, &stop, || poll(&server)),
        every(SWEEP_EVERY, &stop, || sweep(&server)),
        every(ROTATE_EVERY, &stop, || rotate(&server)),
        every(WATCH_EVERY, &stop, || watch(&server)),
        every(DELETE_EVERY, &stop, || deletion::run_due(&server)),
        every(TLS_EVERY, &stop, || certificates(&server)),
        every(RECORD_EVERY, &stop, || recorder::write_seen(&server, false)),
        every(COUNT_EVERY, &stop, || recorder::write_usage(&server)),
        every(AGE_EVERY, &stop, || recorder::sweep(&server)),
        every(WEIGH_EVERY, &stop, || recorder::weigh(&server)),
        delivery::run(&server, &stop),
    );
}

async fn every<F, W>(period: Duration, stop: &CancellationToken, work: F)
where
    F: Fn() -> W,
    W: Future<Output = ()>,
{
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => work().await,
        }
    }
}

async fn poll(server: &Server) {
    if let Err(error) = server.ctx.db.poll_changes().await {
        tracing::warn!(%error, "changes of other processes could not be read");
    }
    if let Err(error) = server.keys.reload_if_changed().await {
        tracing::error!(%error, "the signing keys could not be read again");
    }
}

async fn sweep(server: &Server) {
    let swept = async {
        Ok::<_, crate::db::error::DbError>(
            server.users.sweep().await?
                + server.oauth.sweep().await?
                + server.tenancy.sweep().await?
                + server.queue.sweep().await?,
        )
    };
    match swept.await {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "ended rows were swept"),
        Err(error) => tracing::warn!(%error, "ended rows could not be swept"),
    }
}

/// Takes up what operators put in place of files with certificates.
async fn certificates(server: &Server) {
    if let Some(tls) = server.tls.clone() {
        taken_up("tls.certificate_file", move || tls.reload_if_changed()).await;
    }
    if let Some(authorities) = server.authorities.clone() {
        taken_up("tls.client_ca_file", move || authorities.reload_if_changed()).await;
    }
}

async fn taken_up(
    name: &'static str,
    reload: impl FnOnce() -> Result<bool, BadTls> + Send + 'static,
) {
    match tokio::task::spawn_blocking(reload).await {
        Ok(Ok(true)) => tracing::info!(name, "the new certificates are in use"),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::error!(name, %error, "the new certificates cannot be used"),
        Err(error) => tracing::error!(name, %error, "the certificates could not be looked at"),
    }
}

async fn watch(server: &Server) {
    if let Err(error) = server.users.watch().await {
        tracing::warn!(%error, "failed sign-ins could not be counted");
    }
}

async fn rotate(server: &Server) {
    if let Err(error) = server.keys.rotate_due().await {
        tracing::error!(%error, "the signing keys could not be rotated");
    }
}
