//! `/account/email`: one's address.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::mailed::refuse;
use crate::http::pages::mailed::templates::Fault;
use crate::http::pages::templates::Site;

const CHANGE: &str = "change";

/// `templates/account/email.html`: shows one's address, and asks for another one.
#[derive(Debug, Template)]
#[template(path = "account/email.html")]
pub struct EmailPage {
    /// Around it.
    pub site: Site,
    /// What all of these pages show.
    pub shell: AccountShell,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// The address.
    pub current: Option<String>,
    /// Whether it was proved.
    pub is_verified: bool,
    /// Where a letter has just gone.
    pub sent: Option<String>,
    /// What was typed before.
    pub typed: String,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

fn page_of(visit: &Visit, typed: &str, sent: Option<String>, fault: Option<Fault>) -> EmailPage {
    EmailPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(CHANGE),
        current: visit.user.email.clone(),
        is_verified: visit.user.email_verified,
        sent,
        typed: typed.to_owned(),
        fault,
    }
}

/// `GET /account/email`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    let visit = guest.fresh(Section::Email)?;
    Ok(visit.page(StatusCode::OK, &page_of(&visit, "", None, None)))
}

/// `POST /account/email`: a letter goes to the new address.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.answered(Section::Email)?;
    visit.check(&form, CHANGE)?;
    let email = form.get("email").unwrap_or_default();
    let (users, source) = (&visit.server.users, visit.browser.source());
    let asked = users.ask_for_email(&visit.user, email, visit.language, source).await;
    Ok(match asked {
        Ok(()) => {
            let sent = Some(email.trim().to_owned());
            visit.page(StatusCode::OK, &page_of(&visit, "", sent, None))
        }
        Err(error) => refuse(error, visit.language, |status, fault| {
            visit.page(status, &page_of(&visit, email, None, fault))
        }),
    })
}
