//! `/account/factors/recovery`: makes ten new recovery codes, and those of before void.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::account::factors::ACT;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::factor_views::RecoveryCodes;
use crate::http::pages::form::Form;
use crate::http::pages::templates::Site;

/// `templates/account/factors_codes.html`: shows them, once.
#[derive(Debug, Template)]
#[template(path = "account/factors_codes.html")]
struct CodesPage {
    site: Site,
    shell: AccountShell,
    codes: RecoveryCodes,
}

/// New codes, on the page that shows them.
pub(in crate::http::pages::account) async fn fresh(visit: &Visit) -> Result<Response, Response> {
    match visit.server.users.make_recovery_codes(&visit.user).await {
        Ok(codes) => {
            let codes = RecoveryCodes::of(&codes);
            let (site, shell) = (visit.site(), visit.shell());
            Ok(visit.page(StatusCode::OK, &CodesPage { site, shell, codes }))
        }
        Err(error) => visit.done(Err(error)).await,
    }
}

/// `POST /account/factors/recovery`
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.answered(Section::Factors)?;
    visit.check(&form, ACT)?;
    fresh(&visit).await
}
