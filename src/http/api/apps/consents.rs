//! `/v1/consents`: what a user gave to apps, and taking it back.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;

use crate::base::id::AppId;
use crate::base::scope::Scope;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::{Id, Passed};
use crate::http::api::query::{Query, bad};
use crate::oauth::own_apps::{OwnApp, own_apps, withdraw, withdraw_scopes};
use crate::server::Server;

#[derive(Debug, Serialize)]
struct ConsentList {
    items: Vec<ConsentView>,
    links: Links,
}

#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: &'static str,
}

/// What one app was given.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentView {
    id: String,
    title: String,
    account: String,
    scopes: Vec<String>,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
}

impl From<OwnApp> for ConsentView {
    fn from(own: OwnApp) -> Self {
        Self {
            id: own.app.id.to_string(),
            title: own.app.title.clone(),
            account: own.app.account.to_string(),
            scopes: own.scopes.tokens().map(str::to_owned).collect(),
            since: date(own.since),
            last_used: own.last_used.map(date),
        }
    }
}

/// `GET /v1/consents`: all of them; a user has few.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Passed(caller): Passed,
) -> Result<Response, ApiError> {
    let own = own_apps(&server.oauth, &caller.user).await?;
    let items = own.into_iter().map(ConsentView::from).collect();
    let list = ConsentList { items, links: Links { own: "/v1/consents" } };
    Ok(answer(StatusCode::OK, list))
}

/// `DELETE /v1/consents/{id}`: all that the app was given, or each `scope` of the query.
pub(in crate::http::api) async fn withdraw_one(
    State(server): State<Server>,
    Passed(caller): Passed,
    Id(id): Id<AppId>,
    query: Query,
) -> Result<Response, ApiError> {
    let named: Vec<String> = query.list("scope")?;
    let own = own_apps(&server.oauth, &caller.user).await?;
    let given = own.iter().find(|own| own.app.id == id).ok_or(ApiError::NotFound)?;
    if !query.has("scope") {
        withdraw(&server.oauth, &caller.user, &id).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let scopes = Scope::parse(&named.join(" ")).map_err(|_| bad("scope"))?;
    if scopes.is_empty() {
        return Err(bad("scope"));
    }
    if !scopes.is_within(&given.scopes) {
        return Err(ApiError::NotFound);
    }
    withdraw_scopes(&server.oauth, &caller.user, &id, &scopes).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
