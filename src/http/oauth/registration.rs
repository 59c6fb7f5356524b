//! `/register` and `/register/{client_id}`. Source: RFC 7591 section 3, RFC 7592 section 2.

use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::http::client_ip::client_ip;
use crate::http::oauth::answer::{json, refused};
use crate::http::oauth::form;
use crate::oauth::registration::{self, RegistrationError};
use crate::server::Server;

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
const HOUR: HeaderValue = HeaderValue::from_static("3600");
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"narthex\", error=\"invalid_token\"");

type Answer = Result<Response, RegistrationError>;
type Client = Result<Path<String>, PathRejection>;

impl IntoResponse for RegistrationError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(error = ?self, "registration failed");
        }
        let mut response = refused(status, self.code(), self.description());
        match self {
            Self::Token => response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE),
            Self::TooMany => response.headers_mut().insert(RETRY_AFTER, HOUR),
            _ => None,
        };
        response
    }
}

/// `POST /register`.
///
/// # Errors
/// [`RegistrationError`], which is its own response.
pub(in crate::http::oauth) async fn register(
    State(server): State<Server>,
    request: Request,
) -> Answer {
    let bearer = bearer(request.headers())?;
    let proxies = &server.config.trusted_proxies;
    let source = client_ip(request.headers(), request.extensions(), proxies);
    let asked = read(request).await?;
    let told = registration::register(&server.oauth, bearer.as_deref(), source, &asked).await?;
    Ok(json(StatusCode::CREATED, &told))
}

/// `GET /register/{client_id}`.
///
/// # Errors
/// As [`register`].
pub(in crate::http::oauth) async fn get(
    State(server): State<Server>,
    client: Client,
    headers: HeaderMap,
) -> Answer {
    let (client, bearer) = (named(client)?, bearer(&headers)?);
    let told = registration::get(&server.oauth, &client, bearer.as_deref()).await?;
    Ok(json(StatusCode::OK, &told))
}

/// `PUT /register/{client_id}`.
///
/// # Errors
/// As [`register`].
pub(in crate::http::oauth) async fn put(
    State(server): State<Server>,
    client: Client,
    request: Request,
) -> Answer {
    let (client, bearer) = (named(client)?, bearer(request.headers())?);
    if bearer.is_none() {
        return Err(RegistrationError::Token);
    }
    let asked = read(request).await?;
    let told = registration::put(&server.oauth, &client, bearer.as_deref(), &asked).await?;
    Ok(json(StatusCode::OK, &told))
}

/// `DELETE /register/{client_id}`.
///
/// # Errors
/// As [`register`].
pub(in crate::http::oauth) async fn delete(
    State(server): State<Server>,
    client: Client,
    headers: HeaderMap,
) -> Answer {
    let (client, bearer) = (named(client)?, bearer(&headers)?);
    registration::delete(&server.oauth, &client, bearer.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn named(client: Client) -> Result<String, RegistrationError> {
    client.map(|Path(name)| name).map_err(|_| RegistrationError::Token)
}

/// The one token of a request; another scheme is as good as none. Source: RFC 6750 section 2.1.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, RegistrationError> {
    let field = form::authorization(headers).map_err(|_| RegistrationError::Token)?;
    let Some(field) = field else { return Ok(None) };
    match field.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(token.trim_matches(' ').to_owned()))
        }
        _ => Err(RegistrationError::Token),
    }
}

/// The JSON object of a body.
async fn read(request: Request) -> Result<Map<String, Value>, RegistrationError> {
    let malformed = |text: &str| RegistrationError::Metadata(text.to_owned());
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(malformed("the body must be application/json"));
    }
    let bytes = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| malformed("the body is too large or incomplete"))?;
    serde_json::from_slice(&bytes).map_err(|_| malformed("the body must be a JSON object"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let essence = first.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    second.is_none() && essence.eq_ignore_ascii_case("application/json")
}
