//! `/account/factors/app`: sets up, replaces or removes the authenticator app.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::account::factors::ACT;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::broken;
use crate::http::pages::factor_views::TotpSetup;
use crate::http::pages::form::Form;
use crate::http::pages::key_form::fault_of;
use crate::http::pages::templates::Site;
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::error::FactorError;
use crate::users::factors::{Standing, TotpOffer};

/// `templates/account/factors_app.html`.
#[derive(Debug, Template)]
#[template(path = "account/factors_app.html")]
struct AppPage {
    site: Site,
    shell: AccountShell,
    csrf: String,
    fault: Option<String>,
    replaces: bool,
    totp: TotpSetup,
}

fn show_page(visit: &Visit, offer: &TotpOffer, fault: Option<&str>) -> Response {
    let shown = AppPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(ACT),
        fault: fault.map(|id| visit.language.say(id)),
        replaces: visit.user.has_totp,
        totp: TotpSetup::of(offer, visit.language),
    };
    let status = if fault.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    visit.page(status, &shown)
}

#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
fn anew(visit: &Visit, fault: Option<&str>) -> Result<Response, Response> {
    let offer = visit.server.users.offer_totp(&visit.user, &visit.browser.digest());
    Ok(show_page(visit, &offer.map_err(|error| broken(&error))?, fault))
}

/// `GET /account/factors/app`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    anew(&guest.fresh(Section::Factors)?, None)
}

/// `POST /account/factors/app`: the first code.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    guest: Guest,
    cookies: SessionCookies,
    form: Form,
) -> Result<Response, Response> {
    let visit = guest.answered(Section::Factors)?;
    visit.check(&form, ACT)?;
    let field = |name| form.get(name).unwrap_or_default();
    let browser = visit.browser.digest();
    let state = (&browser, field("state"));
    let whole = Standing::Whole;
    match server.users.enrol_totp(&visit.user, state, field("code"), whole).await {
        Ok(()) => visit.added(&cookies, &["otp"]).await,
        Err(FactorError::Wrong) => {
            match server.users.offered_totp(&visit.user, &browser, state.1) {
                Some(offer) => Ok(show_page(&visit, &offer, Some("totp-setup-wrong"))),
                None => anew(&visit, Some("factor-over")),
            }
        }
        Err(FactorError::Internal(error)) => Err(broken(&error)),
        Err(error) => anew(&visit, Some(fault_of(&error))),
    }
}

/// `POST /account/factors/app/remove`
pub(in crate::http::pages) async fn remove(
    State(server): State<Server>,
    guest: Guest,
    form: Form,
) -> Result<Response, Response> {
    let visit = guest.answered(Section::Factors)?;
    visit.check(&form, ACT)?;
    let must_keep_one = visit.must_keep_one().await?;
    visit.done(server.users.drop_totp(&visit.user, must_keep_one).await).await
}
