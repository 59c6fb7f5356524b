//! The pages that people see.
//!
//! They carry the number of the authorization that they are for, and come back through the
//! protocol's own next step: no page can be skipped by its URL.

mod account;
mod approvals;
mod check_session;
mod complete;
mod consent;
mod device;
mod errand;
pub(in crate::http) mod form;
mod form_post;
mod fresh;
mod home;
pub mod links;
mod select_account;
mod sign_in;
pub(in crate::http) mod signed_out;
pub mod templates;
pub mod templates_requests;
mod totp;

use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::base::id::GrantId;
use crate::http::pages::templates::{ErrorPage, Link, Site};
use crate::oauth::authorize::Step;
use crate::oauth::error::AuthorizeError;
use crate::oauth::response::Reply;
use crate::server::Server;

/// The pages' routes.
pub fn routes() -> Router<Server> {
    Router::new()
        .route("/", get(home::home))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-in/again", get(sign_in::again))
        .route("/sign-in/cancel", post(sign_in::cancel))
        .route("/sign-in/totp", get(totp::show).post(totp::submit))
        .route("/select-account", get(select_account::show).post(select_account::submit))
        .route("/approvals", get(approvals::show).post(approvals::submit))
        .route("/device", get(device::show).post(device::submit))
        .route("/consent", get(consent::show).post(consent::submit))
        .route("/signed-out", get(signed_out::show))
        .route("/session/check", get(check_session::show))
}

/// The page for a path that is not there.
pub async fn not_found() -> Response {
    error_with(
        StatusCode::NOT_FOUND,
        "There is nothing here",
        "The address is wrong, or what it named is gone.",
        Some(Link { href: "/".to_owned(), text: "Go to the start page" }),
    )
}

/// The page for a method that the path does not answer.
pub async fn method_not_allowed() -> Response {
    self::error(
        StatusCode::METHOD_NOT_ALLOWED,
        "This does not work here",
        "The page was asked in a way that it does not answer.",
    )
}

/// A page.
pub fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says what went wrong. Texts are ours, never a client's.
pub fn error(status: StatusCode, title: &str, text: &str) -> Response {
    error_with(status, title, text, None)
}

/// An error page with a way out.
pub fn error_with(status: StatusCode, title: &str, text: &str, link: Option<Link>) -> Response {
    let (title, text) = (title.to_owned(), text.to_owned());
    page(status, &ErrorPage { site: Site::plain(), title, text, link })
}

/// The page for a failure of ours; the reason goes to the log.
pub fn broken(error: &dyn std::error::Error) -> Response {
    tracing::error!(?error, "a page failed");
    self::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong",
        "It is our fault, not yours. Please try again in a moment.",
    )
}

/// Sends the browser on, with GET. Source: RFC 9110 section 15.4.4, RFC 9700 section 4.12.
pub fn see_other(url: &str) -> Response {
    match HeaderValue::try_from(url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(error) => broken(&error),
    }
}

/// Adds `Retry-After`.
pub fn retry_after(mut answer: Response, seconds: u32) -> Response {
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Leads the browser to the next step of an authorization: a page of ours, or back to the app.
pub fn go(server: &Server, step: Result<Step, AuthorizeError>) -> Response {
    match step {
        Ok(Step::SignIn { grant, .. }) => see_other(&sign_in_path(Some(grant))),
        Ok(Step::SelectAccount { grant, .. }) => {
            see_other(&format!("/select-account?grant={grant}"))
        }
        Ok(Step::Consent { grant, .. }) => see_other(&format!("/consent?grant={grant}")),
        Ok(Step::Reply(reply)) => send_on(server, reply),
        Err(error) => refused(server, &error),
    }
}

/// Tells the app that an authorization is refused, or, where it may not be told, the user.
pub fn refused(server: &Server, error: &AuthorizeError) -> Response {
    match error.reply(&server.oauth) {
        Ok(Some(reply)) => return send_on(server, reply),
        Ok(None) => {}
        Err(error) => return broken(&error),
    }
    match error {
        AuthorizeError::Page(text) => {
            self::error(StatusCode::BAD_REQUEST, "This request does not work", text)
        }
        other => broken(other),
    }
}

/// Sends the browser to an app with an authorization response.
fn send_on(server: &Server, reply: Reply) -> Response {
    match reply {
        Reply::Redirect(url) => see_other(&url),
        Reply::Form { action, fields } => form_post::page(server, action, fields),
    }
}

/// Where to sign in, and then go on with an authorization.
pub fn sign_in_path(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "/sign-in".to_owned(), |grant| format!("/sign-in?grant={grant}"))
}

/// Where a browser goes that has signed in.
fn after_sign_in(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "/".to_owned(), |grant| format!("/authorize/{grant}"))
}
