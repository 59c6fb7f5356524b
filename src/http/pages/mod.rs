//! The pages that people see.
//!
//! They carry the number of the authorization that they are for, and come back through the
//! protocol's own next step: no page can be skipped by its URL.

pub mod account;
mod approvals;
mod check_session;
mod complete;
mod consent;
mod device;
mod errand;
pub mod factor_views;
pub(in crate::http) mod form;
mod form_post;
mod fresh;
mod home;
pub mod invitation;
pub mod key_form;
pub mod leaving;
pub mod links;
pub mod mailed;
mod passkey;
mod question;
pub mod second;
pub mod select_account;
mod sign_in;
pub(in crate::http) mod signed_out;
pub mod teller;
pub mod templates;
pub mod templates_requests;
pub mod templates_upstream;
pub mod upstream;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{CONTENT_LENGTH, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::base::id::GrantId;
use crate::http::interaction;
use crate::http::language::{speak, spoken};
use crate::http::pages::templates::{ErrorPage, Link, Site};
use crate::oauth::authorize::Step;
use crate::oauth::error::AuthorizeError;
use crate::oauth::params::BadParams;
use crate::oauth::response::Reply;
use crate::server::Server;
use crate::words::Language;

/// The pages' routes.
pub fn routes(server: &Server) -> Router<Server> {
    Router::new()
        .route("/", get(home::home))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-in/again", get(sign_in::again))
        .route("/sign-in/cancel", post(sign_in::cancel))
        .route("/sign-in/passkey", post(passkey::submit))
        .route("/sign-in/totp", get(second::code::show).post(second::code::submit))
        .route("/sign-in/key", get(second::key::show).post(second::key::submit))
        .route("/sign-in/recovery", get(second::recovery::show).post(second::recovery::submit))
        .route("/sign-in/enrol", get(second::enrol::show).post(second::enrol::submit))
        .route("/sign-in/enrol/key", post(second::enrol::submit_key))
        .route("/select-account", get(select_account::show).post(select_account::submit))
        .route("/approvals", get(approvals::show).post(approvals::submit))
        .route("/device", get(device::show).post(device::submit))
        .route("/consent", get(consent::show).post(consent::submit))
        .route("/signed-out", get(signed_out::show))
        .merge(account::routes())
        .merge(upstream::routes())
        .merge(mailed::routes())
        .merge(invitation::routes())
        .layer(from_fn_with_state(server.clone(), speak))
        .layer(from_fn_with_state(interaction::state(server), interaction::echo))
        // For scripts: it says nothing.
        .route("/session/check", get(check_session::show))
}

/// The page for a path that is not there.
pub async fn not_found(language: Language) -> Response {
    let link = Link { href: "/".to_owned(), text: "error-not-found-link" };
    spoken(error_with(StatusCode::NOT_FOUND, "error-not-found", Some(link)), language)
}

/// The page for a method that the path does not answer.
pub async fn method_not_allowed(language: Language) -> Response {
    spoken(error(StatusCode::METHOD_NOT_ALLOWED, "error-method"), language)
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

/// A page whose language somebody else knows: made once more by [`in_language`].
#[derive(Clone)]
struct InAnyLanguage(Arc<dyn Fn(Language) -> askama::Result<String> + Send + Sync>);

/// A page in English, or in the language of the browser where that is known.
pub fn page_in_any_language<T: Template>(
    status: StatusCode,
    make: impl Fn(Language) -> T + Send + Sync + 'static,
) -> Response {
    let mut answer = page(status, &make(Language::English));
    let again = InAnyLanguage(Arc::new(move |language| make(language).render()));
    answer.extensions_mut().insert(again);
    answer
}

/// The answer in this language, if it is a page in any; else as it is.
pub(in crate::http) fn in_language(answer: Response, language: Language) -> Response {
    if language == Language::English {
        return answer;
    }
    let Some(InAnyLanguage(make)) = answer.extensions().get() else { return answer };
    match make(language) {
        Ok(html) => {
            let (mut parts, _) = answer.into_parts();
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, html.into())
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            answer
        }
    }
}

/// What an error page says.
#[derive(Debug)]
struct Said {
    title: String,
    text: String,
    what: Option<&'static str>,
    link: Option<Link>,
}

impl Said {
    fn of(stem: &str) -> Self {
        let (title, text) = (format!("{stem}-title"), format!("{stem}-text"));
        Self { title, text, what: None, link: None }
    }

    fn answer(self, status: StatusCode) -> Response {
        page_in_any_language(status, move |language| ErrorPage {
            site: Site::plain(language),
            title: language.say(&self.title),
            text: match self.what {
                Some(what) => language.say_with(&self.text, &[("what", language.say(what).into())]),
                None => language.say(&self.text),
            },
            link: self.link.clone(),
        })
    }
}

/// A page that says what went wrong, with the words `STEM-title` and `STEM-text`: ours, never a
/// client's.
pub fn error(status: StatusCode, stem: &str) -> Response {
    Said::of(stem).answer(status)
}

/// An error page with a way out.
pub fn error_with(status: StatusCode, stem: &str, link: Option<Link>) -> Response {
    Said { link, ..Said::of(stem) }.answer(status)
}

/// An error page with the title of `stem`, and words of their own for its text.
pub fn error_because(status: StatusCode, stem: &str, text: &str) -> Response {
    Said { text: text.to_owned(), ..Said::of(stem) }.answer(status)
}

/// An error page whose text names, as `$what`, what else has words.
pub fn error_about(status: StatusCode, stem: &str, what: &'static str) -> Response {
    Said { what: Some(what), ..Said::of(stem) }.answer(status)
}

/// The words for what is wrong with a query or form.
pub fn params_words(bad: BadParams) -> &'static str {
    match bad {
        BadParams::Repeated => "error-what-repeated",
        BadParams::TooMany => "error-what-too-many",
        BadParams::TooLong => "error-what-too-long",
        BadParams::NotText => "error-what-not-text",
    }
}

/// The page for a failure of ours; the reason goes to the log.
pub fn broken(error: &dyn std::error::Error) -> Response {
    tracing::error!(?error, "a page failed");
    self::error(StatusCode::INTERNAL_SERVER_ERROR, "error-broken")
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
        Ok(Step::SignIn { grant, create: true, .. }) => {
            see_other(&format!("/sign-up?grant={grant}"))
        }
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
        AuthorizeError::Page(words) => {
            error_because(StatusCode::BAD_REQUEST, "error-request", words)
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
