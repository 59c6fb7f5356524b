//! `/`: who is signed in.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::errand::Errand;
use crate::http::pages::templates::{HomePage, Site};
use crate::http::pages::{page, see_other};
use crate::http::session::CurrentLogin;
use crate::server::Server;
use crate::words::Language;

/// `GET /`
pub(in crate::http::pages) async fn home(
    State(server): State<Server>,
    current: CurrentLogin,
    errand: Errand,
    language: Language,
) -> Response {
    let Some(user) = current.user() else { return see_other("/sign-in") };
    if let Some(back) = errand.back() {
        return back;
    }
    page(
        StatusCode::OK,
        &HomePage {
            site: Site::of(&server.config, language),
            name: user.name.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            has_totp: user.has_totp,
        },
    )
}
