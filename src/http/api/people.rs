//! `/v1/user` and `/v1/account/users`: oneself, and the people of an account.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::db::error::DbError;
use crate::gate::refusal::Refusal;
use crate::http::api::body::{Body, Given, object};
use crate::http::api::error::{ApiError, answer};
use crate::http::api::groups::gone;
use crate::http::api::guard::{Id, Passed, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;
use crate::users::error::UserError;
use crate::users::model::User;
use crate::users::own_profile::OwnProfile;

/// A user, as the API shows one.
#[derive(Debug, Serialize)]
pub(in crate::http::api) struct UserView {
    id: String,
    profile: ProfileView,
    /// The user's groups, where the account is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    /// The Patients that the user is, where the account is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    patients: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileView {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        let profile = ProfileView {
            email: user.email.clone(),
            display_name: user.name.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            picture: user.profile.picture.clone(),
        };
        Self { id: user.id.to_string(), profile, groups: None, patients: None }
    }
}

impl UserView {
    pub(in crate::http::api) fn id(&self) -> &str {
        &self.id
    }
}

/// These users, as the API shows them.
pub(in crate::http::api) async fn views(
    server: &Server,
    ids: &[UserId],
) -> Result<Vec<UserView>, DbError> {
    Ok(server.users.these(ids).await?.iter().map(UserView::from).collect())
}

/// What a client sends to change its user's profile: what is left out stays, `null` goes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct OwnBody {
    #[serde(deserialize_with = "object")]
    profile: OwnProfileBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the platform's clients")]
struct OwnProfileBody {
    display_name: Given,
    given_name: Given,
    family_name: Given,
}

async fn own(server: &Server, id: &UserId) -> Result<Response, ApiError> {
    let user = server.users.find(id).await?.ok_or(Refusal::InvalidToken)?;
    Ok(answer(StatusCode::OK, UserView::from(&*user)))
}

/// `GET /v1/user`: whose token it is.
pub(in crate::http::api) async fn get_own(
    State(server): State<Server>,
    Passed(caller): Passed,
) -> Result<Response, ApiError> {
    own(&server, &caller.user).await
}

/// `PATCH /v1/user`: one's own names.
pub(in crate::http::api) async fn change_own(
    State(server): State<Server>,
    Passed(caller): Passed,
    Body(OwnBody { profile: body }): Body<OwnBody>,
) -> Result<Response, ApiError> {
    caller.in_person()?;
    let changed = move |now: &User| OwnProfile {
        name: body.display_name.clone().or(now.name.as_ref()),
        given_name: body.given_name.clone().or(now.given_name.as_ref()),
        family_name: body.family_name.clone().or(now.family_name.as_ref()),
        profile: now.profile.clone(),
    };
    match server.users.set_own_profile(&caller.user, changed).await {
        Ok(()) => own(&server, &caller.user).await,
        Err(UserError::Internal(error)) => Err(error.into()),
        Err(error) => Err(ApiError::BadBody(error.to_string().into())),
    }
}

/// `GET /v1/account/users`: the people of the account.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/account/users")?;
    let after: Option<UserId> = paging.after()?;
    let ids = server.accounts.people(&permit, (after.as_ref(), paging.limit())).await?;
    let rows = views(&server, &ids).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, UserView::id, |view| view)))
}

/// `GET /v1/account/users/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::missing(lock);
    let place = server.accounts.place_of(&permit, &id).await?.ok_or_else(missing)?;
    let user = server.users.find(&id).await?.ok_or_else(missing)?;
    let groups = Some(place.groups.iter().map(ToString::to_string).collect());
    let patients = Some(place.patients.iter().map(ToString::to_string).collect());
    Ok(answer(StatusCode::OK, UserView { groups, patients, ..UserView::from(&*user) }))
}

/// `DELETE /v1/account/users/{id}`: somebody leaves all groups of the account.
pub(in crate::http::api) async fn remove(
    State(server): State<Server>,
    Permitted { permit, facts, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    gone(server.accounts.remove_person((&permit, &facts), &id).await?, lock)
}
