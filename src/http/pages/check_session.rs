//! `/session/check`: the frame that scripts of apps ask whether a session goes on. The only page
//! that may stand in a frame. Source: OpenID Connect Session Management 1.0 section 3.2.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::http::assets::CHECK_SESSION;
use crate::http::cookies::Cookie;
use crate::http::pages;
use crate::http::security_headers::FRAME_POLICY;
use crate::server::Server;

/// `templates/check_session.html`.
#[derive(Debug, Template)]
#[template(path = "check_session.html")]
struct CheckSessionPage {
    script: String,
    cookie: &'static str,
}

/// `GET /session/check`
pub(in crate::http::pages) async fn show(State(server): State<Server>) -> Response {
    let cookie = Cookie::State.name(server.config.issuer.is_https());
    let script = CHECK_SESSION.href();
    let mut answer = pages::page(StatusCode::OK, &CheckSessionPage { script, cookie });
    let policy = HeaderValue::from_static(FRAME_POLICY);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    answer
}
