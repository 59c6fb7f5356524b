//! `/v1/accounts` and `/v1/account/…`: the caller's accounts, and the groups of one.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::accounts::model::{Account, AccountKind, Group, GroupKind};
use crate::accounts::service::GroupQuery;
use crate::base::id::AccountId;
use crate::gate::refusal::Refusal;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::{Id, Passed, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

#[derive(Debug, Serialize)]
struct AccountList {
    accounts: Vec<AccountView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(rename = "type")]
    kind: AccountKind,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<String>,
    products: [(); 0],
    features: [(); 0],
    trial_active: bool,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.clone(),
            description: account.description.clone(),
            owner: account.owner.clone(),
            kind: account.kind,
            status: if account.deletion_at.is_some() { "PENDING_DELETION" } else { "ACTIVE" },
            deletion_date: account.deletion_at.map(date),
            products: [],
            features: [],
            trial_active: false,
        }
    }
}

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
            delete_protected: false,
        }
    }
}

/// `GET /v1/accounts`: those that the user is a member of and the app may be used for. What else
/// a user belongs to is no business of the app's.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Passed(caller): Passed,
) -> Result<Response, ApiError> {
    let accounts = server.accounts.accounts_of(&caller.user).await?;
    let accounts = accounts
        .iter()
        .filter(|account| caller.app.allowed_accounts.contains(&account.id))
        .map(AccountView::from)
        .collect();
    Ok(answer(StatusCode::OK, AccountList { accounts }))
}

/// `GET /v1/accounts/{id}`: the account that the header names, too.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Passed(caller): Passed,
    Id(id): Id<AccountId>,
) -> Result<Response, ApiError> {
    if caller.place.is_none_or(|place| place.account != id) {
        return Err(Refusal::InvalidAccount("the path and the header name two accounts").into());
    }
    let account = server.accounts.find(&id).await?.ok_or(ApiError::NotFound)?;
    Ok(answer(StatusCode::OK, AccountView::from(account.as_ref())))
}

/// `GET /v1/account/groups`: those that the caller may administer.
pub(in crate::http::api) async fn groups(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/account/groups")?;
    let wanted = GroupQuery {
        name_prefix: query.one("name")?.map(str::to_owned),
        after: paging.after()?,
        limit: paging.limit(),
    };
    let rows = server.accounts.groups(&permit, &wanted).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |group| group.id.as_str(), GroupView::from)))
}
