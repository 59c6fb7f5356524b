//! `/sign-in/passkey`: a passkey in place of name and password.

use axum::extract::State;
use axum::response::Response;

use crate::http::browser::Browser;
use crate::http::pages::complete;
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::sign_in::{Attempt, csrf_purpose};
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::words::Language;

/// `POST /sign-in/passkey`
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
    let field = |name| form.get(name).unwrap_or_default();
    let (state, credential) = (field("state"), field("credential"));
    match server.users.check_passkey(state, credential, browser.source()).await {
        Ok((user, shown)) => {
            // It checked its user, so it is two factors by itself.
            let amr = [shown.amr().as_slice(), &["mfa"]].concat();
            complete::signed_in(&server, &cookies, &browser, &user, &amr, grant).await
        }
        Err(error) => {
            let (server, browser) = (&server, &browser);
            let attempt = Attempt { server, browser, grant, username: "", language };
            attempt.refuse(error, "passkey-wrong").await
        }
    }
}
