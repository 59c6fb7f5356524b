//! The listener that speaks TLS.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::http::serve::{Peer, accept, connection};
use crate::oauth::certificate::Certificate;
use crate::tls::Tls;

/// How long a client may take for its part of the handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves `router` over TLS on `listener` until `stop` is cancelled, then lets open requests
/// finish.
pub async fn serve(router: Router, listener: TcpListener, tls: Tls, stop: CancellationToken) {
    accept(listener, &stop, |stream, address| {
        handshake(router.clone(), tls.clone(), stream, address, stop.clone())
    })
    .await;
}

async fn handshake(
    router: Router,
    tls: Tls,
    stream: TcpStream,
    address: SocketAddr,
    stop: CancellationToken,
) {
    // Answers are small and wait for nothing: Nagle's algorithm would only hold them back.
    let _ = stream.set_nodelay(true);
    let handshake = TlsAcceptor::from(tls.config()).accept(stream);
    let stream = tokio::select! {
        () = stop.cancelled() => return,
        stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake) => stream,
    };
    match stream {
        Ok(Ok(stream)) => {
            let peer = Peer { address, certificate: certificate(&stream) };
            connection(router, stream, peer, stop).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// The certificate that the client showed; TLS has seen to it that the client holds its key.
fn certificate(stream: &TlsStream<TcpStream>) -> Option<Certificate> {
    let (_, session) = stream.get_ref();
    let (first, rest) = session.peer_certificates()?.split_first()?;
    Some(Certificate::from_chain(first, rest.iter().map(|one| one.to_vec()).collect()))
}
