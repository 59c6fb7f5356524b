//! `/account/factors`: the second steps of signing in, and the codes for when they are lost.

pub(in crate::http::pages) mod app;
pub(in crate::http::pages) mod codes;
pub(in crate::http::pages) mod keys;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::key_form::{self, KeyForm, NEW_PASSKEY, NEW_SECURITY_KEY, fault_of};
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, complete, page, see_other};
use crate::http::session::{self, SessionCookies};
use crate::users::error::FactorError;
use crate::users::factors::{Factors, Key};
use crate::users::passkeys::KeyKind;

/// What the forms of these pages do, for their token.
const ACT: &str = "factors";

/// A passkey or security key, ready to show.
#[derive(Debug)]
struct KeyShown {
    id: i64,
    name: String,
    kind: String,
    added: String,
    used: Option<String>,
}

/// `templates/account/factors.html`: all of them.
#[derive(Debug, Template)]
#[template(path = "account/factors.html")]
struct FactorsPage {
    site: Site,
    shell: AccountShell,
    csrf: String,
    fault: Option<String>,
    is_required: bool,
    has_any: bool,
    totp_since: Option<String>,
    keys: Vec<KeyShown>,
    offers_keys: bool,
    new_passkey: Option<KeyForm>,
    new_key: Option<KeyForm>,
    codes_left: i64,
    script: String,
}

impl Visit {
    fn key_shown(&self, key: &Key) -> KeyShown {
        let kind = if key.checks_user { "key-kind-passkey" } else { "key-kind-second" };
        KeyShown {
            id: key.id,
            name: key.name.clone(),
            kind: self.language.say(kind),
            added: self.language.day(key.created_at),
            used: key.last_used_at.map(|at| self.language.day(at)),
        }
    }

    /// The form for another key; `None` where there are none, or too many.
    async fn key_form(
        &self,
        kind: KeyKind,
        it: key_form::Use,
    ) -> Result<Option<KeyForm>, Response> {
        let browser = self.browser.digest();
        match self.server.users.offer_key(&self.user, &browser, kind).await {
            Ok(ask) => Ok(Some(KeyForm::of(it, (&self.csrf(ACT), ""), ask))),
            Err(FactorError::Unavailable | FactorError::TooMany) => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Whether an account of theirs demands that a second factor stays.
    async fn must_keep_one(&self) -> Result<bool, Response> {
        let required = self.server.accounts.require_second_factor(&self.user.id).await;
        required.map_err(|error| broken(&error))
    }

    async fn factors(&self) -> Result<Factors, Response> {
        self.server.users.factors(&self.user.id).await.map_err(|error| broken(&error))
    }

    /// The page with all factors, and why it is shown again.
    async fn factors_page(
        &self,
        status: StatusCode,
        fault: Option<String>,
    ) -> Result<Response, Response> {
        let factors = self.factors().await?;
        let shown = FactorsPage {
            site: self.site(),
            shell: self.shell(),
            csrf: self.csrf(ACT),
            fault,
            is_required: self.must_keep_one().await?,
            has_any: factors.totp_since.is_some() || !factors.keys.is_empty(),
            totp_since: factors.totp_since.map(|at| self.language.day(at)),
            keys: factors.keys.iter().map(|key| self.key_shown(key)).collect(),
            offers_keys: self.server.users.offers_passkeys(),
            new_passkey: self.key_form(KeyKind::Passkey, NEW_PASSKEY).await?,
            new_key: self.key_form(KeyKind::SecurityKey, NEW_SECURITY_KEY).await?,
            codes_left: factors.recovery.number.into(),
            script: key_form::script(),
        };
        let answer = (self.browser.clone(), page(status, &shown)).into_response();
        Ok(key_form::scripted(&self.server, answer))
    }

    /// Back to the page after something was done, or the page with why it was not.
    async fn done(&self, outcome: Result<(), FactorError>) -> Result<Response, Response> {
        match outcome {
            Ok(()) => Ok(see_other(Section::Factors.path())),
            Err(FactorError::Internal(error)) => Err(broken(&error)),
            Err(error) => {
                let fault = self.language.say(fault_of(&error));
                self.factors_page(StatusCode::FORBIDDEN, Some(fault)).await
            }
        }
    }

    /// A factor was added, and shown by that: the session has shown all that there is, and goes on
    /// under a new id. Who has no recovery codes gets them now.
    async fn added(&self, cookies: &SessionCookies, second: &[&str]) -> Result<Response, Response> {
        let mut answer = match self.factors().await?.recovery.since {
            Some(_) => see_other(Section::Factors.path()),
            None => codes::fresh(self).await?,
        };
        if self.login.amr.iter().all(|method| method != "mfa") {
            let shown = self.login.amr.iter().map(String::as_str);
            let amr: Vec<&str> = shown.chain(second.iter().copied()).chain(["mfa"]).collect();
            let (server, browser) = (&self.server, &self.browser);
            // It still comes from where it came from.
            let provider = self.login.provider.as_ref();
            let cookies = provider.map_or_else(|| cookies.clone(), |it| cookies.from_provider(it));
            let went = complete::go_on(server, &cookies, browser, &self.user, &amr, None).await;
            let (cookies, _) = went.map_err(|error| broken(&error))?;
            session::set(answer.headers_mut(), cookies);
        }
        Ok(answer)
    }
}

/// `GET /account/factors`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    guest.fresh(Section::Factors)?.factors_page(StatusCode::OK, None).await
}
