//! `/sign-in/key`: a passkey or security key after the first factor.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::form::Form;
use crate::http::pages::key_form::{self, KeyForm, SECOND};
use crate::http::pages::second::{Pending, Visit, Way, WayKind, Why};
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, complete, page, see_other};
use crate::server::Server;

const PURPOSE: &str = "key";

/// `templates/key.html`: asks for a key.
#[derive(Debug, Template)]
#[template(path = "key.html")]
struct KeyPage {
    site: Site,
    name: String,
    again: String,
    fault: Option<String>,
    key: KeyForm,
    ways: Vec<Way>,
}

async fn show_page(pending: &Pending<'_>, status: StatusCode, fault: Option<String>) -> Response {
    let server = pending.server;
    let browser = pending.visit.browser.digest();
    let ask = match server.users.ask_key(&pending.user, &browser).await {
        Ok(Some(ask)) => ask,
        // The keys are gone, and with them perhaps the need for one.
        Ok(None) => return see_other(&pending.again()),
        Err(error) => return broken(&error),
    };
    let (csrf, grant) = (pending.csrf(PURPOSE), pending.grant_text());
    let shown = KeyPage {
        site: pending.site(),
        name: pending.user.shown_name().to_owned(),
        again: pending.again(),
        fault,
        key: KeyForm::of(SECOND, (&csrf, &grant), ask),
        ways: pending.ways(WayKind::Key),
    };
    key_form::scripted(server, page(status, &shown))
}

/// `GET /sign-in/key`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    visit: Visit,
) -> Result<Response, Response> {
    let pending = visit.pending(&server).await?;
    Ok(show_page(&pending, StatusCode::OK, None).await)
}

/// `POST /sign-in/key`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    visit: Visit,
    form: Form,
) -> Result<Response, Response> {
    let visit = visit.posted(&server, PURPOSE, &form)?;
    let pending = visit.pending(&server).await?;
    let field = |name| form.get(name).unwrap_or_default();
    let brought = (field("state"), field("credential"));
    let checked = server.users.check_key(&pending.user, brought, visit.browser.source()).await;
    match checked {
        Ok(shown) => {
            let amr = shown.amr();
            let amr = complete::with_second(&pending.half, &amr);
            Ok(pending.signed_in(&amr).await)
        }
        Err(error) => {
            let why = pending.why(error, "key-wrong")?;
            Ok(Why::on(why.wait, show_page(&pending, why.status, Some(why.fault)).await))
        }
    }
}
