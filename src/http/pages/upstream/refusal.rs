//! What whoever is not let in is told: what to do, never what was found.

use http::StatusCode;

use axum::response::Response;

use crate::base::id::GrantId;
use crate::http::pages::templates::Link;
use crate::http::pages::{broken, error_with, sign_in_path};
use crate::upstream::error::Refused;

/// The page for a refusal, which leads back to the sign-in.
pub(in crate::http::pages) fn page(reason: &Refused, grant: Option<GrantId>) -> Response {
    tracing::info!(%reason, "nobody is let in who came from a provider");
    let (status, words) = match reason {
        Refused::Over => (StatusCode::BAD_REQUEST, "upstream-over"),
        Refused::NotInUse => (StatusCode::FORBIDDEN, "upstream-not-in-use"),
        Refused::TurnedBack => (StatusCode::FORBIDDEN, "upstream-turned-back"),
        Refused::Fails(_) => (StatusCode::BAD_GATEWAY, "upstream-fails"),
        Refused::Untrue(_) => (StatusCode::FORBIDDEN, "upstream-untrue"),
        Refused::NotAnew => (StatusCode::FORBIDDEN, "upstream-not-anew"),
        Refused::Unknown => (StatusCode::FORBIDDEN, "upstream-unknown"),
        Refused::Disabled => (StatusCode::FORBIDDEN, "upstream-disabled"),
        Refused::Taken => (StatusCode::CONFLICT, "upstream-taken"),
        Refused::Internal(error) => return broken(error),
    };
    let link = Link { href: sign_in_path(grant), text: "upstream-back" };
    error_with(status, words, Some(link))
}
