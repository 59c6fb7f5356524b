//! `/authorize`. Source: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2.1.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::oauth::form;
use crate::http::pages;
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::oauth::error::AuthorizeError;
use crate::oauth::params::Params;
use crate::server::Server;

/// `GET /authorize`.
pub(in crate::http::oauth) async fn get(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    request: Request,
) -> Response {
    match Params::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        Ok(params) => begin(&server, browser, &login, &params).await,
        Err(bad) => malformed(bad.description()),
    }
}

/// `POST /authorize`: the same, with the parameters in the body.
pub(in crate::http::oauth) async fn post(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match form::read(&parts.headers, body).await {
        Ok(params) => begin(&server, browser, &login, &params).await,
        Err(bad) => malformed(bad.description()),
    }
}

/// `GET /authorize/{grant}`: where the pages send the browser when they did their part.
pub(in crate::http::oauth) async fn resume(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    grant: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(grant) = grant.ok().and_then(|Path(text)| text.parse::<GrantId>().ok()) else {
        return malformed("there is no such sign-in");
    };
    let step = authorize::resume(&server.oauth, grant, browser.digest(), login.login()).await;
    go(&server, browser, step)
}

async fn begin(
    server: &Server,
    browser: Browser,
    login: &CurrentLogin,
    params: &Params,
) -> Response {
    let step = authorize::begin(&server.oauth, params, login.login(), browser.digest()).await;
    go(server, browser, step)
}

fn malformed(what: &str) -> Response {
    let text = format!("The app that sent you here made a mistake: {what}.");
    pages::error(StatusCode::BAD_REQUEST, "This request cannot be answered", &text)
}

/// Sends the browser where it has to go next, and to a page of ours with its cookie: what waits
/// there is bound to it.
fn go(server: &Server, browser: Browser, step: Result<Step, AuthorizeError>) -> Response {
    let shows_page =
        matches!(step, Ok(Step::SignIn { .. } | Step::SelectAccount { .. } | Step::Consent { .. }));
    let answer = pages::go(server, step);
    if shows_page { (browser, answer).into_response() } else { answer }
}
