//! `/v1/apps/{id}/secrets`.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::apps::belongings::secret_name;
use crate::apps::model::SecretDigest;
use crate::base::id::AppId;
use crate::http::api::apps::{Known, Manages};
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::Id;
use crate::server::Server;

/// How long the secret before stays good, unless it is said: a day.
const OVERLAP_SECONDS: u32 = 86_400;

#[derive(Debug, Serialize)]
struct SecretList {
    items: Vec<SecretView>,
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
}

/// A secret, by its name alone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretView {
    name: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl From<&SecretDigest> for SecretView {
    fn from(secret: &SecretDigest) -> Self {
        Self {
            name: secret_name(&secret.digest),
            created_at: date(secret.created_at),
            expires_at: secret.expires_at.map(date),
        }
    }
}

/// How a new secret is made.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(in crate::http::api) struct SecretBody {
    overlap_seconds: Option<u32>,
}

/// A new secret, which is never shown again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewSecretView {
    name: String,
    secret: String,
    /// Until when the secret before it is good.
    before_until: String,
}

/// `GET /v1/apps/{id}/secrets`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    let found = server.apps.managed_secrets(&by, &id).await?;
    let items = found.iter().map(SecretView::from).collect();
    let links = Links { own: format!("/v1/apps/{id}/secrets") };
    Ok(answer(StatusCode::OK, SecretList { items, links }))
}

/// `POST /v1/apps/{id}/secrets`.
pub(in crate::http::api) async fn add(
    State(server): State<Server>,
    Manages(by): Manages,
    Extension(known): Extension<Known>,
    Id(id): Id<AppId>,
    Body(body): Body<SecretBody>,
) -> Result<Response, ApiError> {
    server.apps.managed(&by, &id).await?;
    known.may_speak_for(&server, &by, &id).await?;
    let overlap = body.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    let made = server.apps.manage_secret(&by, &id, overlap).await?;
    let view = NewSecretView {
        name: secret_name(&made.secret.digest()),
        secret: made.secret.reveal().to_owned(),
        before_until: date(made.before_until),
    };
    Ok(answer(StatusCode::CREATED, view))
}

/// `DELETE /v1/apps/{id}/secrets/{name}`.
pub(in crate::http::api) async fn end(
    State(server): State<Server>,
    Manages(by): Manages,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let id: AppId = id.parse().map_err(|_| ApiError::NotFound)?;
    if name.chars().any(char::is_control) {
        return Err(ApiError::NotFound);
    }
    server.apps.end_secret(&by, &id, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
