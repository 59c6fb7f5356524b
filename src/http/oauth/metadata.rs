//! Discovery documents and the key set: public, cacheable, the same for everybody.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::base::document::Document;
use crate::oauth::error::TokenError;
use crate::server::Server;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");
/// Five minutes: a new key is announced for longer than that before it signs.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// `GET /.well-known/openid-configuration`.
pub(in crate::http::oauth) async fn openid(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Response {
    match server.oauth.metadata().await {
        Ok(metadata) => document(&headers, JSON, metadata.openid()),
        Err(error) => TokenError::from(error).into_response(),
    }
}

/// `GET /.well-known/oauth-authorization-server`.
pub(in crate::http::oauth) async fn oauth(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Response {
    match server.oauth.metadata().await {
        Ok(metadata) => document(&headers, JSON, metadata.oauth()),
        Err(error) => TokenError::from(error).into_response(),
    }
}

/// `GET /.well-known/oauth-protected-resource`. Source: RFC 9728 section 3.
pub(in crate::http::oauth) async fn resource(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Response {
    document(&headers, JSON, server.gate.metadata())
}

/// `GET /.well-known/authzen-configuration`.
pub(in crate::http::oauth) async fn decision_point(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Response {
    document(&headers, JSON, server.gate.decision_point())
}

/// `GET /jwks`. Source: RFC 7517 section 5.
pub(in crate::http::oauth) async fn jwks(
    State(server): State<Server>,
    headers: HeaderMap,
) -> Response {
    document(&headers, JWK_SET, &server.keys.jwks())
}

fn document(headers: &HeaderMap, content_type: HeaderValue, document: &Document) -> Response {
    let tag = document.tag();
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|field| {
        field.as_bytes().split(|byte| *byte == b',').any(|known| known.trim_ascii() == tag)
    });
    let (status, body) = if known {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(document.text()))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.reserve(8);
    fields.insert(CONTENT_TYPE, content_type);
    fields.insert(CACHE_CONTROL, CACHED);
    fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    // Base64 between quotes is always a field value.
    if let Ok(tag) = HeaderValue::from_maybe_shared(tag) {
        fields.insert(ETAG, tag);
    }
    response
}
