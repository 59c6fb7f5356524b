//! `/v1/apis`: APIs of others that an account has registered.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::apis::model::{ApiRoute, ApiScope, Definition, NewApi, Served};
use crate::apis::path::Pattern;
use crate::apis::service::ApisError;
use crate::base::id::{AccountId, ApiId};
use crate::gate::refusal::Refusal;
use crate::http::api::body::{Body, objects};
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::{AccountAdmin, Privilege as _};
use crate::server::Server;

#[derive(Debug, Serialize)]
struct ApiView {
    id: String,
    account: String,
    #[serde(flatten)]
    definition: Definition,
}

impl From<NewApi> for ApiView {
    fn from(api: NewApi) -> Self {
        Self {
            id: api.id.to_string(),
            account: api.account.to_string(),
            definition: api.definition,
        }
    }
}

/// What a client sends to register an API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http::api) struct ApiBody {
    id: ApiId,
    title: String,
    identifier: String,
    base_path: Pattern,
    #[serde(default)]
    allowed_accounts: Served,
    #[serde(deserialize_with = "objects")]
    scopes: Vec<ApiScope>,
    #[serde(deserialize_with = "objects")]
    routes: Vec<ApiRoute>,
}

impl ApiBody {
    fn of(self, account: &AccountId) -> NewApi {
        let Self { id, title, identifier, base_path, allowed_accounts, scopes, routes } = self;
        let definition =
            Definition { title, identifier, base_path, allowed_accounts, scopes, routes };
        NewApi { id, account: account.clone(), definition }
    }
}

/// `GET /v1/apis`: those that the caller may administer.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccountAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/apis")?;
    let after: Option<ApiId> = paging.after()?;
    let rows = server.apis.list(&permit, after.as_ref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |api| api.id.as_str(), ApiView::from)))
}

/// `POST /v1/apis`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccountAdmin>,
    Body(body): Body<ApiBody>,
) -> Result<Response, ApiError> {
    let new = body.of(permit.account());
    server.apis.create(&permit, &new).await?;
    Ok(answer(StatusCode::CREATED, ApiView::from(new)))
}

/// `GET /v1/apis/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<ApiId>,
) -> Result<Response, ApiError> {
    let found = server.apis.get(&permit, &id).await?;
    Ok(answer(StatusCode::OK, ApiView::from(found.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `PUT /v1/apis/{id}`: all of it. The id stays.
pub(in crate::http::api) async fn replace(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<ApiId>,
    Body(body): Body<ApiBody>,
) -> Result<Response, ApiError> {
    if body.id != id {
        return Err(ApiError::BadBody("the path and the body name two APIs".into()));
    }
    if server.apis.get(&permit, &id).await?.is_none() {
        return Err(ApiError::missing(lock));
    }
    let new = body.of(permit.account());
    if !server.apis.replace(&permit, &new).await? {
        return Err(ApiError::missing(lock));
    }
    Ok(answer(StatusCode::OK, ApiView::from(new)))
}

/// `DELETE /v1/apis/{id}`.
pub(in crate::http::api) async fn delete(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<ApiId>,
) -> Result<Response, ApiError> {
    if !server.apis.delete(&permit, &id).await? {
        return Err(ApiError::missing(lock));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<ApisError> for ApiError {
    fn from(error: ApisError) -> Self {
        match error {
            ApisError::Invalid(_) => Self::BadBody(error.to_string().into()),
            ApisError::Taken => {
                Self::AlreadyExists("an API of that id or identifier already exists")
            }
            ApisError::TooMany => Self::TooMany("there are too many APIs"),
            ApisError::Denied => {
                Self::Refused(Refusal::PolicyDenies { privilege: AccountAdmin::NAME.into() })
            }
            ApisError::UnknownAccount => Self::NotFound,
            ApisError::Internal(error) => Self::Internal(error),
        }
    }
}
