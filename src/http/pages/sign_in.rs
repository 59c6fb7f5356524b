//! `/sign-in`: the first factor.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::apps::model::App;
use crate::base::id::GrantId;
use crate::base::secret::Secret;
use crate::http::browser::Browser;
use crate::http::pages::consent::account_shown;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::links::{AppShown, Links};
use crate::http::pages::templates::{SignInPage, Site};
use crate::http::pages::{broken, complete, go, page, retry_after, see_other};
use crate::http::session::{CurrentLogin, SessionCookies};
use crate::oauth::authorize::{self, Step};
use crate::server::Server;
use crate::users::error::SignInError;
use crate::words::Language;

/// Longest name that is looked at, in bytes.
const USERNAME_BYTES_MAX: usize = 1024;

fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "sign-in".to_owned(), |grant| format!("sign-in/{grant}"))
}

/// What an attempt has come to.
struct Attempt<'a> {
    server: &'a Server,
    browser: &'a Browser,
    grant: Option<GrantId>,
    username: &'a str,
    language: Language,
}

impl Attempt<'_> {
    fn page(&self, status: StatusCode, app: Option<AppShown>, fault: Option<String>) -> Response {
        let Self { server, browser, grant, username, language } = self;
        page(
            status,
            &SignInPage {
                site: Site::of(&server.config, *language),
                app,
                grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
                csrf: browser.csrf(&server.vault, &csrf_purpose(*grant)),
                username: (*username).to_owned(),
                fault,
            },
        )
    }

    /// The app that still waits for this sign-in.
    async fn app(&self) -> Option<AppShown> {
        let digest = self.browser.digest();
        match authorize::resume(&self.server.oauth, self.grant?, digest, None).await {
            Ok(Step::SignIn { app, .. }) => Some(shown(self.server, &app, self.language).await),
            _ => None,
        }
    }

    async fn refuse(&self, error: SignInError) -> Response {
        let app = self.app().await;
        match error {
            SignInError::Wrong => {
                self.page(StatusCode::FORBIDDEN, app, Some(self.language.say("sign-in-wrong")))
            }
            SignInError::Throttled { retry_after_seconds } => {
                let text = too_many(self.language, retry_after_seconds);
                let answer = self.page(StatusCode::TOO_MANY_REQUESTS, app, Some(text));
                retry_after(answer, retry_after_seconds)
            }
            SignInError::Busy { retry_after_seconds } => {
                let text = self.language.say("sign-in-busy");
                let answer = self.page(StatusCode::SERVICE_UNAVAILABLE, app, Some(text));
                retry_after(answer, retry_after_seconds)
            }
            SignInError::Internal(error) => broken(&error),
        }
    }
}

/// What whoever guessed too often is told.
pub(in crate::http::pages) fn too_many(language: Language, seconds: u32) -> String {
    let wait = match seconds {
        0..=119 => language.say_with("sign-in-wait-seconds", &[("seconds", seconds.max(1).into())]),
        _ => {
            let minutes = seconds.div_ceil(60);
            language.say_with("sign-in-wait-minutes", &[("minutes", minutes.into())])
        }
    };
    language.say_with("sign-in-too-many", &[("wait", wait.into())])
}

/// `GET /sign-in`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let mut username = String::new();
    let mut app = None;
    if let Some(grant) = grant {
        let digest = browser.digest();
        match authorize::resume(&server.oauth, grant, digest, current.login()).await {
            Ok(Step::SignIn { app: asking, login_hint, .. }) => {
                username = login_hint.filter(|hint| hint.len() <= 256).unwrap_or_default();
                app = Some(shown(&server, &asking, language).await);
            }
            other => return go(&server, other),
        }
    } else if current.login().is_some() {
        return see_other("/");
    }
    let attempt =
        Attempt { server: &server, browser: &browser, grant, username: &username, language };
    let answer = attempt.page(StatusCode::OK, app, None);
    (browser, answer).into_response()
}

/// `GET /sign-in/again`: for a step that asks for a fresh sign-in, by whoever is signed in.
pub(in crate::http::pages) async fn again(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let Some(user) = current.user() else { return see_other("/sign-in") };
    let username = &user.username;
    let attempt = Attempt { server: &server, browser: &browser, grant: None, username, language };
    let answer = attempt.page(StatusCode::OK, None, None);
    (browser, answer).into_response()
}

async fn shown(server: &Server, app: &App, language: Language) -> AppShown {
    let account = server.accounts.find(&app.account).await.ok().flatten();
    let name = account.map_or_else(String::new, |account| account.name.clone());
    let account = account_shown(&name, &app.account);
    AppShown { title: app.title_in(language).to_owned(), account, links: Links::of(app, language) }
}

/// `POST /sign-in`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    language: Language,
    form: Form,
) -> Response {
    let grant = form.grant;
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant), form.get("csrf")) {
        return not_ours();
    }
    let username = form.get("username").unwrap_or_default();
    let password = Secret::presented(form.get("password").unwrap_or_default());
    let attempt = Attempt { server: &server, browser: &browser, grant, username, language };
    if username.len() > USERNAME_BYTES_MAX {
        let attempt = Attempt { username: "", ..attempt };
        let text = language.say("sign-in-too-long");
        return attempt.page(StatusCode::BAD_REQUEST, attempt.app().await, Some(text));
    }
    let user = match server.users.sign_in(username, &password, browser.source()).await {
        Ok(user) => user,
        Err(error) => return attempt.refuse(error).await,
    };
    complete::signed_in(&server, &cookies, &browser, &user, &["pwd"], grant).await
}

/// `POST /sign-in/cancel`: whoever would rather not sign in goes back to the app.
pub(in crate::http::pages) async fn cancel(
    State(server): State<Server>,
    browser: Browser,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, &csrf_purpose(form.grant), form.get("csrf")) {
        return not_ours();
    }
    match form.grant {
        Some(grant) => {
            let step = authorize::cancel(&server.oauth, grant, browser.digest()).await;
            go(&server, step)
        }
        None => see_other("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_words() {
        let wait = |seconds| {
            too_many(Language::English, seconds).split("wait ").nth(1).unwrap().to_owned()
        };

        assert_eq!(wait(1), "a second, then try again.");
        assert_eq!(wait(64), "64 seconds, then try again.");
        assert_eq!(wait(121), "3 minutes, then try again.");
    }
}
