//! Keys and service accounts.

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::id::{AccountId, ApiKeyId, AppId, UserId};
use crate::base::scope::Scope;
use crate::base::text::{BadText, line, optional_line};
use crate::db::error::DbError;
use crate::policy::model::PolicyError;
use crate::users::error::UserError;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Longest description, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4096;
/// Longest life of a key, in days. Source: the platform's contract, section 2.8.
pub const DAYS_MAX: u32 = 365;
/// Most keys of one user in one account.
pub const KEYS_MAX: i64 = 50;
/// Most service accounts of one account.
pub const SERVICE_ACCOUNTS_MAX: i64 = 1_000;

/// A key that acts for its user in one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name in the token: `jti`.
    pub id: ApiKeyId,
    /// Where it acts, and nowhere else.
    pub account: AccountId,
    /// For whom it acts.
    pub user: UserId,
    /// For people.
    pub name: String,
    /// What it opens at most.
    pub scope: Scope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whether its user is a service account.
    pub is_of_service: bool,
}

/// A key that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// How long it lives.
    pub days: u32,
    /// What it opens.
    pub scope: Scope,
}

impl NewKey {
    /// Checks what can be checked by itself.
    ///
    /// # Errors
    /// [`ProgramError::BadName`], [`ProgramError::BadDays`] or [`ProgramError::NoScope`].
    pub fn check(&self) -> Result<TimeDelta, ProgramError> {
        line(&self.name, NAME_BYTES_MAX).map_err(ProgramError::BadName)?;
        if !(1..=DAYS_MAX).contains(&self.days) {
            return Err(ProgramError::BadDays);
        }
        if self.scope.is_empty() {
            return Err(ProgramError::NoScope);
        }
        Ok(TimeDelta::days(i64::from(self.days)))
    }
}

/// A user without a sign-in, owned by an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// As a user.
    pub user: UserId,
    /// Whose it is.
    pub account: AccountId,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The app whose own tokens act for it.
    pub app: Option<AppId>,
    /// Whether nothing acts for it now.
    pub is_disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What people say of a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
}

impl Described {
    /// Checks both.
    ///
    /// # Errors
    /// [`ProgramError::BadName`] or [`ProgramError::BadDescription`].
    pub fn check(&self) -> Result<(), ProgramError> {
        line(&self.name, NAME_BYTES_MAX).map_err(ProgramError::BadName)?;
        let text = self.description.as_deref().unwrap_or_default();
        optional_line(text, DESCRIPTION_BYTES_MAX).map_err(ProgramError::BadDescription)?;
        Ok(())
    }
}

/// Why something about keys or service accounts is refused.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The name is not one.
    #[error("the name {0}")]
    BadName(BadText),
    /// The description is not one.
    #[error("the description {0}")]
    BadDescription(BadText),
    /// It would live too long, or not at all.
    #[error("`expireInDays` is not 1 to {DAYS_MAX}")]
    BadDays,
    /// It would open nothing.
    #[error(
        "the key would open nothing: the token that asks for it has no scope that it could hold"
    )]
    NoScope,
    /// It would open more than the token that asks for it.
    #[error("the key would open more than the token that asks for it")]
    MoreThanHeld,
    /// Keys do not make keys.
    #[error("a key does not make keys")]
    ByKey,
    /// There is none, or not of this account.
    #[error("there is none")]
    Unknown,
    /// The app is not one of this account that may act by itself, or acts for another.
    #[error("the app is not one of this account that acts by itself for nobody yet")]
    BadApp,
    /// The account has no such group.
    #[error("the account has no group {0}")]
    UnknownGroup(String),
    /// Another has this name.
    #[error("a service account already exists with this name")]
    NameTaken,
    /// There are too many.
    #[error("there are too many")]
    TooMany,
    /// The privilege is for other things.
    #[error("the policies of the account do not allow it")]
    NotAllowed,
    /// What it would give is not the caller's to give.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The user cannot be made.
    #[error("the user cannot be made: {0}")]
    User(UserError),
    /// Our fault.
    #[error("the database failed")]
    Internal(#[from] DbError),
}
