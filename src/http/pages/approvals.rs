//! `/approvals`: what waits for the answer of whoever is signed in. Source: OpenID Connect CIBA
//! Core section 8.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use crate::http::browser::Browser;
use crate::http::pages::device::refused;
use crate::http::pages::errand::{Place, sign_in_first};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::leaving::Leaving;
use crate::http::pages::teller::Teller;
use crate::http::pages::templates::Site;
use crate::http::pages::templates_requests::{Approval, ApprovalsPage, Wanted};
use crate::http::pages::{broken, page};
use crate::http::session::CurrentLogin;
use crate::oauth::ciba;
use crate::oauth::waiting::Ask;
use crate::server::Server;
use crate::users::login::Login;
use crate::words::Language;

/// Bound to the browser, the session and this very request: nobody else can give the answer.
fn csrf_purpose(login: &Login, id: i64) -> String {
    format!("approvals/{id}/{}", URL_SAFE_NO_PAD.encode(login.session.0))
}

/// `GET /approvals`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let (Some(login), Some(user)) = (current.login(), current.user()) else {
        return sign_in_first(&server, &Place::Approvals);
    };
    let asks = match ciba::approvals(&server.oauth, login).await {
        Ok(asks) => asks,
        Err(error) => return refused(&error),
    };
    let teller = match Teller::of(&server, language).await {
        Ok(teller) => teller,
        Err(error) => return broken(&error),
    };
    let approval = |ask: Ask| Approval {
        id: ask.id,
        csrf: browser.csrf(&server.vault, &csrf_purpose(login, ask.id)),
        wanted: Wanted::of(&ask, &teller, language),
    };
    let shown = ApprovalsPage {
        site: Site {
            leaving: Leaving::of(&server, &browser, (login, user), language),
            ..Site::of(&server.config, language)
        },
        user: user.shown_name().to_owned(),
        approvals: asks.into_iter().map(approval).collect(),
    };
    (browser.clone(), page(StatusCode::OK, &shown)).into_response()
}

/// `POST /approvals`: the answer to one of them.
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    form: Form,
) -> Response {
    let Some(login) = current.login() else { return sign_in_first(&server, &Place::Approvals) };
    let id = form.get("request").and_then(|text| text.parse::<i64>().ok());
    let (Some(id), Some(decision)) = (id, form.get("decision")) else { return not_ours() };
    if !browser.check_csrf(&server.vault, &csrf_purpose(login, id), form.get("csrf")) {
        return not_ours();
    }
    let approve = match decision {
        "allow" => true,
        "deny" => false,
        _ => return not_ours(),
    };
    match ciba::answer(&server.oauth, login, id, approve).await {
        Ok(()) => crate::http::pages::see_other("/approvals"),
        Err(error) => refused(&error),
    }
}
