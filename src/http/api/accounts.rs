//! `/v1/accounts`: the caller's accounts.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::accounts::model::{Account, AccountKind};
use crate::accounts::tenancy::{AccountTexts, WantedAccount};
use crate::base::id::AccountId;
use crate::config::accounts::AccountCreation;
use crate::gate::refusal::Refusal;
use crate::http::api::body::{Body, Given};
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::groups::gone;
use crate::http::api::guard::{Id, Passed, Permitted};
use crate::policy::permit::Permit;
use crate::policy::privilege::{AccountAdmin, Privilege as _};
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
    products: Vec<String>,
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
            products: account.products.clone(),
            features: [],
            trial_active: false,
        }
    }
}

/// What a client sends to make an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct NewBody {
    id: Option<AccountId>,
    name: String,
    description: Option<String>,
}

/// What a client sends to change an account: what is left out stays, `null` goes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http::api) struct ChangeBody {
    name: Option<String>,
    description: Given,
    owner: Given,
    status: Option<String>,
}

/// What a client sends to replace what an account says of itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct ReplaceBody {
    id: Option<AccountId>,
    name: String,
    description: Option<String>,
    owner: Option<String>,
}

/// `GET /v1/accounts`: those that the user is a member of and the app may be used for. What else
/// a user belongs to is no business of the app's.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Passed(caller): Passed,
) -> Result<Response, ApiError> {
    let (accounts, now) = (server.accounts.accounts_of(&caller.user).await?, server.ctx.now());
    let accounts = accounts
        .iter()
        .filter(|account| caller.reaches(&account.id))
        .filter(|account| !account.is_over(now))
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

/// `POST /v1/accounts`: a new one, whose first administrator is the user.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Passed(caller): Passed,
    Body(body): Body<NewBody>,
) -> Result<Response, ApiError> {
    let user = server.users.find(&caller.user).await?.ok_or(Refusal::InvalidToken)?;
    match server.config.account_creation {
        AccountCreation::Operators => {
            return Err(ApiError::NotOffered("operators alone make accounts here"));
        }
        AccountCreation::Administrators => {
            let place = caller.place.as_ref().ok_or(Refusal::AccountRequired)?;
            if !place.holds::<AccountAdmin>() {
                let privilege = AccountAdmin::NAME.into();
                return Err(Refusal::PolicyDenies { privilege }.into());
            }
        }
        AccountCreation::Users if !user.email_verified || user.email.is_none() => {
            return Err(ApiError::NotOffered("verify your e-mail address first"));
        }
        AccountCreation::Users => caller.in_person()?,
    }
    let NewBody { id, name, description } = body;
    let wanted = WantedAccount { id, name, description };
    let made = server.tenancy.create((&user, &caller.actor), &wanted).await?;
    Ok(answer(StatusCode::CREATED, AccountView::from(&made)))
}

/// That the path and the header name one account.
fn same(permit: &Permit<AccountAdmin>, id: &AccountId) -> Result<(), ApiError> {
    if permit.account() == id {
        return Ok(());
    }
    Err(Refusal::InvalidAccount("the path and the header name two accounts").into())
}

/// `PATCH /v1/accounts/{id}`.
pub(in crate::http::api) async fn change(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AccountId>,
    Body(body): Body<ChangeBody>,
) -> Result<Response, ApiError> {
    same(&permit, &id)?;
    let missing = || ApiError::missing(lock);
    let now = server.accounts.find(&id).await?.ok_or_else(missing)?;
    let is_kept = match body.status.as_deref() {
        None => false,
        Some("ACTIVE") => true,
        // What a client read it sends back unchanged; asking for deletion is another method.
        Some("PENDING_DELETION") if now.deletion_at.is_some() => false,
        Some(_) => return Err(ApiError::BadBody("`status` can be made ACTIVE".into())),
    };
    let texts = AccountTexts {
        name: body.name,
        description: body.description.change(),
        owner: body.owner.change(),
    };
    let mut changed = server.tenancy.change(&permit, &id, &texts).await?;
    if is_kept {
        changed = server.tenancy.cancel_deletion(&permit, &id).await?;
    }
    Ok(answer(StatusCode::OK, AccountView::from(&changed.ok_or_else(missing)?)))
}

/// `PUT /v1/accounts/{id}`.
pub(in crate::http::api) async fn replace(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AccountId>,
    Body(body): Body<ReplaceBody>,
) -> Result<Response, ApiError> {
    same(&permit, &id)?;
    if body.id.is_some_and(|other| other != id) {
        return Err(ApiError::BadBody("the path and the body name two accounts".into()));
    }
    let ReplaceBody { name, description, owner, .. } = body;
    let texts =
        AccountTexts { name: Some(name), description: Some(description), owner: Some(owner) };
    let changed = server.tenancy.change(&permit, &id, &texts).await?;
    Ok(answer(StatusCode::OK, AccountView::from(&changed.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `DELETE /v1/accounts/{id}`: in 14 days.
pub(in crate::http::api) async fn delete(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AccountId>,
) -> Result<Response, ApiError> {
    same(&permit, &id)?;
    gone(server.tenancy.ask_deletion(&permit, &id).await?, lock)
}

/// `POST /v1/accounts/{id}/restore`: it is kept after all.
pub(in crate::http::api) async fn restore(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccountAdmin>,
    Id(id): Id<AccountId>,
) -> Result<Response, ApiError> {
    same(&permit, &id)?;
    let kept = server.tenancy.cancel_deletion(&permit, &id).await?;
    Ok(answer(StatusCode::OK, AccountView::from(&kept.ok_or_else(|| ApiError::missing(lock))?)))
}
