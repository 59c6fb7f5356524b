//! `/sign-in`: the first factor.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::apps::model::App;
use crate::base::id::GrantId;
use crate::base::secret::Secret;
use crate::config::sign_up::SignUp;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::http::pages::complete::with_grant;
use crate::http::pages::consent::account_shown;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::key_form::{self, ALONE, KeyForm};
use crate::http::pages::links::{AppShown, Links};
use crate::http::pages::templates::{SignInPage, Site};
use crate::http::pages::upstream::buttons::{self, Asks, ProviderButtons};
use crate::http::pages::{broken, complete, go, page, retry_after, see_other};
use crate::http::session::{CurrentLogin, SessionCookies};
use crate::oauth::authorize::{self, Step};
use crate::oauth::provenance;
use crate::server::Server;
use crate::users::error::SignInError;
use crate::users::model::User;
use crate::words::Language;

/// Longest name that is looked at, in bytes.
const USERNAME_BYTES_MAX: usize = 1024;

pub(in crate::http::pages) fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "sign-in".to_owned(), |grant| format!("sign-in/{grant}"))
}

/// What an attempt has come to.
pub(in crate::http::pages) struct Attempt<'a> {
    pub(in crate::http::pages) server: &'a Server,
    pub(in crate::http::pages) browser: &'a Browser,
    pub(in crate::http::pages) grant: Option<GrantId>,
    pub(in crate::http::pages) username: &'a str,
    pub(in crate::http::pages) language: Language,
}

/// What stands around the form.
#[derive(Default)]
struct Around {
    app: Option<AppShown>,
    providers: ProviderButtons,
}

impl Attempt<'_> {
    fn page(&self, status: StatusCode, around: Around, fault: Option<String>) -> Response {
        let Self { server, browser, grant, username, language } = self;
        let Around { app, providers } = around;
        let csrf = browser.csrf(&server.vault, &csrf_purpose(*grant));
        let forgot = with_grant("/forgot", *grant);
        let is_open = server.config.sign_up == SignUp::Open;
        let sign_up = is_open.then(|| with_grant("/sign-up", *grant));
        let grant = grant.map(|grant| grant.to_string()).unwrap_or_default();
        let passkey = match server.users.ask_passkey(&browser.digest()) {
            // What was refused once is not offered by itself again.
            Ok(ask) => ask.map(|ask| KeyForm {
                autofill: fault.is_none(),
                ..KeyForm::of(ALONE, (&csrf, &grant), ask)
            }),
            Err(error) => return broken(&error),
        };
        let site = Site::of(&server.config, *language);
        let username = (*username).to_owned();
        let has_script = passkey.is_some();
        let shown = SignInPage {
            site,
            app,
            grant,
            csrf,
            username,
            providers,
            forgot,
            sign_up,
            fault,
            passkey,
        };
        let answer = page(status, &shown);
        if has_script { key_form::scripted(server, answer) } else { answer }
    }

    /// The app that still waits for this sign-in.
    async fn app(&self) -> Option<Arc<App>> {
        waiting_app(self.server, self.browser, self.grant).await
    }

    /// What stands around the form if this app asks, or nobody.
    async fn around(&self, app: Option<&App>) -> Around {
        let Self { server, browser, grant, language, .. } = self;
        let asks = app.map_or(Asks::Nobody, Asks::App);
        let providers = buttons::of(server, browser, asks, *grant).await;
        let app = match app {
            Some(app) => Some(shown(server, app, *language).await),
            None => None,
        };
        Around { app, providers }
    }

    /// What a member of the app's account is told whom it demands to sign in elsewhere.
    async fn demand(&self, app: &App, user: &User) -> Result<Option<String>, DbError> {
        let demanded = provenance::demanded(&self.server.oauth, app, &user.id).await?;
        let Some(provider) = demanded.first() else { return Ok(None) };
        let account = self.server.accounts.find(&app.account).await?;
        let account = account.map_or_else(String::new, |account| account.name.clone());
        let values = [("account", account.into()), ("provider", provider.title.as_str().into())];
        Ok(Some(self.language.say_with("upstream-required", &values)))
    }

    /// The page again, and why; `wrong` is what was wrong, if something was.
    pub(in crate::http::pages) async fn refuse(&self, error: SignInError, wrong: &str) -> Response {
        let around = self.around(self.app().await.as_deref()).await;
        match error {
            SignInError::Wrong => {
                self.page(StatusCode::FORBIDDEN, around, Some(self.language.say(wrong)))
            }
            SignInError::Throttled { retry_after_seconds } => {
                let text = too_many(self.language, retry_after_seconds);
                let answer = self.page(StatusCode::TOO_MANY_REQUESTS, around, Some(text));
                retry_after(answer, retry_after_seconds)
            }
            SignInError::Busy { retry_after_seconds } => {
                let text = self.language.say("sign-in-busy");
                let answer = self.page(StatusCode::SERVICE_UNAVAILABLE, around, Some(text));
                retry_after(answer, retry_after_seconds)
            }
            SignInError::Internal(error) => broken(&error),
        }
    }
}

/// What whoever guessed too often is told.
pub(in crate::http::pages) fn too_many(language: Language, seconds: u32) -> String {
    let wait = wait_in_words(language, seconds);
    language.say_with("sign-in-too-many", &[("wait", wait.into())])
}

/// A wait, as people say it.
pub(in crate::http::pages) fn wait_in_words(language: Language, seconds: u32) -> String {
    if seconds < 120 {
        return language.say_with("sign-in-wait-seconds", &[("seconds", seconds.max(1).into())]);
    }
    let minutes = seconds.div_ceil(60);
    language.say_with("sign-in-wait-minutes", &[("minutes", minutes.into())])
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
                app = Some(asking);
            }
            other => return go(&server, other),
        }
    } else if current.login().is_some() {
        return see_other("/");
    }
    let attempt =
        Attempt { server: &server, browser: &browser, grant, username: &username, language };
    let demand = match (&app, current.user()) {
        (Some(app), Some(user)) => attempt.demand(app, user).await,
        _ => Ok(None),
    };
    let demand = match demand {
        Ok(demand) => demand,
        Err(error) => return broken(&error),
    };
    let answer = attempt.page(StatusCode::OK, attempt.around(app.as_deref()).await, demand);
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
    let providers = buttons::of(&server, &browser, Asks::Again(user), None).await;
    let answer = attempt.page(StatusCode::OK, Around { app: None, providers }, None);
    (browser, answer).into_response()
}

/// The app that waits for somebody to sign in or to sign up.
pub(in crate::http::pages) async fn waiting_app(
    server: &Server,
    browser: &Browser,
    grant: Option<GrantId>,
) -> Option<Arc<App>> {
    match authorize::resume(&server.oauth, grant?, browser.digest(), None).await {
        Ok(Step::SignIn { app, .. }) => Some(app),
        _ => None,
    }
}

/// What a page shows of an app.
pub(in crate::http::pages) async fn shown(
    server: &Server,
    app: &App,
    language: Language,
) -> AppShown {
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
        let around = attempt.around(attempt.app().await.as_deref()).await;
        return attempt.page(StatusCode::BAD_REQUEST, around, Some(text));
    }
    let user = match server.users.sign_in(username, &password, browser.source()).await {
        Ok(user) => user,
        Err(error) => return attempt.refuse(error, "sign-in-wrong").await,
    };
    if let Some(app) = attempt.app().await {
        match attempt.demand(&app, &user).await {
            Ok(None) => {}
            Ok(demand) => {
                let around = attempt.around(Some(&app)).await;
                return attempt.page(StatusCode::FORBIDDEN, around, demand);
            }
            Err(error) => return broken(&error),
        }
    }
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
