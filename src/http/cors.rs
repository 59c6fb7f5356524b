//! Which scripts of which origins may read our answers. Source: the Fetch standard, section 3.3.
//!
//! Scripts of the origins where registered apps live, and no others. Never with credentials: a
//! script shows a token, or nothing. `null` is no origin.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::apps::service::Apps;
use crate::server::Server;

/// What scripts may do at some routes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Methods, as the header lists them.
    pub methods: &'static str,
    /// Request headers, as the header lists them.
    pub headers: &'static str,
    /// Headers of the answer that scripts may read, as the header lists them.
    pub expose: &'static str,
}

const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const EITHER: HeaderValue = HeaderValue::from_static("origin");

/// The middleware: answers preflights, and marks answers that a script may read.
///
/// For `axum::middleware::from_fn_with_state((rule, server), cors::guard)`. A preflight is answered
/// here whatever its path; without permission it gets 204 and no header, which browsers take as no.
pub async fn guard(
    State((rule, server)): State<(Rule, Server)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    let allowed = is_allowed(&origin, request.headers(), &server.apps).await;
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(VARY, EITHER);
    if allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(rule.methods));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(rule.headers));
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(rule.expose));
        }
    }
    response
}

async fn is_allowed(origin: &HeaderValue, headers: &HeaderMap, apps: &Apps) -> bool {
    let Ok(text) = origin.to_str() else { return false };
    if text == "null" || headers.get_all(ORIGIN).iter().count() != 1 {
        return false;
    }
    match apps.is_registered_origin(text).await {
        Ok(registered) => registered,
        Err(error) => {
            tracing::error!(%error, "registered origins could not be read");
            false
        }
    }
}
