//! How providers, and those who come from them, are refused.

use crate::db::error::DbError;

/// Why a provider is not declared so.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A setting breaks a rule.
    #[error("{problem}")]
    Invalid {
        /// Which one.
        field: &'static str,
        /// The rule.
        problem: String,
    },
    /// There is no such account.
    #[error("there is no such account")]
    UnknownAccount,
    /// Our fault.
    #[error(transparent)]
    Internal(#[from] DbError),
}

impl ProviderError {
    /// A setting that breaks a rule.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

/// Why nobody is let in who came from a provider. Whoever comes is told in general what to do; the
/// reason is for our log.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The sign-in is over, was begun in another browser, or never was.
    #[error("the sign-in is not under way in this browser")]
    Over,
    /// There is no such provider, or it is out of use, or not for this.
    #[error("the provider is not in use here")]
    NotInUse,
    /// The user would rather not.
    #[error("the user turned back at the provider")]
    TurnedBack,
    /// The provider cannot be reached, or says that it cannot.
    #[error("the provider fails: {0}")]
    Fails(&'static str),
    /// What it says does not hold.
    #[error("what the provider says is refused: {0}")]
    Untrue(&'static str),
    /// It does not say that the user has just signed in, which was asked for.
    #[error("the provider does not say that the user signed in anew")]
    NotAnew,
    /// Nobody here is known by that name, and none is to be made.
    #[error("nobody is known by this name")]
    Unknown,
    /// The user may not sign in.
    #[error("the user is disabled")]
    Disabled,
    /// Somebody else is known by that name.
    #[error("the identity is somebody else's")]
    Taken,
    /// Our fault.
    #[error("storage failed")]
    Internal(#[from] DbError),
}
