//! Pages around letters: signing up, setting another password, proving an address.
//!
//! A page that a link opens changes nothing; its button does.

mod confirm;
mod email;
mod forgot;
mod reset;
mod sign_up;
pub mod templates;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use crate::http::pages::mailed::templates::Fault;
use crate::http::pages::sign_in::wait_in_words;
use crate::http::pages::templates::Link;
use crate::http::pages::{broken, error_with, retry_after};
use crate::server::Server;
use crate::users::chosen::Weakness;
use crate::users::mailed::MailedError;
use crate::words::Language;

/// The routes of these pages.
pub(in crate::http::pages) fn routes() -> Router<Server> {
    Router::new()
        .route("/sign-up", get(sign_up::show).post(sign_up::submit))
        .route("/sign-up/again", post(sign_up::again))
        .route("/sign-up/confirm", get(confirm::show).post(confirm::submit))
        .route("/forgot", get(forgot::show).post(forgot::submit))
        .route("/reset", get(reset::show).post(reset::submit))
        .route("/verify-email", get(email::show).post(email::verify))
        .route("/revert-email", get(email::show_back).post(email::take_back))
}

/// A refusal that the page says to whoever can do something about it.
pub(in crate::http::pages) struct Refusal {
    status: StatusCode,
    fault: Fault,
    retry_after_seconds: Option<u32>,
}

impl Refusal {
    /// What to say of an error.
    ///
    /// # Errors
    /// The answer, if there is nothing left to do on that page.
    #[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
    pub(in crate::http::pages) fn of(
        error: MailedError,
        language: Language,
    ) -> Result<Self, Response> {
        let say = |status, field, id: &str| (status, field, language.say(id), None);
        let (status, field, text, retry_after_seconds) = match error {
            MailedError::Over => return Err(over()),
            MailedError::Internal(error) => return Err(broken(&error)),
            MailedError::Wrong => say(StatusCode::FORBIDDEN, "password", "link-wrong-password"),
            MailedError::Taken => say(StatusCode::CONFLICT, "email", "sign-up-taken"),
            MailedError::Weak(weakness) => {
                say(StatusCode::BAD_REQUEST, "password", words_for(weakness))
            }
            MailedError::Address => say(StatusCode::BAD_REQUEST, "email", "sign-up-bad-email"),
            MailedError::Name(_) => say(StatusCode::BAD_REQUEST, "name", "sign-up-bad-name"),
            MailedError::Throttled { retry_after_seconds: seconds } => {
                let wait = wait_in_words(language, seconds);
                let text = language.say_with("sign-up-too-many", &[("wait", wait.into())]);
                (StatusCode::TOO_MANY_REQUESTS, "", text, Some(seconds))
            }
            MailedError::Busy { retry_after_seconds: seconds } => {
                let text = language.say("sign-up-busy");
                (StatusCode::SERVICE_UNAVAILABLE, "", text, Some(seconds))
            }
        };
        Ok(Self { status, fault: Fault { field, text }, retry_after_seconds })
    }

    /// The page that says it.
    pub(in crate::http::pages) fn on(
        self,
        page: impl FnOnce(StatusCode, Option<Fault>) -> Response,
    ) -> Response {
        let answer = page(self.status, Some(self.fault));
        match self.retry_after_seconds {
            Some(seconds) => retry_after(answer, seconds),
            None => answer,
        }
    }
}

/// The page that says of an error what can be said, or the end of the matter.
pub(in crate::http::pages) fn refuse(
    error: MailedError,
    language: Language,
    page: impl FnOnce(StatusCode, Option<Fault>) -> Response,
) -> Response {
    match Refusal::of(error, language) {
        Ok(refusal) => refusal.on(page),
        Err(answer) => answer,
    }
}

/// The page for a link that is used, too old, void, or never was one.
pub(in crate::http::pages) fn over() -> Response {
    let link = Link { href: "/".to_owned(), text: "error-not-found-link" };
    error_with(StatusCode::GONE, "error-link-over", Some(link))
}

fn words_for(weakness: Weakness) -> &'static str {
    match weakness {
        Weakness::TooShort => "password-too-short",
        Weakness::TooLong => "password-too-long",
        Weakness::Common => "password-common",
        Weakness::Personal => "password-personal",
        Weakness::Keyboard => "password-keyboard",
        Weakness::Repeated => "password-repeated",
        Weakness::Sequence => "password-sequence",
        Weakness::Date => "password-date",
        Weakness::Guessable => "password-guessable",
    }
}
