//! `/v1/service-accounts`: users without a sign-in, owned by an account.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::{ApiKeyId, AppId, GroupId, UserId};
use crate::http::api::api_keys::{KeyBody, KeyView};
use crate::http::api::body::{Body, Given};
use crate::http::api::error::{ApiError, answer, date, no_content};
use crate::http::api::guard::{Id, Ids, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::programs::model::{Described, ProgramError, ServiceAccount};
use crate::programs::service_accounts::Changed;
use crate::server::Server;

const PATH: &str = "/v1/service-accounts";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceView {
    /// Also its id as a user.
    id: String,
    account: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    disabled: bool,
    /// What it may do is what these give.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    created_timestamp: String,
}

impl ServiceView {
    /// One, with its groups.
    async fn of(server: &Server, service: ServiceAccount) -> Result<Self, ApiError> {
        let groups = server.programs.groups_of(&service.account, &service.user).await?;
        let groups = Some(groups.iter().map(ToString::to_string).collect());
        Ok(Self { groups, ..Self::from(service) })
    }
}

impl From<ServiceAccount> for ServiceView {
    fn from(service: ServiceAccount) -> Self {
        Self {
            groups: None,
            id: service.user.to_string(),
            account: service.account.to_string(),
            name: service.name,
            description: service.description,
            app: service.app.map(|app| app.to_string()),
            disabled: service.is_disabled,
            created_timestamp: date(service.created_at),
        }
    }
}

/// What a client sends to make one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct NewBody {
    name: String,
    description: Option<String>,
    #[serde(default)]
    groups: Vec<GroupId>,
}

/// What a client sends to change one: what is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http::api) struct ChangeBody {
    name: Option<String>,
    description: Option<String>,
    disabled: Option<bool>,
    app: Given,
}

/// `GET /v1/service-accounts`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), PATH)?;
    let after: Option<UserId> = paging.after()?;
    let rows = server.programs.service_accounts(&permit, after.as_ref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |one| one.user.as_str(), ServiceView::from)))
}

/// `POST /v1/service-accounts`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Body(body): Body<NewBody>,
) -> Result<Response, ApiError> {
    let described = Described { name: body.name, description: body.description };
    let made =
        server.programs.make_service_account(&permit, &facts, &described, &body.groups).await?;
    Ok(answer(StatusCode::CREATED, ServiceView::of(&server, made).await?))
}

/// `GET /v1/service-accounts/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    let found = server.programs.service_account(&permit, &id).await?;
    Ok(answer(StatusCode::OK, ServiceView::of(&server, found).await?))
}

/// `PATCH /v1/service-accounts/{id}`.
pub(in crate::http::api) async fn change(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
    Body(body): Body<ChangeBody>,
) -> Result<Response, ApiError> {
    // What is no id of an app is the id of none.
    let app = |text: String| text.parse::<AppId>().map_err(|_| ProgramError::BadApp);
    let app = body.app.change().map(|text| text.map(app).transpose()).transpose()?;
    let changed =
        Changed { name: body.name, description: body.description, is_disabled: body.disabled, app };
    let after = server.programs.change_service_account(&permit, &facts, &id, changed).await?;
    Ok(answer(StatusCode::OK, ServiceView::of(&server, after).await?))
}

/// `DELETE /v1/service-accounts/{id}`.
pub(in crate::http::api) async fn delete(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    server.programs.remove_service_account(&permit, &facts, &id).await?;
    Ok(no_content())
}

/// `GET /v1/service-accounts/{id}/api-keys`.
pub(in crate::http::api) async fn keys(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
    query: Query,
) -> Result<Response, ApiError> {
    let path = format!("{PATH}/{id}/api-keys");
    let paging = Paging::read(&query, &server.vault, permit.account(), path)?;
    let after: Option<ApiKeyId> = paging.after()?;
    let rows = server.programs.service_keys(&permit, &id, after.as_ref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |key| key.id.as_str(), KeyView::from)))
}

/// `POST /v1/service-accounts/{id}/api-keys`.
pub(in crate::http::api) async fn create_key(
    State(server): State<Server>,
    Permitted { permit, facts, scope, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
    Body(body): Body<KeyBody>,
) -> Result<Response, ApiError> {
    let new = body.wanted(scope.scope(), &*server.apis.all().await?)?;
    let made = server.programs.make_service_key(&permit, &facts, &id, &new).await?;
    Ok(answer(StatusCode::CREATED, KeyView::made(made)))
}

/// `DELETE /v1/service-accounts/{id}/api-keys/{key}`.
pub(in crate::http::api) async fn delete_key(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Ids(id, key): Ids<UserId, ApiKeyId>,
) -> Result<Response, ApiError> {
    server.programs.revoke_service_key(&permit, &id, &key).await?;
    Ok(no_content())
}
