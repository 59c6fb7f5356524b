//! `/select-account`: as whom to go on?

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::templates::{SelectAccountPage, Site};
use crate::http::pages::{error, go, page, see_other, sign_in_path};
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::oauth::select::{Choice, select};
use crate::server::Server;
use crate::users::login::Login;
use crate::words::Language;

/// Bound to the session: whoever signed in meanwhile is asked anew.
fn csrf_purpose(grant: GrantId, login: &Login) -> String {
    format!("select-account/{grant}/{}", URL_SAFE_NO_PAD.encode(login.session.0))
}

fn nothing_asked() -> Response {
    error(StatusCode::BAD_REQUEST, "error-nothing-to-choose")
}

/// `GET /select-account`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let Some(grant) = grant else { return nothing_asked() };
    let step = authorize::resume(&server.oauth, grant, browser.digest(), current.login()).await;
    match (step, current.login(), current.user()) {
        (Ok(Step::SelectAccount { grant, app, .. }), Some(login), Some(user)) => {
            let choice = SelectAccountPage {
                site: Site::of(&server.config, language),
                app: app.title_in(language).to_owned(),
                grant: grant.to_string(),
                csrf: browser.csrf(&server.vault, &csrf_purpose(grant, login)),
                user: user.shown_name().to_owned(),
                username: user.username.clone(),
            };
            page(StatusCode::OK, &choice)
        }
        (other, _, _) => go(&server, other),
    }
}

/// `POST /select-account`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    form: Form,
) -> Response {
    let Some(grant) = form.grant else { return nothing_asked() };
    let Some(login) = current.login() else { return see_other(&sign_in_path(Some(grant))) };
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant, login), form.get("csrf")) {
        return not_ours();
    }
    let choice = match form.get("choice") {
        Some("current") => Choice::Current,
        Some("another") => Choice::Another,
        _ => return nothing_asked(),
    };
    go(&server, select(&server.oauth, grant, browser.digest(), login, choice).await)
}
