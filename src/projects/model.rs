//! What a project is, and what policies may know of it.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, ProjectId};
use crate::base::text::{BadText, line, optional_line};
use crate::policy::attributes::Attributes;

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 2000;
/// What the record calls a project.
pub const KIND: &str = "project";
/// What policies see as `resource.type`. Small letters: a type of FHIR begins with a capital one.
pub const RESOURCE_TYPE: &str = "project";

/// A part of an account's data, to which access can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What policies call `resource.dataset`.
    pub id: ProjectId,
    /// Where.
    pub account: AccountId,
    /// For people; unique in the account.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// When it will be deleted, if deletion was asked for.
    pub deletion_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A project as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// Its id, where policies of a file mention it. Without one the project is found by its name,
    /// and gets an id when it is made.
    pub id: Option<ProjectId>,
    /// For people; unique in the account.
    pub name: String,
    /// For people.
    pub description: Option<String>,
}

/// What is changed of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description, or none.
    pub description: Option<Option<String>>,
    /// Whether it stays, although it was to be deleted.
    pub stays: bool,
}

/// Why a project is not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A text breaks a rule.
    #[error("{0} {1}")]
    BadText(&'static str, BadText),
    /// The account has a project of this name.
    #[error("a project of that name already exists")]
    NameTaken,
    /// The id is in use.
    #[error("the project id {0} is in use")]
    IdTaken(ProjectId),
    /// There is no such project, or none that the caller may administer.
    #[error("there is no such project")]
    Unknown,
    /// There is no such account.
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
    /// The policies allow it for other projects only.
    #[error("the policies of the account do not allow it for this project")]
    Denied,
    /// Our fault.
    #[error(transparent)]
    Internal(#[from] crate::db::error::DbError),
}

impl NewProject {
    /// Checks every text of it.
    ///
    /// # Errors
    /// [`ProjectError::BadText`] for the first that breaks a rule.
    pub fn check(&self) -> Result<(), ProjectError> {
        line(&self.name, NAME_BYTES_MAX).map_err(|fault| ProjectError::BadText("name", fault))?;
        optional_line(self.description.as_deref().unwrap_or_default(), DESCRIPTION_BYTES_MAX)
            .map_err(|fault| ProjectError::BadText("description", fault))?;
        Ok(())
    }
}

/// The attributes of a project as a resource: it is its own dataset.
pub fn resource(id: &ProjectId) -> Attributes {
    Attributes::new()
        .with("resource", "id", id.as_str())
        .with("resource", "dataset", id.as_str())
        .with("resource", "type", RESOURCE_TYPE)
}
