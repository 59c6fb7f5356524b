//! `/sign-in/enrol`: a first second factor, where one is demanded of somebody who has none.
//!
//! Whoever has one shows it instead: half a sign-in adds nothing beside it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::factor_views::{RecoveryCodes, TotpSetup};
use crate::http::pages::form::Form;
use crate::http::pages::key_form::{self, KeyForm, NEW_AT_SIGN_IN};
use crate::http::pages::second::{Pending, Visit};
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, complete, page, see_other};
use crate::http::session;
use crate::server::Server;
use crate::users::error::FactorError;
use crate::users::factors::{Standing, TotpOffer};
use crate::users::passkeys::KeyKind;

const PURPOSE: &str = "enrol";

/// `templates/enrol.html`: adds a first second factor.
#[derive(Debug, Template)]
#[template(path = "enrol.html")]
struct EnrolPage {
    site: Site,
    grant: String,
    csrf: String,
    /// Token of the form that goes back to the app.
    cancel: String,
    name: String,
    again: String,
    fault: Option<String>,
    totp: TotpSetup,
    key: Option<KeyForm>,
}

/// `templates/enrolled.html`: shows the recovery codes, once, and leads on.
#[derive(Debug, Template)]
#[template(path = "enrolled.html")]
struct EnrolledPage {
    site: Site,
    codes: RecoveryCodes,
    next: String,
}

impl Visit {
    /// A half that may add a factor; else the answer that asks for the one that is there.
    async fn enrolling<'a>(&'a self, server: &'a Server) -> Result<Pending<'a>, Response> {
        let pending = self.pending(server).await?;
        if pending.user.has_second_factor() {
            return Err(pending.show_own());
        }
        Ok(pending)
    }
}

impl Pending<'_> {
    fn show_own(&self) -> Response {
        see_other(&complete::second_path(&self.user, self.visit.grant))
    }

    #[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
    fn offer(&self) -> Result<TotpOffer, Response> {
        let offer = self.server.users.offer_totp(&self.user, &self.visit.browser.digest());
        offer.map_err(|error| broken(&error))
    }

    async fn enrol_page(
        &self,
        offer: TotpOffer,
        status: StatusCode,
        fault: Option<String>,
    ) -> Response {
        let (csrf, grant) = (self.csrf(PURPOSE), self.grant_text());
        let browser = self.visit.browser.digest();
        let ask = self.server.users.offer_key(&self.user, &browser, KeyKind::Passkey).await;
        let key = match ask {
            Ok(ask) => Some(KeyForm::of(NEW_AT_SIGN_IN, (&csrf, &grant), ask)),
            Err(FactorError::Internal(error)) => return broken(&error),
            Err(_) => None,
        };
        let has_script = key.is_some();
        let shown = EnrolPage {
            site: self.site(),
            grant,
            csrf,
            cancel: self.csrf("sign-in"),
            name: self.user.shown_name().to_owned(),
            again: self.again(),
            fault,
            totp: TotpSetup::of(&offer, self.visit.language),
            key,
        };
        let answer = page(status, &shown);
        if has_script { key_form::scripted(self.server, answer) } else { answer }
    }

    /// The page with a new offer, and why.
    async fn anew(&self, error: &FactorError) -> Response {
        let fault = match error {
            FactorError::HasOne => return self.show_own(),
            FactorError::Internal(error) => return broken(error),
            other => self.visit.language.say(key_form::fault_of(other)),
        };
        match self.offer() {
            Ok(offer) => self.enrol_page(offer, StatusCode::FORBIDDEN, Some(fault)).await,
            Err(answer) => answer,
        }
    }

    /// The factor is there: shows the recovery codes and completes the sign-in.
    async fn enrolled(&self, second: &[&str]) -> Response {
        let codes = match self.server.users.make_recovery_codes(&self.user).await {
            Ok(codes) => codes,
            Err(error) => return broken(&error),
        };
        let amr = complete::with_second(&self.half, second);
        let Visit { grant, browser, cookies, .. } = self.visit;
        let went = complete::go_on(self.server, cookies, browser, &self.user, &amr, *grant).await;
        match went {
            Ok((cookies, next)) => {
                let codes = RecoveryCodes::of(&codes);
                let shown = EnrolledPage { site: self.site(), codes, next };
                let mut answer = page(StatusCode::OK, &shown);
                session::set(answer.headers_mut(), cookies);
                answer
            }
            Err(error) => broken(&error),
        }
    }
}

/// `GET /sign-in/enrol`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    visit: Visit,
) -> Result<Response, Response> {
    let pending = visit.enrolling(&server).await?;
    Ok(pending.enrol_page(pending.offer()?, StatusCode::OK, None).await)
}

/// `POST /sign-in/enrol`: the first code of the authenticator app.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    visit: Visit,
    form: Form,
) -> Result<Response, Response> {
    let visit = visit.posted(&server, PURPOSE, &form)?;
    let pending = visit.enrolling(&server).await?;
    let field = |name| form.get(name).unwrap_or_default();
    let browser = visit.browser.digest();
    let state = (&browser, field("state"));
    let half = Standing::Half;
    match server.users.enrol_totp(&pending.user, state, field("code"), half).await {
        Ok(()) => Ok(pending.enrolled(&["otp"]).await),
        Err(FactorError::Wrong) => {
            let again = server.users.offered_totp(&pending.user, &browser, state.1);
            let Some(offer) = again else { return Ok(pending.anew(&FactorError::Over).await) };
            let fault = Some(visit.language.say("totp-setup-wrong"));
            Ok(pending.enrol_page(offer, StatusCode::FORBIDDEN, fault).await)
        }
        Err(error) => Ok(pending.anew(&error).await),
    }
}

/// `POST /sign-in/enrol/key`: a passkey instead.
pub(in crate::http::pages) async fn submit_key(
    State(server): State<Server>,
    visit: Visit,
    form: Form,
) -> Result<Response, Response> {
    let visit = visit.posted(&server, PURPOSE, &form)?;
    let pending = visit.enrolling(&server).await?;
    let field = |name| form.get(name).unwrap_or_default();
    let browser = visit.browser.digest();
    let (state, key) = ((&browser, field("state")), (field("credential"), field("name")));
    match server.users.add_key(&pending.user, state, key, Standing::Half).await {
        Ok(shown) => Ok(pending.enrolled(&shown.amr()).await),
        Err(error) => Ok(pending.anew(&error).await),
    }
}
