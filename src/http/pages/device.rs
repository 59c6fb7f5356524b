//! `/device`: the code that a device shows is typed in here. Source: RFC 8628 section 3.3.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use crate::http::browser::Browser;
use crate::http::pages::errand::{Place, sign_in_first};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::leaving::Leaving;
use crate::http::pages::sign_in::too_many;
use crate::http::pages::teller::Teller;
use crate::http::pages::templates::{Link, Site};
use crate::http::pages::templates_requests::{
    DeviceConfirmPage, DeviceDonePage, DevicePage, Wanted,
};
use crate::http::pages::{broken, error, error_with, page, retry_after};
use crate::http::session::CurrentLogin;
use crate::oauth::device::{self, UserCode};
use crate::oauth::params::Params;
use crate::oauth::waiting::{Ask, AskError};
use crate::server::Server;
use crate::users::error::SignInError;
use crate::users::login::Login;
use crate::users::model::User;
use crate::words::Language;

/// Bound to the browser, the session and, once it is known, the code: nobody else can answer.
fn csrf_purpose(login: &Login, code: Option<&UserCode>) -> String {
    let code = code.map(UserCode::shown).unwrap_or_default();
    format!("device/{code}/{}", URL_SAFE_NO_PAD.encode(login.session.0))
}

/// Who is at the page, with what.
struct Visit<'a> {
    server: &'a Server,
    browser: &'a Browser,
    login: &'a Login,
    user: &'a User,
    language: Language,
}

impl Visit<'_> {
    fn site(&self) -> Site {
        let who = (self.login, self.user);
        let leaving = Leaving::of(self.server, self.browser, who, self.language);
        Site { leaving, ..Site::of(&self.server.config, self.language) }
    }

    fn page(&self, status: StatusCode, code: &str, fault: Option<String>) -> Response {
        let Self { server, browser, login, .. } = self;
        let code = code.chars().take(32).collect();
        let csrf = browser.csrf(&server.vault, &csrf_purpose(login, None));
        page(status, &DevicePage { site: self.site(), csrf, code, fault })
    }

    async fn confirm(&self, code: &UserCode, ask: &Ask) -> Response {
        let teller = match Teller::of(self.server, self.language).await {
            Ok(teller) => teller,
            Err(error) => return broken(&error),
        };
        let Self { server, browser, login, user, .. } = self;
        let confirm = DeviceConfirmPage {
            site: self.site(),
            csrf: browser.csrf(&server.vault, &csrf_purpose(login, Some(code))),
            code: code.shown(),
            user: user.shown_name().to_owned(),
            wanted: Wanted::of(ask, &teller, self.language),
        };
        page(StatusCode::OK, &confirm)
    }

    /// Takes a code as it was typed. Every attempt counts until it was right.
    async fn look_up(&self, typed: &str) -> Response {
        let guess = match self.server.users.guess(self.user, self.browser.source()).await {
            Ok(guess) => guess,
            Err(SignInError::Throttled { retry_after_seconds: seconds }) => {
                let text = Some(too_many(self.language, seconds));
                let answer = self.page(StatusCode::TOO_MANY_REQUESTS, typed, text);
                return retry_after(answer, seconds);
            }
            Err(error) => return broken(&error),
        };
        let wrong = || {
            let text = self.language.say("device-wrong");
            self.page(StatusCode::FORBIDDEN, typed, Some(text))
        };
        let Some(code) = UserCode::parse(typed) else { return wrong() };
        let found = device::look_up(&self.server.oauth, self.login, &code).await;
        if !matches!(found, Err(AskError::Over))
            && let Err(error) = self.server.users.guessed(guess).await
        {
            return broken(&error);
        }
        match found {
            Ok(ask) => self.confirm(&code, &ask).await,
            Err(AskError::Over) => wrong(),
            Err(other) => refused(&other),
        }
    }

    async fn answer(&self, code: &UserCode, allowed: bool) -> Response {
        match device::answer(&self.server.oauth, self.login, code, allowed).await {
            Ok(()) => page(StatusCode::OK, &DeviceDonePage { site: self.site(), allowed }),
            Err(refusal) => refused(&refusal),
        }
    }
}

/// Why an answer does not count, or is not asked for.
pub(in crate::http::pages) fn refused(refusal: &AskError) -> Response {
    match refusal {
        AskError::Over => error(StatusCode::BAD_REQUEST, "error-request-over"),
        AskError::NotAllowed => error(StatusCode::FORBIDDEN, "error-not-allowed"),
        AskError::NotSure => {
            let link = Link { href: "/account/factors".to_owned(), text: "error-not-sure-link" };
            error_with(StatusCode::FORBIDDEN, "error-not-sure", Some(link))
        }
        AskError::Internal(failure) => broken(failure),
    }
}

/// `GET /device`: a code in the link is filled in, and nothing else happens: whoever sends links
/// must not decide what they do. Source: RFC 8628 section 5.4.
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let params = Params::parse(query.as_bytes()).unwrap_or_default();
    let code = params.get("user_code").and_then(UserCode::parse);
    let (Some(login), Some(user)) = (current.login(), current.user()) else {
        return sign_in_first(&server, &Place::Device(code));
    };
    let visit = Visit { server: &server, browser: &browser, login, user, language };
    let code = code.as_ref().map(UserCode::shown).unwrap_or_default();
    let answer = visit.page(StatusCode::OK, &code, None);
    (browser, answer).into_response()
}

/// `POST /device`: a code, or the answer to what it stands for.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    let typed = form.get("user_code").unwrap_or_default();
    let code = UserCode::parse(typed);
    let (Some(login), Some(user)) = (current.login(), current.user()) else {
        return sign_in_first(&server, &Place::Device(code));
    };
    let visit = Visit { server: &server, browser: &browser, login, user, language };
    let decision = match form.get("decision") {
        None => None,
        Some("allow") => Some(true),
        Some("deny") => Some(false),
        Some(_) => return not_ours(),
    };
    let asked = code.as_ref().filter(|_| decision.is_some());
    if !browser.check_csrf(&server.vault, &csrf_purpose(login, asked), form.get("csrf")) {
        return not_ours();
    }
    match (asked, decision) {
        (Some(code), Some(allowed)) => visit.answer(code, allowed).await,
        _ => visit.look_up(typed).await,
    }
}
