//! `/account/password`: another password, for whoever knows the current one.

use askama::Template;
use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};

use crate::base::secret::Secret;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::mailed::refuse;
use crate::http::pages::mailed::templates::Fault;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, complete, see_other};
use crate::http::session::SessionCookies;
use crate::users::mailed::MailedError;

const CHANGE: &str = "change";
/// The query of the page that says that it is done.
const DONE: &str = "done";

/// `templates/account/password.html`: asks for the current password and another one.
#[derive(Debug, Template)]
#[template(path = "account/password.html")]
pub struct PasswordPage {
    /// Around it.
    pub site: Site,
    /// What all of these pages show.
    pub shell: AccountShell,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// Whose password it is, for password managers.
    pub username: String,
    /// Whether there is one already.
    pub has_password: bool,
    /// Whether it was changed just now.
    pub is_done: bool,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

fn page_of(visit: &Visit, is_done: bool, fault: Option<Fault>) -> PasswordPage {
    PasswordPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(CHANGE),
        username: visit.user.username.clone(),
        has_password: visit.user.password_changed_at.is_some(),
        is_done,
        fault,
    }
}

/// `GET /account/password`
pub(in crate::http::pages) async fn show(guest: Guest, uri: Uri) -> Result<Response, Response> {
    let visit = guest.fresh(Section::Password)?;
    let is_done = uri.query() == Some(DONE);
    Ok(visit.page(StatusCode::OK, &page_of(&visit, is_done, None)))
}

/// `POST /account/password`: ends every session, and begins one here anew.
pub(in crate::http::pages) async fn submit(
    guest: Guest,
    cookies: SessionCookies,
    form: Form,
) -> Result<Response, Response> {
    let visit = guest.answered(Section::Password)?;
    visit.check(&form, CHANGE)?;
    let secret = |name| Secret::presented(form.get(name).unwrap_or_default());
    let (current, new) = (secret("current"), secret("password"));
    let (users, source) = (&visit.server.users, visit.browser.source());
    let changed =
        users.change_password(&visit.user, (&current, &new), visit.language, source).await;
    match changed {
        Ok(()) => Ok(go_on(&visit, &cookies).await),
        Err(MailedError::Wrong) => {
            let text = visit.language.say("change-password-wrong");
            let fault = Fault { field: "current", text };
            Ok(visit.page(StatusCode::FORBIDDEN, &page_of(&visit, false, Some(fault))))
        }
        Err(error) => Ok(refuse(error, visit.language, |status, fault| {
            visit.page(status, &page_of(&visit, false, fault))
        })),
    }
}

/// A new session in place of the one that has just ended with all others: what was shown for it,
/// minutes ago, counts, and the password was shown now.
async fn go_on(visit: &Visit, cookies: &SessionCookies) -> Response {
    let user = match visit.server.users.find(&visit.user.id).await {
        Ok(Some(user)) => user,
        Ok(None) => return see_other("/sign-in"),
        Err(error) => return broken(&error),
    };
    let mut amr: Vec<&str> = visit.login.amr.iter().map(String::as_str).collect();
    if !amr.contains(&"pwd") {
        amr.push("pwd");
    }
    let (server, browser) = (&visit.server, &visit.browser);
    let mut answer = complete::signed_in(server, cookies, browser, &user, &amr, None).await;
    if answer.headers().get(LOCATION).is_some_and(|place| place == "/") {
        let back = HeaderValue::from_static("/account/password?done");
        answer.headers_mut().insert(LOCATION, back);
    }
    answer
}
