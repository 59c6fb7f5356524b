//! `/logout`. Source: OpenID Connect RP-Initiated Logout 1.0.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use form_urlencoded::Serializer;
use http::StatusCode;

use crate::http::browser::Browser;
use crate::http::oauth::form;
use crate::http::pages;
use crate::http::pages::form::not_ours;
use crate::http::pages::signed_out;
use crate::http::pages::templates::{SignOutPage, Site};
use crate::http::session::{self, CurrentLogin, SessionCookies};
use crate::oauth::logout::{self, LogoutError, LogoutRequest, LogoutStep, OF_AUTHORIZE};
use crate::oauth::params::Params;
use crate::server::Server;
use crate::words::Language;

const CSRF: &str = "logout";
/// What tells the answer on our own page from an app's request in a form.
const CONFIRM: &str = "confirm";
/// What an app says; the form of our own page carries it on.
const OF_THE_APP: [&str; 5] =
    ["id_token_hint", "client_id", "post_logout_redirect_uri", "logout_uri", "state"];

/// `GET /logout`.
pub(in crate::http::oauth) async fn get(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    cookies: SessionCookies,
    language: Language,
    request: Request,
) -> Response {
    let params = match Params::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        Ok(params) => params,
        Err(bad) => return refused(pages::params_words(bad)),
    };
    let asked = match logout::read(&server.oauth, &params).await {
        Ok(asked) => asked,
        Err(error) => return answer_error(&error),
    };
    match asked.step(&server.oauth, login.login()) {
        LogoutStep::Nothing => go(&asked),
        LogoutStep::End => end(&server, &login, &cookies, &asked, language).await,
        LogoutStep::Confirm => ask(&server, browser, &login, (&asked, &params), language),
    }
}

/// The page that asks; its answer comes to [`post`].
fn ask(
    server: &Server,
    browser: Browser,
    login: &CurrentLogin,
    (asked, params): (&LogoutRequest, &Params),
    language: Language,
) -> Response {
    let mut fields = of_the_app(params);
    fields.push((CONFIRM, "yes"));
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let page = SignOutPage {
        site: Site::plain(language),
        app: asked.app.as_ref().map(|app| app.title_in(language).to_owned()),
        user: login.user().map_or_else(String::new, |user| user.username.clone()),
        action: "/logout".to_owned(),
        csrf: browser.csrf(&server.vault, CSRF),
        fields: fields.into_iter().map(own).collect(),
    };
    (browser, pages::page(StatusCode::OK, &page)).into_response()
}

/// `POST /logout`: the answer on our own page, or an app's request in a form.
///
/// A form of another site comes without the session cookie, so the browser is sent to ask again
/// by GET.
pub(in crate::http::oauth) async fn post(
    State(server): State<Server>,
    browser: Browser,
    login: CurrentLogin,
    cookies: SessionCookies,
    language: Language,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let params = match form::read(&parts.headers, body).await {
        Ok(params) => params,
        Err(bad) => return refused(bad.words()),
    };
    let of_the_app = of_the_app(&params);
    if !params.has(CONFIRM) && !of_the_app.is_empty() {
        let query = Serializer::new(String::new()).extend_pairs(of_the_app).finish();
        return pages::see_other(&format!("/logout?{query}"));
    }
    if !browser.check_csrf(&server.vault, CSRF, params.get("csrf")) {
        return not_ours();
    }
    match logout::read(&server.oauth, &params).await {
        Ok(asked) => end(&server, &login, &cookies, &asked, language).await,
        Err(error) => answer_error(&error),
    }
}

fn of_the_app(params: &Params) -> Vec<(&str, &str)> {
    let is_theirs = |name: &str| OF_THE_APP.contains(&name) || OF_AUTHORIZE.contains(&name);
    params.pairs().filter(|(name, _)| is_theirs(name)).collect()
}

/// Ends the session, and what it gave to apps, before the browser goes on.
async fn end(
    server: &Server,
    login: &CurrentLogin,
    cookies: &SessionCookies,
    asked: &LogoutRequest,
    language: Language,
) -> Response {
    let frames = match login.login() {
        Some(login) => logout::end(&server.oauth, login).await,
        None => Ok(Vec::new()),
    };
    let frames = match frames {
        Ok(frames) => frames,
        Err(error) => return pages::broken(&error),
    };
    match cookies.end(server).await {
        Ok(removed) => {
            let mut response = match frames.as_slice() {
                [] => go(asked),
                _ => signed_out::with_frames(server, frames, asked.then.clone(), language),
            };
            session::set(response.headers_mut(), removed);
            response
        }
        Err(error) => pages::broken(&error),
    }
}

fn go(asked: &LogoutRequest) -> Response {
    pages::see_other(asked.then.as_deref().unwrap_or("/signed-out"))
}

fn refused(what: &'static str) -> Response {
    pages::error_about(StatusCode::BAD_REQUEST, "error-logout", what)
}

fn answer_error(error: &LogoutError) -> Response {
    match error {
        LogoutError::Refused(words) => {
            pages::error_because(StatusCode::BAD_REQUEST, "error-logout", words)
        }
        LogoutError::Internal(error) => pages::broken(error),
    }
}
