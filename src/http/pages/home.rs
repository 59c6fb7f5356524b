//! `/`: where everybody begins, and comes back to from signing in.

use axum::response::Response;

use crate::http::pages::account::overview;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::visit::Guest;
use crate::http::pages::errand::Errand;
use crate::http::pages::see_other;
use crate::http::session::CurrentLogin;

/// `GET /`
pub(in crate::http::pages) async fn home(
    current: CurrentLogin,
    errand: Errand,
    guest: Guest,
) -> Result<Response, Response> {
    if current.login().is_none() {
        return Ok(see_other("/sign-in"));
    }
    if let Some(back) = errand.back() {
        return Ok(back);
    }
    Ok(overview::page(&guest.signed_in(Section::Overview)?))
}
