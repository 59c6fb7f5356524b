//! Answers of the protocol's endpoints, and their refusals. Source: RFC 6749 section 5.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::http::proof::set_nonce;
use crate::oauth::error::TokenError;

const JWT: HeaderValue = HeaderValue::from_static("application/jwt");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"narthex\"");

/// The body of a refusal. Source: RFC 6749 section 5.2.
#[derive(Debug, Serialize)]
struct Refused<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// An answer in JSON that nobody keeps. Source: RFC 6749 section 5.1.
pub(in crate::http::oauth) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => {
            let headers: [(HeaderName, HeaderValue); 3] =
                [(CONTENT_TYPE, JSON), (CACHE_CONTROL, NO_STORE), (PRAGMA, NO_CACHE)];
            (status, headers, text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A JWT that nobody keeps. Source: OpenID Connect Core section 5.3.2.
pub(in crate::http::oauth) fn jwt(token: String) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] =
        [(CONTENT_TYPE, JWT), (CACHE_CONTROL, NO_STORE), (PRAGMA, NO_CACHE)];
    (headers, token).into_response()
}

/// A refusal in the shape of RFC 6749 section 5.2.
pub(in crate::http::oauth) fn refused(
    status: StatusCode,
    error: &str,
    error_description: &str,
) -> Response {
    json(status, &Refused { error, error_description })
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(error = ?self, "the protocol failed");
        }
        let mut response = refused(status, self.code(), self.description());
        if matches!(self, Self::InvalidClient { basic: true }) {
            response.headers_mut().insert(WWW_AUTHENTICATE, BASIC);
        }
        if let Self::UseDpopNonce(nonce) = &self {
            set_nonce(&mut response, nonce);
        }
        response
    }
}

/// For a method that the endpoint does not have.
pub(in crate::http::oauth) async fn method_not_allowed() -> Response {
    refused(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "this method is not allowed here")
}
