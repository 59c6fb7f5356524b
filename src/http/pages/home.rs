//! `/`: who is signed in, and `/signed-out`: that nobody is any more.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::templates::{HomePage, SignedOutPage, Site};
use crate::http::pages::{page, see_other};
use crate::http::session::CurrentLogin;
use crate::server::Server;

/// `GET /`
pub(in crate::http::pages) async fn home(
    State(server): State<Server>,
    current: CurrentLogin,
) -> Response {
    let Some(user) = current.user() else { return see_other("/sign-in") };
    page(
        StatusCode::OK,
        &HomePage {
            site: Site::of(&server.config),
            name: user.name.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            has_totp: user.has_totp,
        },
    )
}

/// `GET /signed-out`
pub(in crate::http::pages) async fn signed_out(State(server): State<Server>) -> Response {
    page(StatusCode::OK, &SignedOutPage { site: Site::of(&server.config) })
}
