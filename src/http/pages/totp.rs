//! `/sign-in/totp`: the second factor.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::base::id::{GrantId, UserId};
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::sign_in::{answer, too_many};
use crate::http::pages::templates::{Site, TotpPage};
use crate::http::pages::{after_sign_in, broken, page, retry_after, see_other, sign_in_path};
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::error::SignInError;

fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "totp".to_owned(), |grant| format!("totp/{grant}"))
}

/// A sign-in that lacks its code.
struct Pending<'a> {
    server: &'a Server,
    browser: &'a Browser,
    grant: Option<GrantId>,
    user: UserId,
}

impl Pending<'_> {
    async fn page(&self, status: StatusCode, fault: Option<String>) -> Response {
        let user = match self.server.users.find(&self.user).await {
            Ok(Some(user)) => user,
            Ok(None) => return see_other(&sign_in_path(self.grant)),
            Err(error) => return broken(&error),
        };
        page(
            status,
            &TotpPage {
                site: Site::of(&self.server.config),
                grant: self.grant.map(|grant| grant.to_string()).unwrap_or_default(),
                csrf: self.browser.csrf(&self.server.vault, &csrf_purpose(self.grant)),
                name: user.shown_name().to_owned(),
                again: sign_in_path(self.grant),
                fault,
            },
        )
    }

    async fn refuse(&self, error: SignInError) -> Response {
        match error {
            SignInError::Wrong => {
                let text = "The code is wrong, or was used before. Please wait for the next one.";
                self.page(StatusCode::FORBIDDEN, Some(text.to_owned())).await
            }
            SignInError::Throttled { retry_after_seconds }
            | SignInError::Busy { retry_after_seconds } => {
                let text = too_many(retry_after_seconds);
                let answer = self.page(StatusCode::TOO_MANY_REQUESTS, Some(text)).await;
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
) -> Response {
    match cookies.pending(&server).await {
        Ok(Some(user)) => {
            let pending = Pending { server: &server, browser: &browser, grant, user };
            pending.page(StatusCode::OK, None).await
        }
        // Too late, or never begun: from the start.
        Ok(None) => see_other(&sign_in_path(grant)),
        Err(error) => broken(&error),
    }
}

/// `POST /sign-in/totp`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    form: Form,
) -> Response {
    let grant = form.grant;
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant), form.get("csrf")) {
        return not_ours();
    }
    let user = match cookies.pending(&server).await {
        Ok(Some(user)) => user,
        Ok(None) => return see_other(&sign_in_path(grant)),
        Err(error) => return broken(&error),
    };
    let code = form.get("code").unwrap_or_default();
    if let Err(error) = server.users.check_totp(&user, code, browser.source()).await {
        let pending = Pending { server: &server, browser: &browser, grant, user };
        return pending.refuse(error).await;
    }
    let begun = cookies.complete(&server, &browser, &user, &["pwd", "otp", "mfa"]).await;
    answer(begun, &after_sign_in(grant))
}
