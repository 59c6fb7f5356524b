//! A policy as an account has it, and how writing one may end.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::base::id::UserId;
use crate::base::text::BadText;
use crate::db::error::DbError;
use crate::policy::document::Fault;

/// Longest name of a policy, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most versions of one policy that are kept.
pub const VERSIONS_MAX: i64 = 200;
/// Most policies of one account.
pub const POLICIES_MAX: i64 = 5000;

/// A policy as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name, which is its id in the API.
    pub name: String,
    /// `{"rules": …}`, as it was written.
    pub document: Value,
    /// When it was first written.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
}

/// A policy as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPolicy {
    /// Its name; another one than before renames it.
    pub name: String,
    /// `{"rules": …}`.
    pub document: Value,
}

/// What became of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was written for the first time.
    Created,
    /// It was written over.
    Updated,
    /// It was removed.
    Deleted,
    /// It was made again what it had been.
    Restored,
    /// It got another name.
    RenamedTo,
    /// It has this name since then, and had another one before.
    RenamedFrom,
}

impl Change {
    const ALL: [Self; 6] = [
        Self::Created,
        Self::Updated,
        Self::Deleted,
        Self::Restored,
        Self::RenamedTo,
        Self::RenamedFrom,
    ];

    /// As the API and the database write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
            Self::Restored => "RESTORED",
            Self::RenamedTo => "RENAMED_TO",
            Self::RenamedFrom => "RENAMED_FROM",
        }
    }
}

impl FromStr for Change {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|change| change.as_str() == text).ok_or(())
    }
}

/// What a policy was from one change to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Counts up from 1 for each name.
    pub number: i64,
    /// What happened.
    pub change: Change,
    /// `{"rules": …}` from then on; of a policy that went: what it was last.
    pub document: Value,
    /// The other name, if it was given another one.
    pub other_name: Option<String>,
    /// Who did it; `None`: the operator.
    pub changed_by: Option<UserId>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// What a declaration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// It was so already.
    Unchanged,
    /// It is new.
    Created,
    /// It was different.
    Updated,
}

/// Why a policy is not written.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The name is empty, too long, or has control characters.
    #[error("the name {0}")]
    BadName(BadText),
    /// The name is a step in a path.
    #[error("the name must not be `.` or `..`")]
    StepName,
    /// There is none of that name, or none that the caller may see.
    #[error("there is no such policy")]
    Unknown,
    /// It never had a version of that number.
    #[error("the policy has no version of that number")]
    UnknownVersion,
    /// There is one of that name.
    #[error("there is a policy of that name already")]
    Duplicate,
    /// It breaks the grammar.
    #[error("the policy is invalid")]
    Invalid(Vec<Fault>),
    /// The caller's own policies do not let them write this one.
    #[error("your policies do not allow you to write a policy of that name")]
    NotAllowed,
    /// It grants more of an operation than whoever asks holds.
    #[error("that grants {0}, which you do not hold yourself to that extent")]
    GrantsMoreThanHeld(String),
    /// Nobody would be left who may change everything about access in the account.
    #[error("nobody would be left who administers access in the account")]
    LastAdministrator,
    /// The account has as many as it may.
    #[error("the account has too many policies")]
    TooMany,
    /// There is no such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// Our fault.
    #[error(transparent)]
    Internal(DbError),
}

impl From<DbError> for PolicyError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(_) => Self::Duplicate,
            // The one thing that the table refuses is an account that is not there.
            DbError::Refused(_) => Self::UnknownAccount,
            other => Self::Internal(other),
        }
    }
}
