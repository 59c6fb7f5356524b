//! What comes in over HTTP: requests to domain values, answers to responses.
//!
//! Only this folder knows axum, cookies, status codes and templates.

pub mod api;
pub mod assets;
pub mod browser;
pub mod client_certificate;
pub mod client_ip;
pub mod cookies;
pub mod cors;
pub mod demo_app;
mod gateway;
mod interaction;
mod language;
mod linger;
pub mod logos;
pub mod oauth;
pub mod pages;
mod proof;
pub mod security_headers;
pub mod serve;
pub mod serve_tls;
pub mod session;
mod user_agent;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;

use crate::server::Server;

/// Largest body of a request, in bytes, where an area does not set a smaller one.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// All that is served. Each area brings its own routes.
pub fn router(server: Server) -> Router {
    let https = server.config.issuer.is_https();
    Router::new()
        .merge(oauth::routes(&server))
        .merge(api::routes(&server))
        .merge(gateway::routes())
        .merge(assets::routes())
        .merge(logos::routes())
        .merge(pages::routes(&server))
        .fallback(pages::not_found)
        .method_not_allowed_fallback(pages::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // A panic is a fault of ours that nobody should see; it must not take the connection,
        // and whatever else waits on it, down.
        .layer(CatchPanicLayer::new())
        .layer(MapResponseLayer::new(security_headers::adder(https)))
        .with_state(server)
}
