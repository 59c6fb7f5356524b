//! One's own account: what people see and change about themselves.

pub mod apps;
pub mod data;
pub mod deletion;
pub mod email;
pub(in crate::http::pages) mod factors;
pub mod overview;
pub mod password;
pub mod profile;
pub(in crate::http::pages) mod section;
pub mod sessions;
pub mod shell;
pub(in crate::http::pages) mod visit;

use axum::Router;
use axum::routing::{get, post};

use crate::server::Server;

/// The routes of one's own account.
pub(in crate::http::pages) fn routes() -> Router<Server> {
    Router::new()
        .route("/account", get(overview::show))
        .route("/account/email", get(email::show).post(email::submit))
        .route("/account/password", get(password::show).post(password::submit))
        .route("/account/factors", get(factors::show))
        .route("/account/factors/app", get(factors::app::show).post(factors::app::submit))
        .route("/account/factors/app/remove", post(factors::app::remove))
        .route("/account/factors/recovery", post(factors::codes::submit))
        .route("/account/factors/keys", post(factors::keys::add))
        .route("/account/factors/keys/rename", post(factors::keys::rename))
        .route("/account/factors/keys/remove", post(factors::keys::remove))
        .route("/account/profile", get(profile::show).post(profile::submit))
        .route("/account/sessions", get(sessions::show).post(sessions::submit))
        .route("/account/apps", get(apps::show).post(apps::submit))
        .route("/account/data", get(data::show).post(data::submit))
        .route("/account/deletion", get(deletion::show).post(deletion::submit))
        .route("/account/deletion/cancel", post(deletion::cancel))
}
