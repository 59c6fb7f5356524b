//! What an invitation is.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::accounts::model::{BadVariant, variants};
use crate::base::id::{AccountId, GroupId, InvitationId, PatientId, ProjectId, UserId};
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;
use crate::users::error::SignInError;
use crate::users::mailed::MailedError;

/// How long an invitation is good. Source: the platform's documentation.
pub const INVITATION_TTL: TimeDelta = TimeDelta::days(30);
/// Most invitations of one account that wait for an answer.
pub const AWAITING_MAX: i64 = 1000;
/// Most letters about one invitation.
pub const LETTERS_MAX: i64 = 5;
/// What an invitation is, as a resource that policies are about.
const TYPE: &str = "invitation";

variants! {
    /// What became of an invitation.
    Status: "AWAITING, ACCEPTED, REJECTED, REVOKED" {
        /// Nothing yet.
        #[default]
        Awaiting = "AWAITING",
        /// Whoever was invited said yes.
        Accepted = "ACCEPTED",
        /// Whoever was invited said no.
        Rejected = "REJECTED",
        /// The account took it back.
        Revoked = "REVOKED",
    }
}

/// The health record of somebody in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patient {
    /// In which project.
    pub project: ProjectId,
    /// Which Patient.
    pub id: PatientId,
}

/// Where an invitation leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Into a group.
    Group(GroupId),
    /// Into the group Subjects, as this Patient.
    Project(Patient),
}

/// An invitation as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// Who is invited: whoever receives mail there.
    pub email: String,
    /// Where to.
    pub target: Target,
    /// The language of the letter.
    pub language: crate::words::Language,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Into which account.
    pub account: AccountId,
    /// What that is called.
    pub account_name: String,
    /// Into which of its groups.
    pub group: GroupId,
    /// What that is called.
    pub group_name: String,
    /// As which Patient.
    pub patient: Option<Patient>,
    /// What the Patient's project is called.
    pub project_name: Option<String>,
    /// Who is invited.
    pub email: String,
    /// What became of it.
    pub status: Status,
    /// In which language the letter is written.
    pub language: crate::words::Language,
    /// How many letters were posted.
    pub letters: i64,
    /// Who invites, unless they are gone.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

impl Invitation {
    /// Whether it waits for an answer, and may have one.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.status == Status::Awaiting && self.expires_at > now
    }

    /// Whether nobody answered it in time: it is not shown any more.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.status == Status::Awaiting && self.expires_at <= now
    }
}

/// An answer to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Accept,
    /// No.
    Reject,
}

/// Why something about invitations is refused.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// There is none, it is over, or it is for somebody else.
    #[error("there is no such invitation")]
    Over,
    /// It was accepted before.
    #[error("the invitation was already accepted")]
    AlreadyAccepted,
    /// It is for somebody else, who is named only to whoever holds its link.
    #[error("the invitation is for another address")]
    OtherAddress,
    /// Letters cannot go to the address.
    #[error("`email` is not an e-mail address")]
    Address,
    /// The same person was invited to the same, and has not answered.
    #[error("there is an invitation of this address to this group already")]
    AlreadyInvited,
    /// The account has no such group.
    #[error("there is no such group in this account")]
    UnknownGroup,
    /// The account has no such project.
    #[error("there is no such project in this account")]
    UnknownProject,
    /// The account has no group Subjects.
    #[error("the account has no group Subjects, which project invitations lead to")]
    NoSubjects,
    /// Too many wait for an answer.
    #[error("too many invitations of the account wait for an answer")]
    TooMany,
    /// Too many letters were sent.
    #[error("an invitation is sent at most {LETTERS_MAX} times: revoke it and invite anew")]
    TooManyLetters,
    /// Too many letters of the account, or to this address, of late.
    #[error("too many invitations of late: try again in {retry_after_seconds} seconds")]
    Throttled {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Whoever accepts cannot become a user this way.
    #[error(transparent)]
    Mailed(#[from] MailedError),
    /// Our fault.
    #[error(transparent)]
    Internal(#[from] DbError),
}

impl From<SignInError> for InvitationError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Throttled { retry_after_seconds }
            | SignInError::Busy { retry_after_seconds } => Self::Throttled { retry_after_seconds },
            SignInError::Internal(error) => Self::Internal(error),
            // Nothing was guessed.
            SignInError::Wrong => Self::Over,
        }
    }
}

/// The attributes of an invitation as a resource.
pub fn resource(id: &InvitationId, patient: Option<&Patient>) -> Attributes {
    let facts = Attributes::new().with(RESOURCE, "id", id.as_str());
    let facts = facts.with(RESOURCE, "type", TYPE);
    match patient {
        Some(patient) => facts.with(RESOURCE, "dataset", patient.project.as_str()),
        None => facts,
    }
}
