//! `POST /auth/v1/api/invite-validations`: what an invitation is about, for whoever holds its letter.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::accounts::invitations::answer::OpenedInvitation;
use crate::accounts::invitations::model::{Invitation, InvitationError};
use crate::base::id::InvitationId;
use crate::http::api::body::Body;
use crate::http::api::direct::{Refused, told};
use crate::http::api::error::{ApiError, answer};
use crate::server::Server;

/// What the link of a letter holds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct LetterBody {
    invite_id: String,
    evc: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValidView {
    user_state: UserStateView,
    invitation: InvitationView,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserStateView {
    is_existing_user: bool,
}

#[derive(Serialize)]
struct InvitationView {
    email: String,
    account: NamedView,
    group: NamedView,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<NamedView>,
}

#[derive(Serialize)]
struct NamedView {
    id: String,
    name: String,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let project = invitation.patient.zip(invitation.project_name);
        Self {
            email: invitation.email,
            account: NamedView {
                id: invitation.account.to_string(),
                name: invitation.account_name,
            },
            group: NamedView { id: invitation.group.to_string(), name: invitation.group_name },
            project: project
                .map(|(patient, name)| NamedView { id: patient.project.to_string(), name }),
        }
    }
}

/// The invitation of a letter.
pub(in crate::http::api::direct) async fn open(
    server: &Server,
    (id, evc): (&str, &str),
) -> Result<OpenedInvitation, Refused> {
    let id: InvitationId = id.parse().map_err(|_| refused(InvitationError::Over))?;
    server.tenancy.opened(&id, evc).await.map_err(refused)
}

/// One answer for whatever is wrong with a letter, but for one that was used.
pub(in crate::http::api::direct) fn refused(error: InvitationError) -> Refused {
    match error {
        InvitationError::AlreadyAccepted => {
            let text = "the invitation was already accepted";
            told(StatusCode::CONFLICT, "already_accepted", text)
        }
        InvitationError::Mailed(error) => error.into(),
        InvitationError::Internal(error) => Refused::Api(ApiError::from(error)),
        _ => told(StatusCode::NOT_FOUND, "not_found", "there is no such invitation"),
    }
}

/// `POST /auth/v1/api/invite-validations`.
pub(in crate::http::api::direct) async fn validate(
    State(server): State<Server>,
    Body(body): Body<LetterBody>,
) -> Result<Response, Refused> {
    let opened = open(&server, (&body.invite_id, &body.evc)).await?;
    let view = ValidView {
        user_state: UserStateView { is_existing_user: opened.is_known },
        invitation: opened.invitation.into(),
    };
    Ok(answer(StatusCode::OK, view))
}
