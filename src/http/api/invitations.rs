//! `/v1/account/invitations`: those of an account. `/v1/invitations`: one's own.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::accounts::invitations::model::{
    Decision, Invitation, InvitationError, NewInvitation, Patient, Status, Target,
};
use crate::base::id::{AccountId, GroupId, InvitationId, PatientId, ProjectId};
use crate::gate::refusal::Refusal;
use crate::gate::service::Caller;
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::groups::gone;
use crate::http::api::guard::{Id, Passed, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;
use crate::words::Language;

const PATH: &str = "/v1/account/invitations";
const OWN_PATH: &str = "/v1/invitations";

impl From<InvitationError> for ApiError {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Over | InvitationError::OtherAddress => Self::NotFound,
            InvitationError::AlreadyAccepted => Self::AlreadyAccepted,
            InvitationError::Address
            | InvitationError::UnknownGroup
            | InvitationError::UnknownProject
            | InvitationError::NoSubjects
            | InvitationError::Mailed(_) => Self::BadBody(error.to_string().into()),
            InvitationError::AlreadyInvited => {
                Self::AlreadyExists("an invitation of this address already exists")
            }
            InvitationError::TooMany => Self::TooMany("too many invitations wait for an answer"),
            InvitationError::TooManyLetters => {
                Self::TooMany("this invitation was sent as often as may be: invite anew")
            }
            InvitationError::Throttled { .. } => {
                let (status, reason) = (StatusCode::TOO_MANY_REQUESTS, "too_many_requests");
                Self::Told(status, reason, error.to_string().into())
            }
            InvitationError::Internal(error) => Self::Internal(error),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InvitationView {
    id: String,
    account: String,
    account_name: String,
    email: String,
    status: Status,
    invite_timestamp: String,
    expiration_timestamp: String,
    group_id: String,
    group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient_id: Option<String>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let patient = invitation.patient;
        Self {
            id: invitation.id.to_string(),
            account: invitation.account.to_string(),
            account_name: invitation.account_name,
            email: invitation.email,
            status: invitation.status,
            invite_timestamp: date(invitation.created_at),
            expiration_timestamp: date(invitation.expires_at),
            group_id: invitation.group.to_string(),
            group_name: invitation.group_name,
            project_id: patient.as_ref().map(|patient| patient.project.to_string()),
            project_name: invitation.project_name,
            patient_id: patient.map(|patient| patient.id.to_string()),
        }
    }
}

/// What a client sends to invite somebody: to a group, or to a project as a Patient.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http::api) struct NewBody {
    email: String,
    group_id: Option<GroupId>,
    project_id: Option<ProjectId>,
    patient_id: Option<PatientId>,
    language: Option<String>,
}

impl NewBody {
    fn wanted(self) -> Result<NewInvitation, ApiError> {
        let target = match (self.group_id, self.project_id, self.patient_id) {
            (Some(group), None, None) => Target::Group(group),
            (None, Some(project), Some(id)) => Target::Project(Patient { project, id }),
            _ => {
                let text = "name either `groupId`, or `projectId` and `patientId`";
                return Err(ApiError::BadBody(text.into()));
            }
        };
        let language = match self.language {
            None => Language::default(),
            Some(tag) => Language::of_tags(&tag)
                .ok_or(ApiError::BadBody("`language` must be en or de".into()))?,
        };
        Ok(NewInvitation { email: self.email, target, language })
    }
}

/// What a client sends to answer an invitation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct AnswerBody {
    status: Status,
}

/// `GET /v1/account/invitations`: those that wait for an answer.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), PATH)?;
    let after: Option<InvitationId> = paging.after()?;
    let rows = server.tenancy.invitations(&permit, (after.as_ref(), paging.limit())).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |it| it.id.as_str(), InvitationView::from)))
}

/// `POST /v1/account/invitations`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Body(body): Body<NewBody>,
) -> Result<Response, ApiError> {
    let wanted = body.wanted()?;
    let (group, _) = server.tenancy.target(&permit, &wanted.target).await?;
    server.policies.may_give(&permit, &facts, &group).await?;
    let made = server.tenancy.invite(&permit, &wanted).await?;
    Ok(answer(StatusCode::CREATED, InvitationView::from(made)))
}

/// `GET /v1/account/invitations/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<InvitationId>,
) -> Result<Response, ApiError> {
    let found = server.tenancy.invitation(&permit, &id).await?;
    Ok(answer(StatusCode::OK, InvitationView::from(found.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `DELETE /v1/account/invitations/{id}`.
pub(in crate::http::api) async fn revoke(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<InvitationId>,
) -> Result<Response, ApiError> {
    gone(server.tenancy.revoke(&permit, &id).await?, lock)
}

/// `POST /v1/account/invitations/{id}/resend`.
pub(in crate::http::api) async fn resend(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Id(id): Id<InvitationId>,
) -> Result<Response, ApiError> {
    let sent = server.tenancy.invite_again(&permit, &id).await?;
    Ok(answer(StatusCode::OK, InvitationView::from(sent)))
}

/// Whether the app may be used for the account: what else a user is invited to is no business of
/// the app's.
fn is_for_app(caller: &Caller, account: &AccountId) -> bool {
    caller.reaches(account)
}

/// `GET /v1/invitations`: one's own.
pub(in crate::http::api) async fn list_own(
    State(server): State<Server>,
    Passed(caller): Passed,
    query: Query,
) -> Result<Response, ApiError> {
    let user = server.users.find(&caller.user).await?.ok_or(Refusal::InvalidToken)?;
    let paging = Paging::read_own(&query, &server.vault, &user.id, OWN_PATH)?;
    let after: Option<InvitationId> = paging.after()?;
    let page = (after.as_ref(), paging.limit());
    let mut rows = server.tenancy.own_invitations(&user, page).await?;
    let has_more = rows.len() > paging.size();
    rows.truncate(paging.size());
    let last = rows.last().filter(|_| has_more).map(|it| it.id.to_string());
    let own = rows.into_iter().filter(|it| is_for_app(&caller, &it.account));
    let items: Vec<_> = own.map(InvitationView::from).collect();
    Ok(answer(StatusCode::OK, paging.list_until(items, last.as_deref())))
}

/// `GET /v1/invitations/{id}`: one of one's own.
pub(in crate::http::api) async fn get_own(
    State(server): State<Server>,
    Passed(caller): Passed,
    Id(id): Id<InvitationId>,
) -> Result<Response, ApiError> {
    let user = server.users.find(&caller.user).await?.ok_or(Refusal::InvalidToken)?;
    let found = server.tenancy.own_invitation(&user, &id).await?;
    let own = found.filter(|it| is_for_app(&caller, &it.account)).ok_or(ApiError::NotFound)?;
    Ok(answer(StatusCode::OK, InvitationView::from(own)))
}

/// `PATCH /v1/invitations/{id}`: yes or no, once.
pub(in crate::http::api) async fn answer_own(
    State(server): State<Server>,
    Passed(caller): Passed,
    Id(id): Id<InvitationId>,
    Body(body): Body<AnswerBody>,
) -> Result<Response, ApiError> {
    let decision = match body.status {
        Status::Accepted => Decision::Accept,
        Status::Rejected => Decision::Reject,
        Status::Awaiting | Status::Revoked => {
            return Err(ApiError::BadBody("`status` must be ACCEPTED or REJECTED".into()));
        }
    };
    let user = server.users.find(&caller.user).await?.ok_or(Refusal::InvalidToken)?;
    let found = server.tenancy.own_invitation(&user, &id).await?.ok_or(ApiError::NotFound)?;
    if !is_for_app(&caller, &found.account) {
        return Err(Refusal::AppNotAllowed.into());
    }
    let answered = server.tenancy.answer((&user, &caller.actor), &id, decision).await?;
    Ok(answer(StatusCode::OK, InvitationView::from(answered)))
}
