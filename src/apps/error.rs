//! Why a registration is refused.

use std::fmt;

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
