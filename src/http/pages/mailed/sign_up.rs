//! `/sign-up`: making a user of one's own.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::id::GrantId;
use crate::base::secret::Secret;
use crate::config::sign_up::SignUp;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, Opened, not_ours};
use crate::http::pages::links::AppShown;
use crate::http::pages::mailed::refuse;
use crate::http::pages::mailed::templates::{CheckMailPage, Fault, SignUpPage};
use crate::http::pages::sign_in::{shown, waiting_app};
use crate::http::pages::templates::Site;
use crate::http::pages::{complete, error, go, page, see_other, sign_in_path};
use crate::http::session::{CurrentLogin, SessionCookies};
use crate::oauth::authorize::{self, Step};
use crate::server::Server;
use crate::users::mailed::sign_up::Wanted;
use crate::users::mailed::{Begun, MailedError};
use crate::words::Language;

const AGAIN: &str = "sign-up/again";

fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "sign-up".to_owned(), |grant| format!("sign-up/{grant}"))
}

/// What somebody has typed so far.
#[derive(Clone, Copy)]
struct Draft<'a> {
    server: &'a Server,
    browser: &'a Browser,
    language: Language,
    grant: Option<GrantId>,
    invitation: &'a str,
    name: &'a str,
    email: &'a str,
}

impl Draft<'_> {
    fn page(&self, status: StatusCode, app: Option<AppShown>, fault: Option<Fault>) -> Response {
        let Self { server, browser, grant, .. } = self;
        page(
            status,
            &SignUpPage {
                site: Site::of(&server.config, self.language),
                app,
                grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
                csrf: browser.csrf(&server.vault, &csrf_purpose(*grant)),
                invitation: self.invitation.to_owned(),
                name: self.name.to_owned(),
                email: self.email.to_owned(),
                sign_in: sign_in_path(*grant),
                fault,
            },
        )
    }

    async fn refuse(&self, error: MailedError) -> Response {
        let app = match waiting_app(self.server, self.browser, self.grant).await {
            Some(app) => Some(shown(self.server, &app, self.language).await),
            None => None,
        };
        refuse(error, self.language, |status, fault| self.page(status, app, fault))
    }
}

/// The page for whoever may not sign up, if they may not.
fn not_open(mode: SignUp) -> Option<Response> {
    match mode {
        SignUp::Open => None,
        SignUp::Invitation => Some(error(StatusCode::FORBIDDEN, "error-sign-up-invited")),
        SignUp::Operators | SignUp::Closed => {
            Some(error(StatusCode::NOT_FOUND, "error-sign-up-closed"))
        }
    }
}

/// `GET /sign-up`, also the link of an invitation.
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    Opened { token, grant }: Opened,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let mut email = String::new();
    let invitation = token.filter(|_| server.config.sign_up.takes_written_to());
    if let Some(token) = &invitation {
        match server.users.invitation(token).await {
            Ok(invitation) => email = invitation.email,
            Err(error) => return refuse(error, language, |_, _| super::over()),
        }
    } else if let Some(refusal) = not_open(server.config.sign_up) {
        return refusal;
    }
    let mut app = None;
    if let Some(grant) = grant {
        let digest = browser.digest();
        match authorize::resume(&server.oauth, grant, digest, current.login()).await {
            Ok(Step::SignIn { app: asking, login_hint, .. }) => {
                email = login_hint.filter(|hint| hint.len() <= 256).unwrap_or_default();
                app = Some(shown(&server, &asking, language).await);
            }
            other => return go(&server, other),
        }
    } else if current.login().is_some() && invitation.is_none() {
        return see_other("/");
    }
    let invitation = invitation.as_deref().unwrap_or_default();
    let (server, name, email) = (&server, "", email.as_str());
    let draft = Draft { server, browser: &browser, language, grant, invitation, name, email };
    let answer = draft.page(StatusCode::OK, app, None);
    (browser, answer).into_response()
}

/// `POST /sign-up`
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
    let field = |name| form.get(name).unwrap_or_default();
    let (name, email, invitation) = (field("name"), field("email"), field("token"));
    let password = Secret::presented(field("password"));
    let draft =
        Draft { server: &server, browser: &browser, language, grant, invitation, name, email };
    if !invitation.is_empty() && server.config.sign_up.takes_written_to() {
        return accept(draft, &cookies, &password).await;
    }
    if let Some(refusal) = not_open(server.config.sign_up) {
        return refusal;
    }
    let begun = Begun { browser: browser.digest(), grant: grant.map(|grant| grant.0), language };
    let wanted = Wanted { name, email, password: &password };
    match server.users.sign_up(&wanted, begun, browser.source()).await {
        Ok(again) => check_mail(&draft, again, false),
        Err(error) => draft.refuse(error).await,
    }
}

async fn accept(draft: Draft<'_>, cookies: &SessionCookies, password: &Secret) -> Response {
    let Draft { server, browser, grant, .. } = draft;
    let invitation = match server.users.invitation(draft.invitation).await {
        Ok(invitation) => invitation,
        Err(error) => return draft.refuse(error).await,
    };
    let email = invitation.email.clone();
    let draft = Draft { email: &email, ..draft };
    match server.users.accept_invitation(invitation, draft.name, password).await {
        Ok(user) => complete::signed_in(server, cookies, browser, &user, &["pwd"], grant).await,
        Err(error) => draft.refuse(error).await,
    }
}

fn check_mail(draft: &Draft<'_>, again: String, is_again: bool) -> Response {
    let Draft { server, browser, language, grant, email, .. } = draft;
    page(
        StatusCode::OK,
        &CheckMailPage {
            site: Site::of(&server.config, *language),
            lead: "check-mail-sign-up",
            to: email.trim().to_owned(),
            is_again,
            action: "/sign-up/again",
            csrf: browser.csrf(&server.vault, AGAIN),
            grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
            field: ("again", again),
            sign_in: sign_in_path(*grant),
        },
    )
}

/// `POST /sign-up/again`: has the letter sent once more.
pub(in crate::http::pages) async fn again(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, AGAIN, form.get("csrf")) {
        return not_ours();
    }
    if let Some(refusal) = not_open(server.config.sign_up) {
        return refusal;
    }
    let again = form.get("again").unwrap_or_default();
    let (server, browser, grant) = (&server, &browser, form.grant);
    let draft = Draft { server, browser, language, grant, invitation: "", name: "", email: "" };
    match server.users.sign_up_again(again, browser.source()).await {
        Ok(email) => check_mail(&Draft { email: &email, ..draft }, again.to_owned(), true),
        Err(error) => draft.refuse(error).await,
    }
}
