//! Signing in at a provider of others: leaving, coming back, and saying whether one is the user of
//! the same address.

mod back;
pub(in crate::http::pages) mod buttons;
mod link;
mod out;
pub mod own;
mod refusal;
mod saml;

use axum::Router;
use axum::routing::{get, post};

use crate::server::Server;

/// The pages' routes.
pub(in crate::http::pages) fn routes() -> Router<Server> {
    Router::new()
        .route("/upstream/{id}/start", post(out::start))
        .route("/upstream/callback", get(back::callback).post(back::posted))
        .route("/account/providers", get(own::show).post(own::submit))
        .route("/saml/{id}/metadata", get(saml::metadata))
        .route("/v1/saml/metadata", get(saml::metadata_of_one))
        .route("/saml/{id}/acs", get(saml::returned).post(saml::posted))
        .route("/upstream/link", get(link::show).post(link::submit))
}
