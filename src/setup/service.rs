//! Making the server agree with a declaration.

use std::path::Path;

use crate::accounts::service::Accounts;
use crate::apis::service::Apis;
use crate::apps::service::Apps;
use crate::db::error::DbError;
use crate::policy::service::Policies;
use crate::projects::service::Projects;
use crate::setup::declaration::Declaration;
use crate::setup::difference::Difference;
use crate::setup::fault::{Fault, Faults};
use crate::setup::plan::Planner;
use crate::setup::secret::Outside;
use crate::upstream::providers::Providers;
use crate::users::service::Users;

/// Why a declaration is not applied.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file is wrong, or contradicts what the server holds. Nothing was changed.
    #[error("{0}")]
    Faults(#[from] Faults),
    /// Something changed the server at the same time. What came before it is done; applying the
    /// file again goes on from there.
    #[error("stopped at {fault}\nwhat stands before it in the file is done; apply it again")]
    Stopped {
        /// Where, and why.
        fault: Fault,
    },
    /// The database failed.
    #[error("the database failed")]
    Internal(#[from] DbError),
}

/// Configuration as code. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(in crate::setup) users: Users,
    pub(in crate::setup) accounts: Accounts,
    pub(in crate::setup) apis: Apis,
    pub(in crate::setup) apps: Apps,
    pub(in crate::setup) policies: Policies,
    pub(in crate::setup) projects: Projects,
    pub(in crate::setup) providers: Providers,
}

impl Setup {
    /// On these services.
    pub fn new(
        users: &Users,
        accounts: &Accounts,
        (apps, outside): (&Apps, &Apis),
        policies: &Policies,
        projects: &Projects,
        providers: &Providers,
    ) -> Self {
        Self {
            users: users.clone(),
            accounts: accounts.clone(),
            apis: outside.clone(),
            apps: apps.clone(),
            policies: policies.clone(),
            projects: projects.clone(),
            providers: providers.clone(),
        }
    }

    /// Reads a declaration whose references begin at `folder`.
    ///
    /// # Errors
    /// All faults that show without looking at the server.
    pub fn read(text: &str, folder: &Path) -> Result<Declaration, Faults> {
        let variable = |name: &str| std::env::var(name).ok();
        Declaration::parse(text, &Outside { variable: &variable, folder: folder.to_owned() })
    }

    /// What [`Setup::apply`] would do.
    ///
    /// # Errors
    /// [`SetupError::Faults`] for whatever contradicts the server, [`SetupError::Internal`].
    pub async fn compare(&self, declaration: &Declaration) -> Result<Difference, SetupError> {
        let steps = Planner::new(self, declaration).plan().await?;
        Ok(Difference(steps.into_iter().map(|step| step.change).collect()))
    }

    /// Makes the server agree with the declaration. Everything is compared before anything is
    /// written; an object is written whole or not at all.
    ///
    /// # Errors
    /// [`SetupError`].
    pub async fn apply(&self, declaration: &Declaration) -> Result<Difference, SetupError> {
        let steps = Planner::new(self, declaration).plan().await?;
        let mut done = Vec::new();
        for step in steps {
            self.perform(declaration, &step).await?;
            done.push(step.change);
        }
        Ok(Difference(done))
    }
}
