//! One's own account: what people see and change about themselves.

pub mod overview;
pub(in crate::http::pages) mod section;
pub mod shell;
pub(in crate::http::pages) mod visit;

use axum::Router;
use axum::routing::get;

use crate::server::Server;

/// The routes of one's own account.
pub(in crate::http::pages) fn routes() -> Router<Server> {
    Router::new().route("/account", get(overview::show))
}
