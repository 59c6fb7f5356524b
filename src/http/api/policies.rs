//! `/v1/policies`: who may do what in an account.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::http::api::unrepeated::unrepeated;
use crate::policy::document::Fault;
use crate::policy::model::{NewPolicy, Policy, PolicyError};
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

#[derive(Debug, Serialize)]
pub(in crate::http::api) struct PolicyView {
    name: String,
    policy: Value,
}

impl From<Policy> for PolicyView {
    fn from(policy: Policy) -> Self {
        Self { name: policy.name, policy: policy.document }
    }
}

/// What a client sends to make a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct PolicyBody {
    name: String,
    #[serde(deserialize_with = "unrepeated")]
    policy: Value,
}

impl From<PolicyBody> for NewPolicy {
    fn from(body: PolicyBody) -> Self {
        Self { name: body.name, document: body.policy }
    }
}

/// `GET /v1/policies`: those that the caller may administer.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/policies")?;
    let after: Option<String> = paging.after()?;
    let rows = server.policies.list(&permit, after.as_deref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |policy| &policy.name, PolicyView::from)))
}

/// `POST /v1/policies`: adds one, which grants nothing that its author does not hold.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Body(body): Body<PolicyBody>,
) -> Result<Response, ApiError> {
    let made = server.policies.create(&permit, &facts, &body.into()).await;
    Ok(answer(StatusCode::CREATED, PolicyView::from(made.map_err(in_body)?)))
}

/// `GET /v1/policies/{name}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(name): Id<String>,
) -> Result<Response, ApiError> {
    let found = server.policies.get(&permit, &name).await?;
    Ok(answer(StatusCode::OK, PolicyView::from(found.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `PUT /v1/policies/{name}`: writes it over; another name in the body renames it.
pub(in crate::http::api) async fn replace(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(name): Id<String>,
    Body(body): Body<PolicyBody>,
) -> Result<Response, ApiError> {
    let made = server.policies.replace(&permit, &facts, &name, &body.into()).await;
    Ok(answer(StatusCode::OK, PolicyView::from(made.map_err(in_body)?)))
}

/// `DELETE /v1/policies/{name}`.
pub(in crate::http::api) async fn remove(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(name): Id<String>,
) -> Result<StatusCode, ApiError> {
    server.policies.remove(&permit, &facts, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Faults point into the body as it was sent: the document is its member `policy`.
fn in_body(error: PolicyError) -> PolicyError {
    let PolicyError::Invalid(faults) = error else { return error };
    let moved = |fault: Fault| Fault { pointer: format!("/policy{}", fault.pointer), ..fault };
    PolicyError::Invalid(faults.into_iter().map(moved).collect())
}
