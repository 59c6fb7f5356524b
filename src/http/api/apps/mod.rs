//! `/v1/apps`: registering apps and administering them.

mod blocks;
mod body;
mod consents;
mod reviews;
mod secrets;
mod view;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::apps::error::{AppError, Fault, ManageError};
use crate::apps::manage::{AppQuery, Manager, Right};
use crate::apps::model::Status;
use crate::base::id::AppId;
use crate::base::secret::Secret;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{Operation, is_administrative, tells_of_others};
use crate::http::api::apps::body::AppBody;
use crate::http::api::apps::view::AppView;
use crate::http::api::body::{Body, Raw};
use crate::http::api::direct::create_client_token;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, pass};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::http::api::usage;
use crate::policy::attributes::Attributes;
use crate::policy::privilege::{AccessAdmin, AccountAdmin, DevelopApps, Privilege as _};
use crate::server::Server;

const PATH: &str = "/v1/apps";

/// Who answers an operation of this area; `None` for those of others.
pub(in crate::http::api) fn handler(operation: Operation) -> Option<MethodRouter<Server>> {
    Some(match operation {
        Operation::ListApps => get(list),
        Operation::CreateApp => post(create),
        Operation::GetApp => get(get_one),
        Operation::UpdateApp => patch(update),
        Operation::DeleteApp => delete(remove),
        Operation::SetAppStatus => put(set_status),
        Operation::ListAppSecrets => get(secrets::list),
        Operation::AddAppSecret => post(secrets::add),
        Operation::EndAppSecret => delete(secrets::end),
        Operation::SetAppLogo => put(set_logo),
        Operation::RemoveAppLogo => delete(remove_logo),
        Operation::GetAppReview => get(reviews::get_own),
        Operation::DraftAppReview => put(reviews::draft),
        Operation::SubmitAppReview => post(reviews::submit),
        Operation::WithdrawAppReview => delete(reviews::withdraw),
        Operation::ListReviews => get(reviews::list),
        Operation::GetReview => get(reviews::get_one),
        Operation::DecideReview => patch(reviews::decide),
        Operation::ListAccountApps => get(blocks::list),
        Operation::BlockApp => put(blocks::block),
        Operation::UnblockApp => delete(blocks::unblock),
        Operation::ListConsents => get(consents::list),
        Operation::CreateClientToken => post(create_client_token),
        Operation::WithdrawConsent => delete(consents::withdraw_one),
        _ => return None,
    })
}

/// What is known of somebody whom [`Manages`] let pass.
#[derive(Clone)]
pub(in crate::http::api::apps) struct Known(pub(in crate::http::api::apps) Attributes);

impl Known {
    /// Whether they hold what the service account holds that this app acts for, if it does.
    pub(in crate::http::api::apps) async fn may_speak_for(
        &self,
        server: &Server,
        by: &Manager,
        app: &AppId,
    ) -> Result<(), ApiError> {
        Ok(server.programs.may_speak_for(by.account(), &self.0, app).await?)
    }
}

/// Somebody who administers apps of the account.
pub(in crate::http::api) struct Manages(pub(in crate::http::api) Manager);

impl FromRequestParts<Server> for Manages {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let (caller, lock) = pass(parts, server).await?;
        if let Some(place) = &caller.place {
            parts.extensions.insert(Known(place.facts.clone()));
        }
        let right = match caller.permit::<AccountAdmin>(lock) {
            Ok(permit) => Right::Administrator(permit),
            Err(Refusal::PolicyDenies { .. }) => {
                Right::Developer(caller.permit::<DevelopApps>(lock)?)
            }
            Err(refusal) => return Err(refusal.into()),
        };
        usage::passed(server, &caller);
        let is_beyond: fn(&str) -> bool = match &right {
            Right::Developer(_) => is_administrative,
            Right::Administrator(_) if caller.also::<AccessAdmin>().is_ok() => |_| false,
            Right::Administrator(_) => tells_of_others,
        };
        Ok(Self(Manager::new(right, is_beyond)))
    }
}

/// An app that was just made, and its secret, which is never shown again.
#[derive(Debug, Serialize)]
struct MadeView {
    #[serde(flatten)]
    app: AppView,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What an app is switched to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusBody {
    status: Status,
}

/// `GET /v1/apps`.
async fn list(
    State(server): State<Server>,
    Manages(by): Manages,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, by.account(), PATH)?;
    let wanted = AppQuery {
        title_prefix: query.one("name")?.map(str::to_owned),
        after: paging.after()?,
        limit: paging.limit(),
    };
    let rows = server.apps.managed_list(&by, &wanted).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |row| row.app.id.as_str(), AppView::from)))
}

/// `POST /v1/apps`.
async fn create(
    State(server): State<Server>,
    Manages(by): Manages,
    Body(body): Body<AppBody>,
) -> Result<Response, ApiError> {
    let (made, secret) = server.apps.manage_new(&by, body.edit(&server).await?).await?;
    let secret = secret.as_ref().map(Secret::reveal).map(str::to_owned);
    Ok(answer(StatusCode::CREATED, MadeView { app: made.into(), secret }))
}

/// `GET /v1/apps/{id}`.
async fn get_one(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    let found = server.apps.managed(&by, &id).await?;
    Ok(answer(StatusCode::OK, AppView::from(found)))
}

/// `PATCH /v1/apps/{id}`.
async fn update(
    State(server): State<Server>,
    Manages(by): Manages,
    Extension(known): Extension<Known>,
    Id(id): Id<AppId>,
    Body(body): Body<AppBody>,
) -> Result<Response, ApiError> {
    server.apps.managed(&by, &id).await?;
    known.may_speak_for(&server, &by, &id).await?;
    let changed = server.apps.manage_edit(&by, &id, body.edit(&server).await?).await?;
    Ok(answer(StatusCode::OK, AppView::from(changed)))
}

/// `DELETE /v1/apps/{id}`.
async fn remove(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    server.apps.manage_delete(&by, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT /v1/apps/{id}/status`.
async fn set_status(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
    Body(body): Body<StatusBody>,
) -> Result<Response, ApiError> {
    let changed = server.apps.manage_status(&by, &id, body.status).await?;
    Ok(answer(StatusCode::OK, AppView::from(changed)))
}

/// `PUT /v1/apps/{id}/logo`: the bytes of a picture, whatever they are said to be.
async fn set_logo(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
    Raw(image): Raw,
) -> Result<Response, ApiError> {
    let changed = server.apps.manage_logo(&by, &id, &image, &server.config.issuer).await?;
    Ok(answer(StatusCode::OK, AppView::from(changed)))
}

/// `DELETE /v1/apps/{id}/logo`.
async fn remove_logo(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    server.apps.manage_no_logo(&by, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<ManageError> for ApiError {
    fn from(error: ManageError) -> Self {
        let told = |status, reason| Self::Told(status, reason, error.to_string().into());
        match error {
            ManageError::Unknown => Self::NotFound,
            ManageError::OwnApp => told(StatusCode::FORBIDDEN, "own_app"),
            ManageError::NeedsReview(_) => told(StatusCode::CONFLICT, "needs_review"),
            ManageError::Denied => {
                Self::Refused(Refusal::PolicyDenies { privilege: AccountAdmin::NAME.into() })
            }
            ManageError::TooMany => Self::TooMany("the account has too many apps"),
            ManageError::TooManySecrets => told(StatusCode::CONFLICT, "too_many_secrets"),
            ManageError::Stale => told(StatusCode::CONFLICT, "stale"),
            ManageError::OwnRequest => told(StatusCode::FORBIDDEN, "own_request"),
            ManageError::NotThePlatform => told(StatusCode::FORBIDDEN, "not_the_platform"),
            ManageError::Picture(bad) => Self::BadBody(format!("logo: {bad}").into()),
            ManageError::App(error) => error.into(),
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(faults) => {
                Self::InvalidApp(faults.into_iter().map(in_body).collect())
            }
            AppError::Duplicate => Self::AlreadyExists("an app of that id already exists"),
            AppError::Unknown | AppError::UnknownAccount => Self::NotFound,
            AppError::Db(error) => Self::Internal(error),
        }
    }
}

/// Faults name the members of the body: `callback_urls[1]` is `callbackUrls[1]`.
fn in_body(fault: Fault) -> Fault {
    let mut field = String::with_capacity(fault.field.len());
    let mut letters = fault.field.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '_' => field.extend(letters.next().map(|next| next.to_ascii_uppercase())),
            other => field.push(other),
        }
    }
    Fault { field, ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_members_of_the_body() {
        for (ours, theirs) in [
            ("title", "title"),
            ("callback_urls[1]", "callbackUrls[1]"),
            ("access_token_seconds", "accessTokenSeconds"),
            ("_", ""),
        ] {
            assert_eq!(in_body(Fault::new(ours, "x")).field, theirs);
        }
    }
}
