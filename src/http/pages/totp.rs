//! `/sign-in/totp`: the second factor.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::sign_in::too_many;
use crate::http::pages::templates::{Site, TotpPage};
use crate::http::pages::{broken, complete, page, retry_after, see_other, sign_in_path};
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::error::SignInError;
use crate::users::model::User;
use crate::users::sessions::Half;
use crate::words::Language;

fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "totp".to_owned(), |grant| format!("totp/{grant}"))
}

/// A sign-in that lacks its code.
struct Pending<'a> {
    server: &'a Server,
    browser: &'a Browser,
    grant: Option<GrantId>,
    half: Half,
    user: Arc<User>,
    language: Language,
}

impl<'a> Pending<'a> {
    /// The half that this browser has; else the answer that begins anew.
    async fn of(
        server: &'a Server,
        browser: &'a Browser,
        cookies: &SessionCookies,
        grant: Option<GrantId>,
        language: Language,
    ) -> Result<Self, Response> {
        // Too late, or never begun: from the start.
        let anew = || see_other(&sign_in_path(grant));
        let half = cookies.pending(server).await.map_err(|error| broken(&error))?;
        let half = half.ok_or_else(anew)?;
        let user = server.users.find(&half.user).await.map_err(|error| broken(&error))?;
        let user = user.filter(|user| user.is_active()).ok_or_else(anew)?;
        Ok(Self { server, browser, grant, half, user, language })
    }

    fn page(&self, status: StatusCode, fault: Option<String>) -> Response {
        page(
            status,
            &TotpPage {
                site: Site::of(&self.server.config, self.language),
                grant: self.grant.map(|grant| grant.to_string()).unwrap_or_default(),
                csrf: self.browser.csrf(&self.server.vault, &csrf_purpose(self.grant)),
                name: self.user.shown_name().to_owned(),
                again: sign_in_path(self.grant),
                fault,
            },
        )
    }

    fn refuse(&self, error: SignInError) -> Response {
        match error {
            SignInError::Wrong => {
                self.page(StatusCode::FORBIDDEN, Some(self.language.say("totp-wrong")))
            }
            SignInError::Throttled { retry_after_seconds }
            | SignInError::Busy { retry_after_seconds } => {
                let text = too_many(self.language, retry_after_seconds);
                let answer = self.page(StatusCode::TOO_MANY_REQUESTS, Some(text));
                retry_after(answer, retry_after_seconds)
            }
            SignInError::Internal(error) => broken(&error),
        }
    }
}

/// `GET /sign-in/totp`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    browser: Browser,
    cookies: SessionCookies,
    language: Language,
) -> Response {
    match Pending::of(&server, &browser, &cookies, grant, language).await {
        Ok(pending) => pending.page(StatusCode::OK, None),
        Err(anew) => anew,
    }
}

/// `POST /sign-in/totp`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    language: Language,
    form: Form,
) -> Response {
    let grant = form.grant;
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant), form.get("csrf")) {
        return not_ours();
    }
    let pending = match Pending::of(&server, &browser, &cookies, grant, language).await {
        Ok(pending) => pending,
        Err(anew) => return anew,
    };
    let code = form.get("code").unwrap_or_default();
    let user = &pending.user;
    if let Err(error) = server.users.check_totp(&user.id, code, browser.source()).await {
        return pending.refuse(error);
    }
    let amr = complete::with_second(&pending.half, &["otp"]);
    complete::signed_in(&server, &cookies, &browser, user, &amr, grant).await
}
