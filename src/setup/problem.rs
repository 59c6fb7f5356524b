//! Refusals of the services, told apart only by whose fault they are.

use crate::accounts::model::AccountError;
use crate::db::error::DbError;
use crate::policy::model::PolicyError;
use crate::projects::model::ProjectError;
use crate::users::error::UserError;

/// A refusal of a service, without its type.
pub(in crate::setup) enum Problem {
    /// The file is at fault.
    Refused {
        /// Which field, if that is known.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The database is.
    Internal(DbError),
}

impl Problem {
    /// A refusal that is about `field`, or about the whole if that is empty.
    pub(in crate::setup) fn refused(field: &'static str, error: &impl ToString) -> Self {
        Self::Refused { field, problem: error.to_string() }
    }
}

/// Names of the fields that differ.
macro_rules! differing {
    ($left:expr, $right:expr; $($field:ident),* $(,)?) => {{
        let mut fields = Vec::new();
        $(if $left.$field != $right.$field {
            fields.push(stringify!($field));
        })*
        fields
    }};
}

pub(in crate::setup) use differing;

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Internal(error) => Self::Internal(error),
            UserError::Invalid { field, .. } => Self::refused(field, &error),
            UserError::DuplicateUsername | UserError::UsernameCharacters => {
                Self::refused("username", &error)
            }
            UserError::DuplicateEmail => Self::refused("email", &error),
            other => Self::refused("", &other),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Internal(error) => Self::Internal(error),
            AccountError::NameTaken(_) => Self::refused("name", &error),
            AccountError::IdTaken(_) => Self::refused("id", &error),
            other => Self::refused("", &other),
        }
    }
}

impl From<ProjectError> for Problem {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Internal(error) => Self::Internal(error),
            ProjectError::NameTaken => Self::refused("name", &error),
            ProjectError::IdTaken(_) => Self::refused("id", &error),
            other => Self::refused("", &other),
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Internal(error) => Self::Internal(error),
            other => Self::refused("", &other),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        Self::Internal(error)
    }
}
