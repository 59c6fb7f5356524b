//! Why a registration is refused, or not administered so.

use std::fmt;

use crate::apps::picture::BadPicture;
use crate::db::error::DbError;

/// One rule that a registration breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, as written in a file: `callback_urls[2]`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Fault {
    /// `field` has this `problem`.
    pub fn new(field: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { field: field.into(), problem: problem.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// Why a registration is refused.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// It breaks rules.
    #[error("the app is not valid: {}", listed(.0))]
    Invalid(Vec<Fault>),
    /// There is one with this id.
    #[error("an app with this id already exists")]
    Duplicate,
    /// There is none with this id.
    #[error("there is no such app")]
    Unknown,
    /// The account that should own it does not exist.
    #[error("there is no such account")]
    UnknownAccount,
    /// Storage failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

/// Why an app is not administered so.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// There is no such app, or it is not theirs.
    #[error("there is no such app")]
    Unknown,
    /// The app through which it is asked for is the one that it is about.
    #[error("an app does not administer itself: use another one")]
    OwnApp,
    /// Somebody else has to agree.
    #[error("{0}: ask for a review")]
    NeedsReview(&'static str),
    /// The policies allow it for some apps only.
    #[error("the policies of the account do not allow it for this app")]
    Denied,
    /// The account has as many as it may.
    #[error("the account has too many apps")]
    TooMany,
    /// As many secrets are good as there may be.
    #[error("two secrets are good: wait for the end of the older one, or end one")]
    TooManySecrets,
    /// What was looked at is not what is there any more, or nobody asks for it.
    #[error("the request was changed or decided meanwhile: look again")]
    Stale,
    /// Whoever decides is the one who asks.
    #[error("somebody else has to decide what you asked for yourself")]
    OwnRequest,
    /// It is for the administrators of the platform.
    #[error("only administrators of the platform's own account decide")]
    NotThePlatform,
    /// The picture is not taken.
    #[error("logo: {0}")]
    Picture(#[from] BadPicture),
    /// It breaks the rules of apps.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<DbError> for ManageError {
    fn from(error: DbError) -> Self {
        Self::App(error.into())
    }
}

impl From<Vec<Fault>> for ManageError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::App(AppError::Invalid(faults))
    }
}
