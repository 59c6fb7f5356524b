//! Running a server until somebody asks it to stop.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::source::ListenArgs;
use crate::config::load::Loaded;
use crate::config::model::{Config, Issuer};
use crate::http;
use crate::http::serve_tls;
use crate::server::Server;
use crate::worker;

/// A listener on `address`.
///
/// # Errors
/// If the address is taken or not this machine's, in words.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// The listener for TLS, if it is to be another one than the server's.
///
/// # Errors
/// As [`bind`].
pub async fn bind_tls(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    match config.tls.listener.as_ref().map(|listener| listener.listen) {
        Some(address) if address != config.listen => bind(address).await.map(Some),
        _ => Ok(None),
    }
}

/// Puts the address that was really taken into the configuration, for `--listen 127.0.0.1:0`; the
/// issuer follows unless somebody named it.
///
/// # Errors
/// If the listener has no address.
pub fn adopt(loaded: &mut Loaded, listener: &TcpListener) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    if address != loaded.config.listen {
        loaded.config.listen = address;
        if !loaded.settings.is_given("issuer") {
            loaded.config.issuer = Issuer::of_loopback(address);
        }
    }
    Ok(())
}

/// Whether the flags, a variable or the file name the address to listen on.
pub fn is_listen_given(loaded: &Loaded, listen: &ListenArgs) -> bool {
    listen.listen.is_some() || loaded.settings.is_given("listen")
}

/// A token that is cancelled by SIGTERM or SIGINT; a second signal ends the process at once.
///
/// # Errors
/// If signals cannot be waited for.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        for is_first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if is_first {
                tracing::info!("stopping: requests that are under way may finish");
                asked.cancel();
            }
        }
        std::process::exit(1);
    });
    Ok(stop)
}

/// Serves, and does what nobody asks for, until `stop` is cancelled. TLS is spoken on
/// `tls_listener`, or, without one, on `listener` in place of plain HTTP.
pub async fn serve(
    server: Server,
    listener: TcpListener,
    tls_listener: Option<TcpListener>,
    stop: CancellationToken,
) {
    let background = tokio::spawn(worker::run(server.clone(), stop.clone()));
    let router = http::router(server.clone());
    match (server.tls.clone(), tls_listener) {
        (Some(tls), Some(second)) => {
            let plain = http::serve::serve(router.clone(), listener, stop.clone());
            tokio::join!(plain, serve_tls::serve(router, second, tls, stop));
        }
        (Some(tls), None) => serve_tls::serve(router, listener, tls, stop).await,
        (None, _) => http::serve::serve(router, listener, stop).await,
    }
    let _ = background.await;
    // The last requests were answered: what they left in memory is written now.
    worker::recorder::write_all(&server).await;
}
