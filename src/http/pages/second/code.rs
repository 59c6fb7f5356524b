//! `/sign-in/totp`: the code of an authenticator app.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::complete;
use crate::http::pages::form::Form;
use crate::http::pages::page;
use crate::http::pages::second::{Pending, Visit, Way, WayKind, Why};
use crate::http::pages::templates::Site;
use crate::server::Server;

const PURPOSE: &str = "totp";

/// `templates/totp.html`: asks for the second factor.
#[derive(Debug, Template)]
#[template(path = "totp.html")]
struct TotpPage {
    /// Around it.
    site: Site,
    /// Number of the authorization that it is for; may be empty.
    grant: String,
    /// Token against posts from elsewhere.
    csrf: String,
    /// Whose password was right.
    name: String,
    /// Where to begin again.
    again: String,
    /// Why it is shown again.
    fault: Option<String>,
    /// Other second factors.
    ways: Vec<Way>,
}

fn show_page(pending: &Pending<'_>, status: StatusCode, fault: Option<String>) -> Response {
    page(
        status,
        &TotpPage {
            site: pending.site(),
            grant: pending.grant_text(),
            csrf: pending.csrf(PURPOSE),
            name: pending.user.shown_name().to_owned(),
            again: pending.again(),
            fault,
            ways: pending.ways(WayKind::Code),
        },
    )
}

/// `GET /sign-in/totp`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    visit: Visit,
) -> Result<Response, Response> {
    let pending = visit.pending(&server).await?;
    Ok(show_page(&pending, StatusCode::OK, None))
}

/// `POST /sign-in/totp`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    visit: Visit,
    form: Form,
) -> Result<Response, Response> {
    let visit = visit.posted(&server, PURPOSE, &form)?;
    let pending = visit.pending(&server).await?;
    let code = form.get("code").unwrap_or_default();
    let user = &pending.user;
    if let Err(error) = server.users.check_totp(&user.id, code, visit.browser.source()).await {
        let why = pending.why(error, "totp-wrong")?;
        return Ok(Why::on(why.wait, show_page(&pending, why.status, Some(why.fault))));
    }
    let amr = complete::with_second(&pending.half, &["otp"]);
    Ok(pending.signed_in(&amr).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_16_the_page_escapes_what_others_wrote() {
        let hostile = "\"><script>alert(1)</script>&'".to_owned();
        let way = Way { id: "way-key", href: hostile.clone(), text: hostile.clone() };
        let page = TotpPage {
            site: Site::sample(),
            grant: "17".to_owned(),
            csrf: "token".to_owned(),
            name: hostile.clone(),
            again: "/sign-in?grant=17".to_owned(),
            fault: Some(hostile.clone()),
            ways: vec![way],
        };
        let html = page.render().unwrap();

        assert!(!html.contains("<script") && !html.contains(&hostile), "{html}");
        assert!(html.contains("alert(1)") && html.contains("id=\"way-key\""), "{html}");
    }
}
