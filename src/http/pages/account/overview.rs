//! `/account`: who is signed in.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::templates::Site;

/// `templates/account/overview.html`: says who is signed in.
#[derive(Debug, Template)]
#[template(path = "account/overview.html")]
pub struct OverviewPage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Full name.
    pub name: Option<String>,
    /// The name that they sign in with.
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether a second factor is asked for.
    pub has_totp: bool,
}

/// The page for a visit, which need not have come to its own path.
pub(in crate::http::pages) fn page(visit: &Visit) -> Response {
    let user = &visit.user;
    let page = OverviewPage {
        site: visit.site(),
        shell: visit.shell(),
        name: user.name.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        has_totp: user.has_second_factor(),
    };
    visit.page(StatusCode::OK, &page)
}

/// `GET /account`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    Ok(page(&guest.signed_in(Section::Overview)?))
}
