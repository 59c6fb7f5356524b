//! `/sign-up/confirm`: the link of somebody who signs up.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::secret::Secret;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, Opened, not_ours};
use crate::http::pages::mailed::templates::{Fault, LinkWords, OpenedLinkPage};
use crate::http::pages::mailed::{over, refuse};
use crate::http::pages::templates::Site;
use crate::http::pages::{complete, page};
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::mailed::sign_up::SignUpLink;
use crate::words::Language;

const PURPOSE: &str = "sign-up/confirm";
const WORDS: LinkWords = LinkWords {
    title: "confirm-title",
    lead: "confirm-lead",
    why: "confirm-why",
    button: "confirm-button",
};

/// A link that was opened.
struct Asking<'a> {
    server: &'a Server,
    browser: &'a Browser,
    language: Language,
    token: &'a str,
    link: &'a SignUpLink,
}

impl Asking<'_> {
    fn page(&self, status: StatusCode, fault: Option<Fault>) -> Response {
        let Self { server, browser, language, token, link } = self;
        page(
            status,
            &OpenedLinkPage {
                site: Site::of(&server.config, *language),
                words: WORDS,
                email: link.email().to_owned(),
                username: link.email().to_owned(),
                action: "/sign-up/confirm",
                csrf: browser.csrf(&server.vault, PURPOSE),
                token: (*token).to_owned(),
                asks_password: !link.is_of(browser.digest()),
                fault,
            },
        )
    }
}

/// `GET /sign-up/confirm`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    Opened { token, .. }: Opened,
    browser: Browser,
    language: Language,
) -> Response {
    let token = token.unwrap_or_default();
    let link = match server.users.sign_up_link(&token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let (server, token, link) = (&server, token.as_str(), &link);
    let asking = Asking { server, browser: &browser, language, token, link };
    let answer = asking.page(StatusCode::OK, None);
    (browser, answer).into_response()
}

/// `POST /sign-up/confirm`: there is a user now, who is signed in here.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    language: Language,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, PURPOSE, form.get("csrf")) {
        return not_ours();
    }
    let token = form.get("token").unwrap_or_default();
    let link = match server.users.sign_up_link(token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let password = form.get("password").map(Secret::presented);
    let done =
        server.users.confirm_sign_up(link.clone(), password.as_ref(), browser.source()).await;
    match done {
        Ok(done) => {
            complete::signed_in(&server, &cookies, &browser, &done.user, &["pwd"], done.grant).await
        }
        Err(error) => {
            let (server, browser, link) = (&server, &browser, &link);
            let asking = Asking { server, browser, language, token, link };
            refuse(error, language, |status, fault| asking.page(status, fault))
        }
    }
}
