//! `/authorize`. Source: RFC 6749 section 3.1, OpenID Connect Core section 3.1.2.1.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::language::Wished;
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
    wished: Wished,
    request: Request,
) -> Response {
    match Params::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        Ok(params) => begin(&server, browser, &login, &params, wished).await,
        Err(bad) => malformed(pages::params_words(bad)),
    }
}

/// `POST /authorize`: the same, with the parameters in the body.
pub(in crate::http::oauth) async fn post(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    wished: Wished,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match form::read(&parts.headers, body).await {
        Ok(params) => begin(&server, browser, &login, &params, wished).await,
        Err(bad) => malformed(bad.words()),
    }
}

/// `GET /authorize/{grant}`: where the pages send the browser when they did their part.
pub(in crate::http::oauth) async fn resume(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    wished: Wished,
    grant: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(grant) = grant.ok().and_then(|Path(text)| text.parse::<GrantId>().ok()) else {
        return malformed("error-what-no-sign-in");
    };
    let step = authorize::resume(&server.oauth, grant, browser.digest(), login.login()).await;
    go(&server, browser, step, wished)
}

async fn begin(
    server: &Server,
    browser: Browser,
    login: &CurrentLogin,
    params: &Params,
    wished: Wished,
) -> Response {
    let step = authorize::begin(&server.oauth, params, login.login(), browser.digest()).await;
    let waiting = match &step {
        Ok(
            Step::SignIn { grant, .. }
            | Step::SelectAccount { grant, .. }
            | Step::Consent { grant, .. },
        ) => Some(*grant),
        Ok(Step::Reply(_)) | Err(_) => None,
    };
    if let Some(grant) = waiting
        && let Some(invitation) = pages::invitation::before(server, grant, params).await
    {
        return (browser, invitation).into_response();
    }
    go(server, browser, step, wished)
}

fn malformed(what: &'static str) -> Response {
    pages::error_about(StatusCode::BAD_REQUEST, "error-malformed", what)
}

/// Sends the browser where it has to go next, and to a page of ours with its cookie: what waits
/// there is bound to it.
fn go(
    server: &Server,
    browser: Browser,
    step: Result<Step, AuthorizeError>,
    wished: Wished,
) -> Response {
    let page = match &step {
        Ok(
            Step::SignIn { language, .. }
            | Step::SelectAccount { language, .. }
            | Step::Consent { language, .. },
        ) => Some(*language),
        Ok(Step::Reply(_)) | Err(_) => None,
    };
    let answer = pages::go(server, step);
    let Some(language) = page else { return answer };
    let mut answer = (browser, answer).into_response();
    wished.becomes(language, &mut answer);
    answer
}
