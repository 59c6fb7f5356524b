//! `/forgot`: asking for a letter with which to set another password.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::mailed::refuse;
use crate::http::pages::mailed::templates::{CheckMailPage, Fault, ForgotPage};
use crate::http::pages::templates::Site;
use crate::http::pages::{page, sign_in_path};
use crate::server::Server;
use crate::users::mailed::Begun;
use crate::words::Language;

/// Longest name that is looked at, in bytes.
const NAME_BYTES_MAX: usize = 256;

fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "forgot".to_owned(), |grant| format!("forgot/{grant}"))
}

/// What somebody has typed so far.
struct Draft<'a> {
    server: &'a Server,
    browser: &'a Browser,
    language: Language,
    grant: Option<GrantId>,
    username: &'a str,
}

impl Draft<'_> {
    fn page(&self, status: StatusCode, fault: Option<Fault>) -> Response {
        let Self { server, browser, language, grant, username } = self;
        page(
            status,
            &ForgotPage {
                site: Site::of(&server.config, *language),
                grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
                csrf: browser.csrf(&server.vault, &csrf_purpose(*grant)),
                username: (*username).to_owned(),
                sign_in: sign_in_path(*grant),
                fault,
            },
        )
    }

    fn sent(&self, is_again: bool) -> Response {
        let Self { server, browser, language, grant, username } = self;
        page(
            StatusCode::OK,
            &CheckMailPage {
                site: Site::of(&server.config, *language),
                lead: "check-mail-forgot",
                to: (*username).to_owned(),
                is_again,
                action: "/forgot",
                csrf: browser.csrf(&server.vault, &csrf_purpose(*grant)),
                grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
                field: ("again", (*username).to_owned()),
                sign_in: sign_in_path(*grant),
            },
        )
    }
}

/// `GET /forgot`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    browser: Browser,
    language: Language,
) -> Response {
    let draft = Draft { server: &server, browser: &browser, language, grant, username: "" };
    let answer = draft.page(StatusCode::OK, None);
    (browser, answer).into_response()
}

/// `POST /forgot`: the same answer for everybody's name and for nobody's.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    form: Form,
) -> Response {
    let grant = form.grant;
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant), form.get("csrf")) {
        return not_ours();
    }
    let again = form.get("again");
    let username = again.or_else(|| form.get("username")).unwrap_or_default().trim();
    let draft = Draft { server: &server, browser: &browser, language, grant, username };
    if username.is_empty() || username.len() > NAME_BYTES_MAX {
        let fault = Fault { field: "username", text: language.say("forgot-nobody") };
        return draft.page(StatusCode::BAD_REQUEST, Some(fault));
    }
    let begun = Begun { browser: browser.digest(), grant: grant.map(|grant| grant.0), language };
    match server.users.forgot(username, begun, browser.source()).await {
        Ok(()) => draft.sent(again.is_some()),
        Err(error) => refuse(error, language, |status, fault| draft.page(status, fault)),
    }
}
