//! `/sign-in/recovery`: a code from the list, for whoever has nothing else at hand.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::form::Form;
use crate::http::pages::second::{Pending, Visit, Way, WayKind, Why};
use crate::http::pages::templates::Site;
use crate::http::pages::{complete, page};
use crate::server::Server;

const PURPOSE: &str = "recovery";

/// `templates/recovery.html`: asks for a recovery code.
#[derive(Debug, Template)]
#[template(path = "recovery.html")]
struct RecoveryPage {
    site: Site,
    grant: String,
    csrf: String,
    name: String,
    again: String,
    fault: Option<String>,
    ways: Vec<Way>,
}

fn show_page(pending: &Pending<'_>, status: StatusCode, fault: Option<String>) -> Response {
    page(
        status,
        &RecoveryPage {
            site: pending.site(),
            grant: pending.grant_text(),
            csrf: pending.csrf(PURPOSE),
            name: pending.user.shown_name().to_owned(),
            again: pending.again(),
            fault,
            ways: pending.ways(WayKind::Recovery),
        },
    )
}

/// `GET /sign-in/recovery`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    visit: Visit,
) -> Result<Response, Response> {
    let pending = visit.pending(&server).await?;
    Ok(show_page(&pending, StatusCode::OK, None))
}

/// `POST /sign-in/recovery`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    visit: Visit,
    form: Form,
) -> Result<Response, Response> {
    let visit = visit.posted(&server, PURPOSE, &form)?;
    let pending = visit.pending(&server).await?;
    let code = form.get("code").unwrap_or_default();
    let source = visit.browser.source();
    if let Err(error) = server.users.check_recovery(&pending.user, code, source).await {
        let why = pending.why(error, "recovery-wrong")?;
        return Ok(Why::on(why.wait, show_page(&pending, why.status, Some(why.fault))));
    }
    // Not `otp`: nothing computed it. Source: RFC 8176 section 2.
    let amr = complete::with_second(&pending.half, &["recovery"]);
    Ok(pending.signed_in(&amr).await)
}
