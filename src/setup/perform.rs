//! Doing one step of a plan.

use crate::base::id::UserId;
use crate::policy::model::Declared;
use crate::setup::declaration::{ApiEntry, Declaration, UserEntry};
use crate::setup::plan::{Act, Step};
use crate::setup::problem::Problem;
use crate::setup::read::At;
use crate::setup::service::{Setup, SetupError};
use crate::users::error::UserError;

/// Text of a refusal that the comparison did not foresee, at its place.
fn stopped<V>(declaration: &Declaration, at: &At<V>, problem: impl Into<Problem>) -> SetupError {
    match problem.into() {
        Problem::Internal(error) => SetupError::Internal(error),
        Problem::Refused { field, problem } => {
            SetupError::Stopped { fault: declaration.fault(at, field, &problem) }
        }
    }
}

impl Setup {
    /// Does one step; one that changes nothing is skipped.
    pub(in crate::setup) async fn perform(
        &self,
        declaration: &Declaration,
        step: &Step<'_>,
    ) -> Result<(), SetupError> {
        if step.change.declared == Declared::Unchanged {
            return Ok(());
        }
        match &step.act {
            Act::User { entry, .. } => {
                let done = self.perform_user(entry, &step.act).await;
                done.map_err(|error| stopped(declaration, &entry.user, error))
            }
            Act::Account(entry) => {
                let done = self.accounts.declare_account(&entry.account.value).await;
                done.map(drop).map_err(|error| stopped(declaration, &entry.account, error))
            }
            Act::Defaults(entry) => {
                let done = self.accounts.declare_defaults(&entry.account.value.id).await;
                done.map(drop).map_err(|error| stopped(declaration, &entry.account, error))
            }
            Act::Group(entry, group) => {
                let account = &entry.account.value.id;
                let done = self.accounts.declare_group(account, &group.group).await;
                done.map(drop).map_err(|error| stopped(declaration, &group.id, error))
            }
            Act::Members(entry, group, members) => {
                let account = &entry.account.value.id;
                let ids = self.ids_of(members).await?;
                let done = self.accounts.declare_members(account, &group.id.value, &ids).await;
                done.map(drop).map_err(|error| stopped(declaration, &group.id, error))
            }
            Act::Attributes(entry, member) => {
                let account = &entry.account.value.id;
                let user = self.id_of(&member.user).await?;
                let done =
                    self.accounts.declare_attributes(account, &user, &member.attributes).await;
                done.map(drop).map_err(|error| stopped(declaration, &member.user, error))
            }
            Act::Policy(entry, policy) => {
                let (account, name) = (&entry.account.value.id, &policy.name);
                let done = self.policies.declare(account, &name.value, &policy.document).await;
                done.map(drop).map_err(|error| stopped(declaration, name, error))
            }
            Act::Project(entry, project) => {
                let account = &entry.account.value.id;
                let done = self.projects.declare(account, &project.value.1).await;
                done.map(drop).map_err(|error| stopped(declaration, *project, error))
            }
            Act::App(entry) => {
                let done = self.apps.declare(&entry.app).await;
                done.map(drop).map_err(|error| stopped(declaration, &entry.id, error))
            }
            Act::Api(entry) => self.perform_api(declaration, entry).await,
            Act::Provider(entry) => {
                let done = self.providers.declare(&entry.provider.value).await;
                done.map(drop).map_err(|error| stopped(declaration, &entry.provider, error))
            }
            Act::Secrets(entry, digests) => {
                let done = self.apps.declare_secrets(&entry.id.value, digests).await;
                done.map(drop).map_err(|error| stopped(declaration, &entry.id, error))
            }
        }
    }

    async fn perform_api(
        &self,
        declaration: &Declaration,
        entry: &ApiEntry,
    ) -> Result<(), SetupError> {
        let done = self.apis.declare(&entry.api.value).await;
        done.map(drop).map_err(|error| stopped(declaration, &entry.api, error))
    }

    async fn perform_user(&self, entry: &UserEntry, act: &Act<'_>) -> Result<(), UserError> {
        let Act::User { existing, profile, password, totp, .. } = act else { return Ok(()) };
        let wanted = entry.user.value.clone();
        let id = match existing {
            None => self.users.create(wanted).await?.id,
            Some(id) if *profile => self.users.update(id, wanted).await?.id,
            Some(id) => id.clone(),
        };
        if let Some(input) = entry.password.as_ref().filter(|_| *password) {
            self.users.set_password(&id, &input.value).await?;
        }
        if let Some(secret) = entry.totp.as_ref().filter(|_| *totp) {
            self.users.set_totp(&id, Some(&secret.value)).await?;
        }
        Ok(())
    }

    async fn ids_of(&self, names: &[At<String>]) -> Result<Vec<UserId>, SetupError> {
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            ids.push(self.id_of(name).await?);
        }
        Ok(ids)
    }

    async fn id_of(&self, name: &At<String>) -> Result<UserId, SetupError> {
        let found = self.users.find_by_username(&name.value).await?;
        let fault = || name.fault(format!("there is no user {} any more", name.value));
        Ok(found.ok_or_else(|| SetupError::Stopped { fault: fault() })?.id.clone())
    }
}
