//! The listener: connections in, requests to the router, a graceful end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::http::linger::Linger;
use crate::oauth::certificate::Certificate;

/// How long a client may take to send the head of a request, and a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Most header fields of a request.
const HEADERS_MAX: usize = 64;
/// How long requests that are under way may take after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(in crate::http) struct Peer {
    pub(in crate::http) address: SocketAddr,
    /// What it showed over TLS.
    pub(in crate::http) certificate: Option<Certificate>,
}

/// Serves `router` on `listener` until `stop` is cancelled, then lets open requests finish.
pub async fn serve(router: Router, listener: TcpListener, stop: CancellationToken) {
    accept(listener, &stop, |stream, address| {
        // Answers are small and wait for nothing: Nagle's algorithm would only hold them back.
        let _ = stream.set_nodelay(true);
        let peer = Peer { address, certificate: None };
        connection(router.clone(), stream, peer, stop.clone())
    })
    .await;
}

/// Accepts connections until `stop` is cancelled, then lets those that are open finish.
pub(in crate::http) async fn accept<F, W>(listener: TcpListener, stop: &CancellationToken, each: F)
where
    F: Fn(TcpStream, SocketAddr) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(each(stream, peer));
            }
            Err(error) => {
                // Out of file descriptors, most likely: waiting lets some close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// Serves one connection until it ends, or `stop` is cancelled and its request is answered.
pub(in crate::http) async fn connection<S>(
    router: Router,
    stream: S,
    peer: Peer,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer.address));
        if let Some(certificate) = &peer.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        let answer = router.clone().oneshot(request.map(Body::new));
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Linger::new(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => log_end(ended),
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            log_end(connection.await);
        }
    }
}

/// Clients that vanish are ordinary; whoever looks for them finds them at debug level.
fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
