//! `/reset`: setting another password with a link.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::secret::Secret;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, Opened, not_ours};
use crate::http::pages::mailed::templates::{DonePage, Fault, ResetPage};
use crate::http::pages::mailed::{over, refuse};
use crate::http::pages::templates::Site;
use crate::http::pages::{page, sign_in_path};
use crate::server::Server;
use crate::users::mailed::reset::ResetLink;
use crate::words::Language;

const PURPOSE: &str = "reset";

/// A link that was opened.
struct Asking<'a> {
    server: &'a Server,
    browser: &'a Browser,
    language: Language,
    token: &'a str,
    link: &'a ResetLink,
}

impl Asking<'_> {
    fn page(&self, status: StatusCode, fault: Option<Fault>) -> Response {
        let Self { server, browser, language, token, link } = self;
        page(
            status,
            &ResetPage {
                site: Site::of(&server.config, *language),
                csrf: browser.csrf(&server.vault, PURPOSE),
                token: (*token).to_owned(),
                username: link.user.username.clone(),
                fault,
            },
        )
    }
}

/// `GET /reset`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    Opened { token, .. }: Opened,
    browser: Browser,
    language: Language,
) -> Response {
    let token = token.unwrap_or_default();
    let link = match server.users.reset_link(&token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let (server, token, link) = (&server, token.as_str(), &link);
    let asking = Asking { server, browser: &browser, language, token, link };
    let answer = asking.page(StatusCode::OK, None);
    (browser, answer).into_response()
}

/// `POST /reset`: nobody is signed in by it.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    if !browser.check_csrf(&server.vault, PURPOSE, form.get("csrf")) {
        return not_ours();
    }
    let token = form.get("token").unwrap_or_default();
    let link = match server.users.reset_link(token).await {
        Ok(link) => link,
        Err(error) => return refuse(error, language, |_, _| over()),
    };
    let password = Secret::presented(form.get("password").unwrap_or_default());
    match server.users.reset(&link, &password, language).await {
        Ok(()) => page(
            StatusCode::OK,
            &DonePage {
                site: Site::of(&server.config, language),
                title: "reset-done-title",
                text: "reset-done-text",
                next: sign_in_path(link.grant_for(browser.digest())),
                label: "reset-done-label",
            },
        ),
        Err(error) => {
            let (server, browser, link) = (&server, &browser, &link);
            let asking = Asking { server, browser, language, token, link };
            refuse(error, language, |status, fault| asking.page(status, fault))
        }
    }
}
