//! A policy as an account has it, and how writing one may end.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::base::text::BadText;
use crate::db::error::DbError;
use crate::policy::document::Fault;

/// Longest name of a policy, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
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
    /// There is one of that name.
    #[error("there is a policy of that name already")]
    Duplicate,
    /// It breaks the grammar.
    #[error("the policy is invalid")]
    Invalid(Vec<Fault>),
    /// The caller's own policies do not let them write this one.
    #[error("your policies do not allow you to write a policy of that name")]
    NotAllowed,
    /// It grants an operation that its author does not hold without condition.
    #[error("the policy grants {0}, which you do not hold unconditionally")]
    GrantsMoreThanHeld(String),
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
