//! `/token`, `/revoke`, `/introspect`: where apps ask, with their own credentials.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use serde_json::Value;

use crate::base::secret::Secret;
use crate::http::oauth::answer::json;
use crate::http::oauth::form::{AppForm, SIGNED};
use crate::http::proof::set_nonce;
use crate::oauth::dpop::accept::next_nonce;
use crate::oauth::error::TokenError;
use crate::oauth::issue::Issued;
use crate::oauth::{ciba, device, introspection, revocation, token};
use crate::server::Server;

/// The answer to a token request. Source: RFC 6749 section 5.1, OpenID Connect Core
/// section 3.1.3.3.
#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    scope: String,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    authorization_details: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

impl<'a> From<&'a Issued> for Tokens<'a> {
    fn from(issued: &'a Issued) -> Self {
        Self {
            access_token: issued.access_token.reveal(),
            token_type: issued.token_type,
            expires_in: issued.expires_in,
            refresh_token: issued.refresh_token.as_ref().map(Secret::reveal),
            id_token: issued.id_token.as_ref().map(Secret::reveal),
            scope: issued.scope.to_string(),
            authorization_details: &issued.authorization_details,
            issued_token_type: issued.issued_token_type,
        }
    }
}

/// `POST /token`.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn token(
    server: State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    token_at("/token", server, form).await
}

/// The same, at a path of its own: a DPoP proof is for the URL that was asked.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn token_at(
    path: &'static str,
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    let issued = token::exchange(&server.oauth, &form.presented(path)).await?;
    let mut response = json(StatusCode::OK, &Tokens::from(&issued));
    let nonce = form.dpop.as_deref().and_then(|proof| next_nonce(&server.oauth, proof));
    if let Some(nonce) = nonce {
        set_nonce(&mut response, &nonce);
    }
    Ok(response)
}

/// `POST /bc-authorize`. Source: OpenID Connect CIBA Core section 7.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn backchannel_authentication(
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    let begun = ciba::begin(&server.oauth, &form.presented("/bc-authorize")).await?;
    Ok(json(StatusCode::OK, &begun.body()))
}

/// `POST /device_authorization`. Source: RFC 8628 section 3.1.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn device_authorization(
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    let begun = device::authorize(&server.oauth, &form.presented("/device_authorization")).await?;
    Ok(json(StatusCode::OK, &begun.body()))
}

/// `POST /revoke`. Source: RFC 7009 section 2.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn revoke(
    server: State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    revoke_at("/revoke", server, form).await
}

/// The same, at a path of its own.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn revoke_at(
    path: &'static str,
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    revocation::revoke(&server.oauth, &form.presented(path)).await?;
    Ok(StatusCode::OK.into_response())
}

/// `POST /introspect`. Source: RFC 7662 section 2.
///
/// # Errors
/// [`TokenError`], which is its own response.
pub(in crate::http::oauth) async fn introspect(
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, TokenError> {
    let presented = form.presented("/introspect");
    if form.wants_signed {
        let text = introspection::introspect_signed(&server.oauth, &presented).await?;
        let headers = [(CONTENT_TYPE, SIGNED), (CACHE_CONTROL, "no-store")];
        return Ok((StatusCode::OK, headers, text).into_response());
    }
    let answer = introspection::introspect(&server.oauth, &presented).await?;
    Ok(json(StatusCode::OK, &answer))
}
