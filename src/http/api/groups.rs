//! `/v1/account/groups`: the groups of an account, and who is in them.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::accounts::model::{Group, GroupKind, NewGroup};
use crate::accounts::service::GroupQuery;
use crate::base::id::{GroupId, UserId};
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, Ids, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::people::{UserView, views};
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

const PATH: &str = "/v1/account/groups";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    account: String,
    #[serde(rename = "type")]
    kind: GroupKind,
    delete_protected: bool,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name,
            description: group.description,
            account: group.account.to_string(),
            kind: group.kind,
            delete_protected: group.purpose.is_some(),
        }
    }
}

/// What a client sends to make or to change a group. The command line repeats the id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct GroupBody {
    id: Option<GroupId>,
    name: String,
    description: Option<String>,
}

/// `GET /v1/account/groups`: those that the caller may administer.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), PATH)?;
    let wanted = GroupQuery {
        name_prefix: query.one("name")?.map(str::to_owned),
        after: paging.after()?,
        limit: paging.limit(),
    };
    let rows = server.accounts.groups(&permit, &wanted).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |group| group.id.as_str(), GroupView::from)))
}

/// `POST /v1/account/groups`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Body(body): Body<GroupBody>,
) -> Result<Response, ApiError> {
    if body.id.is_some() {
        return Err(ApiError::BadBody("a group gets its id when it is made".into()));
    }
    let kind = GroupKind::default();
    let new = NewGroup { id: None, name: body.name, description: body.description, kind };
    let made = server.accounts.create_group(&permit, &new).await?;
    Ok(answer(StatusCode::CREATED, GroupView::from(made)))
}

/// `GET /v1/account/groups/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<GroupId>,
) -> Result<Response, ApiError> {
    let found = server.accounts.group(&permit, &id).await?;
    Ok(answer(StatusCode::OK, GroupView::from(found.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `PUT /v1/account/groups/{id}`: another name or description.
pub(in crate::http::api) async fn change(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<GroupId>,
    Body(body): Body<GroupBody>,
) -> Result<Response, ApiError> {
    if body.id.is_some_and(|other| other != id) {
        return Err(ApiError::BadBody("the path and the body name two groups".into()));
    }
    let missing = || ApiError::missing(lock);
    let kind = server.accounts.group(&permit, &id).await?.ok_or_else(missing)?.kind;
    let new = NewGroup { id: None, name: body.name, description: body.description, kind };
    let changed = server.accounts.change_group(&permit, &id, &new).await?;
    Ok(answer(StatusCode::OK, GroupView::from(changed.ok_or_else(missing)?)))
}

/// `DELETE /v1/account/groups/{id}`.
pub(in crate::http::api) async fn delete(
    State(server): State<Server>,
    Permitted { permit, facts, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<GroupId>,
) -> Result<Response, ApiError> {
    gone(server.accounts.delete_group(&server.policies, (&permit, &facts), &id).await?, lock)
}

/// `GET /v1/account/groups/{id}/members`.
pub(in crate::http::api) async fn members(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<GroupId>,
    query: Query,
) -> Result<Response, ApiError> {
    let path = format!("{PATH}/{id}/members");
    let paging = Paging::read(&query, &server.vault, permit.account(), path)?;
    let after: Option<UserId> = paging.after()?;
    let page = (after.as_ref(), paging.limit());
    let ids = server.accounts.members(&permit, &id, page).await?;
    let rows = views(&server, &ids.ok_or_else(|| ApiError::missing(lock))?).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, UserView::id, |view| view)))
}

/// `PUT /v1/account/groups/{id}/members/{user}`: somebody of the account joins one more group.
pub(in crate::http::api) async fn add_member(
    State(server): State<Server>,
    Permitted { permit, facts, lock, .. }: Permitted<AccessAdmin>,
    Ids(group, user): Ids<GroupId, UserId>,
) -> Result<Response, ApiError> {
    // What a group gives is nobody's business who may not see it.
    if server.accounts.group(&permit, &group).await?.is_none() {
        return Err(ApiError::missing(lock));
    }
    server.policies.may_give(&permit, &facts, &group).await?;
    gone(server.accounts.add_member(&permit, &group, &user).await?, lock)
}

/// `DELETE /v1/account/groups/{id}/members/{user}`.
pub(in crate::http::api) async fn remove_member(
    State(server): State<Server>,
    Permitted { permit, facts, lock, .. }: Permitted<AccessAdmin>,
    Ids(group, user): Ids<GroupId, UserId>,
) -> Result<Response, ApiError> {
    let (accounts, policies) = (&server.accounts, &server.policies);
    gone(accounts.remove_member(policies, (&permit, &facts), &group, &user).await?, lock)
}

/// 204 for what is done, or what the table says about what is not there.
pub(in crate::http::api) fn gone(
    is_done: bool,
    lock: &'static crate::gate::routes::Lock,
) -> Result<Response, ApiError> {
    if is_done { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(ApiError::missing(lock)) }
}
