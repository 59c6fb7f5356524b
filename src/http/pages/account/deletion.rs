//! `/account/deletion`: asking to be deleted, and taking it back.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::accounts::going::GoingError;
use crate::accounts::model::Account;
use crate::base::secret::Secret;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::sign_in::too_many;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, leaving, retry_after, see_other};
use crate::users::error::SignInError;

const ASK: &str = "ask";

/// `templates/account/deletion.html`: says what deletion means, and asks for the password.
#[derive(Debug, Template)]
#[template(path = "account/deletion.html")]
pub struct DeletionPage {
    /// Around it. Holds the warning and the way back if it was asked for.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token of its form.
    pub csrf: String,
    /// How somebody shows once more that it is them.
    pub proof: Proof,
    /// Why it is shown again.
    pub fault: Option<String>,
    /// The accounts that nobody else administers.
    pub needed: Vec<String>,
}

/// How somebody shows once more that it is them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// With the password.
    Password,
    /// With a code, for there is no password.
    Code,
    /// By having signed in just now, for there is neither.
    SignIn,
}

fn proof_of(visit: &Visit) -> Proof {
    match (visit.user.password_changed_at, visit.user.has_totp) {
        (Some(_), _) => Proof::Password,
        (None, true) => Proof::Code,
        (None, false) => Proof::SignIn,
    }
}

fn page(visit: &Visit, status: StatusCode, fault: Option<String>) -> Response {
    page_with(visit, status, (fault, Vec::new()))
}

fn page_with(
    visit: &Visit,
    status: StatusCode,
    (fault, needed): (Option<String>, Vec<String>),
) -> Response {
    let page = DeletionPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(ASK),
        proof: proof_of(visit),
        fault,
        needed,
    };
    visit.page(status, &page)
}

/// `GET /account/deletion`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    Ok(page(&guest.fresh(Section::Deletion)?, StatusCode::OK, None))
}

/// `POST /account/deletion`: only the user asks, and shows once more that it is them.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.answered(Section::Deletion)?;
    visit.check(&form, ASK)?;
    if let Err(error) = prove(&visit, &form).await {
        return Ok(refuse(&visit, error));
    }
    let asked = visit.server.tenancy.ask_own_deletion(&visit.user.id, visit.language).await;
    match asked {
        Ok(_) => Ok(see_other(Section::Deletion.path())),
        Err(GoingError::Needed(accounts)) => {
            let fault = visit.language.say("deletion-needed");
            let named = |account: Account| format!("{} ({})", account.name, account.id);
            let needed = accounts.into_iter().map(named).collect();
            Ok(page_with(&visit, StatusCode::CONFLICT, (Some(fault), needed)))
        }
        Err(error) => Err(broken(&error)),
    }
}

async fn prove(visit: &Visit, form: &Form) -> Result<(), SignInError> {
    let (users, source) = (&visit.server.users, visit.browser.source());
    match proof_of(visit) {
        Proof::Password => {
            let password = Secret::presented(form.get("password").unwrap_or_default());
            let shown = users.sign_in(&visit.user.username, &password, source).await?;
            if shown.id == visit.user.id { Ok(()) } else { Err(SignInError::Wrong) }
        }
        Proof::Code => {
            let code = form.get("code").unwrap_or_default();
            users.check_totp(&visit.user.id, code, source).await
        }
        Proof::SignIn => Ok(()),
    }
}

fn refuse(visit: &Visit, error: SignInError) -> Response {
    match error {
        SignInError::Wrong => {
            page(visit, StatusCode::FORBIDDEN, Some(visit.language.say("deletion-wrong")))
        }
        SignInError::Throttled { retry_after_seconds: seconds } => {
            let text = too_many(visit.language, seconds);
            retry_after(page(visit, StatusCode::TOO_MANY_REQUESTS, Some(text)), seconds)
        }
        SignInError::Busy { retry_after_seconds: seconds } => {
            let text = visit.language.say("sign-in-busy");
            retry_after(page(visit, StatusCode::SERVICE_UNAVAILABLE, Some(text)), seconds)
        }
        SignInError::Internal(error) => broken(&error),
    }
}

/// `POST /account/deletion/cancel`: the button of the warning, which any page shows. It needs no
/// fresh sign-in: whoever finds the browser open does no harm by it.
pub(in crate::http::pages) async fn cancel(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Overview)?;
    let purpose = leaving::csrf_purpose(&visit.login);
    if !visit.browser.check_csrf(&visit.server.vault, &purpose, form.get("csrf")) {
        return Err(not_ours());
    }
    let kept = visit.server.users.cancel_deletion(&visit.user.id).await;
    kept.map_err(|error| broken(&error))?;
    let back = form.grant.map(|grant| format!("/authorize/{grant}"));
    Ok(see_other(back.as_deref().unwrap_or(Section::Overview.path())))
}
