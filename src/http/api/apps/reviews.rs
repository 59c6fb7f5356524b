//! `/v1/apps/{id}/review` for whoever asks, `/v1/reviews` for whoever decides.

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::apps::error::ManageError;
use crate::apps::reviews::Reviewer;
use crate::apps::verdicts::{Decision, Verdict};
use crate::base::id::{AccountId, AppId};
use crate::gate::refusal::Refusal;
use crate::http::api::apps::Manages;
use crate::http::api::apps::body::AppBody;
use crate::http::api::apps::view::{AppView, ReviewView};
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, pass};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::http::api::usage;
use crate::policy::privilege::AccountAdmin;
use crate::server::Server;

/// What a developer asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::http::api) struct DraftBody {
    note: Option<String>,
    app: AppBody,
}

/// What is decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct DecisionBody {
    status: VerdictBody,
    version: Option<i64>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VerdictBody {
    Approved,
    Rejected,
    Suspended,
}

#[derive(Debug, Serialize)]
struct ReviewedView {
    #[serde(flatten)]
    review: ReviewView,
    /// The app as it is.
    app: AppView,
}

/// An administrator of the platform's own account.
pub(in crate::http::api) struct Reviews {
    by: Reviewer,
    account: AccountId,
}

impl FromRequestParts<Server> for Reviews {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let (caller, lock) = pass(parts, server).await?;
        let permit = caller.permit::<AccountAdmin>(lock)?;
        usage::passed(server, &caller);
        let place = caller.place.ok_or(Refusal::Bug("a permit without an account"))?;
        let platform = server.config.registration.platform_account.as_ref();
        let by = Reviewer::new(permit, platform)?;
        Ok(Self { by, account: place.account })
    }
}

/// `GET /v1/apps/{id}/review`.
pub(in crate::http::api) async fn get_own(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    let review = server.apps.review(&by, &id).await?.ok_or(ManageError::Unknown)?;
    Ok(answer(StatusCode::OK, ReviewView::from(review)))
}

/// `PUT /v1/apps/{id}/review`.
pub(in crate::http::api) async fn draft(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
    Body(body): Body<DraftBody>,
) -> Result<Response, ApiError> {
    let drafted = server
        .apps
        .draft_review(&by, &id, (body.note.as_deref(), body.app.edit(&server).await?))
        .await?;
    Ok(answer(StatusCode::OK, ReviewView::from(drafted)))
}

/// `POST /v1/apps/{id}/review`.
pub(in crate::http::api) async fn submit(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    let submitted = server.apps.submit_review(&by, &id).await?;
    Ok(answer(StatusCode::OK, ReviewView::from(submitted)))
}

/// `DELETE /v1/apps/{id}/review`.
pub(in crate::http::api) async fn withdraw(
    State(server): State<Server>,
    Manages(by): Manages,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    server.apps.withdraw_review(&by, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /v1/reviews`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Reviews { by, account }: Reviews,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, &account, "/v1/reviews")?;
    let after: Option<AppId> = paging.after()?;
    let rows = server.apps.submitted(&by, after.as_ref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |row| row.app.as_str(), ReviewView::from)))
}

/// `GET /v1/reviews/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Reviews { by, .. }: Reviews,
    Id(id): Id<AppId>,
) -> Result<Response, ApiError> {
    let found = server.apps.to_review(&by, &id).await?;
    let (review, app) = found.ok_or(ApiError::NotFound)?;
    let view = ReviewedView { review: review.into(), app: app.into() };
    Ok(answer(StatusCode::OK, view))
}

/// `PATCH /v1/reviews/{id}`.
pub(in crate::http::api) async fn decide(
    State(server): State<Server>,
    Reviews { by, .. }: Reviews,
    Id(id): Id<AppId>,
    Body(body): Body<DecisionBody>,
) -> Result<Response, ApiError> {
    let verdict = match body.status {
        VerdictBody::Approved => Verdict::Approve,
        VerdictBody::Rejected => Verdict::Reject,
        VerdictBody::Suspended => Verdict::Suspend,
    };
    if body.version.is_none() && verdict != Verdict::Suspend {
        return Err(ApiError::BadBody("`version` is missing: the one that was looked at".into()));
    }
    let decision = Decision { verdict, version: body.version, reason: body.reason };
    let app = server.apps.decide(&by, &id, decision, &server.users).await?;
    Ok(answer(StatusCode::OK, AppView::from(app)))
}
