//! `/verify-email` and `/revert-email`: links about one's address.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::secret::Secret;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, Opened, not_ours};
use crate::http::pages::mailed::templates::{DonePage, Fault, LinkWords, OpenedLinkPage};
use crate::http::pages::mailed::{over, refuse};
use crate::http::pages::templates::Site;
use crate::http::pages::{error, page};
use crate::http::session::CurrentLogin;
use crate::server::Server;
use crate::users::mailed::email::Proof;
use crate::users::model::User;
use crate::words::Language;

const VERIFY: &str = "verify-email";
const REVERT: &str = "revert-email";

/// A link that was opened.
struct Asking<'a> {
    server: &'a Server,
    browser: &'a Browser,
    language: Language,
    token: &'a str,
    user: &'a User,
    email: &'a str,
    asks_password: bool,
}

impl Asking<'_> {
    fn page(&self, status: StatusCode, fault: Option<Fault>, revert: bool) -> Response {
        let words = if revert {
            LinkWords {
                title: "revert-title",
                lead: "revert-lead",
                why: "verify-why",
                button: "revert-button",
            }
        } else {
            LinkWords {
                title: "verify-title",
                lead: "verify-lead",
                why: "verify-why",
                button: "verify-button",
            }
        };
        let purpose = if revert { REVERT } else { VERIFY };
        page(
            status,
            &OpenedLinkPage {
                site: Site::of(&self.server.config, self.language),
                words,
                email: self.email.to_owned(),
                username: self.user.username.clone(),
                action: if revert { "/revert-email" } else { "/verify-email" },
                csrf: self.browser.csrf(&self.server.vault, purpose),
                token: self.token.to_owned(),
                asks_password: self.asks_password,
                fault,
            },
        )
    }
}

/// Whether this browser has to show that it is the user's.
fn is_stranger(current: &CurrentLogin, user: &User) -> bool {
    current.user().is_none_or(|signed_in| signed_in.id != user.id)
}

/// `GET /verify-email`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    Opened { token, .. }: Opened,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let token = token.unwrap_or_default();
    let link = match server.users.email_link(&token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let asks_password = is_stranger(&current, &link.user);
    if asks_password && link.user.password_changed_at.is_none() {
        return error(StatusCode::FORBIDDEN, "error-link-sign-in");
    }
    let (user, email, token) = (&*link.user, link.email(), token.as_str());
    let (server, browser) = (&server, browser);
    let asking = Asking { server, browser: &browser, language, token, user, email, asks_password };
    let answer = asking.page(StatusCode::OK, None, false);
    (browser, answer).into_response()
}

/// `POST /verify-email`
pub(in crate::http::pages) async fn verify(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, VERIFY, form.get("csrf")) {
        return not_ours();
    }
    let token = form.get("token").unwrap_or_default();
    let link = match server.users.email_link(token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let password = Secret::presented(form.get("password").unwrap_or_default());
    let asks_password = is_stranger(&current, &link.user);
    let proof = match current.user() {
        Some(user) if !asks_password => Proof::SignedIn(&user.id),
        _ => Proof::Password(&password),
    };
    let Err(error) = server.users.prove_email(link.clone(), proof, browser.source()).await else {
        let (text, label) = ("verify-done-text", "verify-done-label");
        return done(&server, language, ("verify-done-title", text, label), "/account");
    };
    let (user, email) = (&*link.user, link.email());
    let (server, browser) = (&server, &browser);
    let asking = Asking { server, browser, language, token, user, email, asks_password };
    refuse(error, language, |status, fault| asking.page(status, fault, false))
}

/// `GET /revert-email`
pub(in crate::http::pages) async fn show_back(
    State(server): State<Server>,
    Opened { token, .. }: Opened,
    browser: Browser,
    language: Language,
) -> Response {
    let token = token.unwrap_or_default();
    let link = match server.users.email_back_link(&token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let (user, email, token) = (&*link.user, link.email(), token.as_str());
    let server = &server;
    let asks_password = false;
    let asking = Asking { server, browser: &browser, language, token, user, email, asks_password };
    let answer = asking.page(StatusCode::OK, None, true);
    (browser, answer).into_response()
}

/// `POST /revert-email`
pub(in crate::http::pages) async fn take_back(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, REVERT, form.get("csrf")) {
        return not_ours();
    }
    let token = form.get("token").unwrap_or_default();
    let link = match server.users.email_back_link(token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let Err(error) = server.users.take_email_back(link.clone()).await else {
        let (text, label) = ("revert-done-text", "revert-done-label");
        return done(&server, language, ("revert-done-title", text, label), "/sign-in");
    };
    let (user, email) = (&*link.user, link.email());
    let (server, browser, asks_password) = (&server, &browser, false);
    let asking = Asking { server, browser, language, token, user, email, asks_password };
    refuse(error, language, |status, fault| asking.page(status, fault, true))
}

fn done(
    server: &Server,
    language: Language,
    (title, text, label): (&'static str, &'static str, &'static str),
    next: &str,
) -> Response {
    let (site, next) = (Site::of(&server.config, language), next.to_owned());
    page(StatusCode::OK, &DonePage { site, title, text, next, label })
}
