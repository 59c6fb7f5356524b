//! `/v1/account/apps`: the apps that may be used for an account, and keeping one out.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;

use crate::apps::blocks::Usable;
use crate::apps::manage::AppQuery;
use crate::apps::model::{Kind, Status};
use crate::base::id::AppId;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccountAdmin;
use crate::server::Server;

const PATH: &str = "/v1/account/apps";

/// An app of whomever, as far as it is the business of an account that it may be used for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UsableView {
    id: String,
    /// The account that owns it.
    account: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_url: Option<String>,
    status: Status,
    #[serde(rename = "type")]
    kind: Kind,
    allowed_scopes: Vec<String>,
    blocked: bool,
}

impl From<Usable> for UsableView {
    fn from(Usable { app, is_blocked }: Usable) -> Self {
        Self {
            id: app.id.to_string(),
            account: app.account.to_string(),
            title: app.title,
            description: app.description,
            url: app.url,
            icon_url: app.icon_url,
            status: app.status,
            kind: app.kind,
            allowed_scopes: app.allowed_scopes.tokens().map(str::to_owned).collect(),
            blocked: is_blocked,
        }
    }
}

/// `GET /v1/account/apps`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccountAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), PATH)?;
    let wanted = AppQuery {
        title_prefix: query.one("name")?.map(str::to_owned),
        after: paging.after()?,
        limit: paging.limit(),
    };
    let rows = server.apps.usable_list(&permit, &wanted).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |row| row.app.id.as_str(), UsableView::from)))
}

/// `PUT /v1/account/apps/{id}/block`.
pub(in crate::http::api) async fn block(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    server.apps.set_blocked(&permit, &id, true).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /v1/account/apps/{id}/block`.
pub(in crate::http::api) async fn unblock(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    server.apps.set_blocked(&permit, &id, false).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
