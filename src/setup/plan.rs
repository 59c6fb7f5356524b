//! Comparing a declaration with the server: one step for each object, and every contradiction.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::model::{Account, NewAccount};
use crate::apps::secrets::GivenSecret;
use crate::base::id::{AccountId, GroupId, ProjectId, UserId};
use crate::db::error::DbError;
use crate::policy::model::Declared;
use crate::projects::model::NewProject;
use crate::setup::declaration::{
    AccountEntry, ApiEntry, AppEntry, Declaration, GroupEntry, MemberEntry, PolicyEntry,
    ProviderEntry, UserEntry,
};
use crate::setup::difference::Change;
use crate::setup::fault::{Fault, Faults};
use crate::setup::problem::{Problem, differing};
use crate::setup::read::At;
use crate::setup::service::{Setup, SetupError};
use crate::users::model::{NewUser, User};
use crate::users::username::UsernameKey;

/// One object to be made so.
#[derive(Debug)]
pub(in crate::setup) struct Step<'a> {
    /// What becomes of it.
    pub(in crate::setup) change: Change,
    /// What is to be done.
    pub(in crate::setup) act: Act<'a>,
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::setup) enum Act<'a> {
    /// Make or change a user.
    User {
        entry: &'a UserEntry,
        /// Who it is already.
        existing: Option<UserId>,
        profile: bool,
        password: bool,
        totp: bool,
    },
    /// Make or change an account.
    Account(&'a AccountEntry),
    /// Make what is missing of the groups and policies that accounts begin with.
    Defaults(&'a AccountEntry),
    /// Make or change a group.
    Group(&'a AccountEntry, &'a GroupEntry),
    /// Change who is in a group.
    Members(&'a AccountEntry, &'a GroupEntry, &'a [At<String>]),
    /// Change what an account knows of a member.
    Attributes(&'a AccountEntry, &'a MemberEntry),
    /// Make or change a policy.
    Policy(&'a AccountEntry, &'a PolicyEntry),
    /// Make or change a project.
    Project(&'a AccountEntry, &'a At<(ProjectId, NewProject)>),
    /// Make or change an app.
    App(&'a AppEntry),
    /// Change the secrets of an app.
    Secrets(&'a AppEntry, &'a [GivenSecret]),
    /// Make or change an API.
    Api(&'a ApiEntry),
    /// Make or change a provider.
    Provider(&'a ProviderEntry),
}

/// Compares, and collects.
#[derive(Debug)]
pub(in crate::setup) struct Planner<'a> {
    pub(in crate::setup) setup: &'a Setup,
    pub(in crate::setup) declaration: &'a Declaration,
    steps: Vec<Step<'a>>,
    pub(in crate::setup) faults: Vec<Fault>,
    /// Users that the file declares; `None` for one that does not exist and has no chosen id.
    users: BTreeMap<String, Option<UserId>>,
    accounts: BTreeSet<AccountId>,
}

impl<'a> Planner<'a> {
    pub(in crate::setup) fn new(setup: &'a Setup, declaration: &'a Declaration) -> Self {
        Self {
            setup,
            declaration,
            steps: Vec::new(),
            faults: Vec::new(),
            users: BTreeMap::new(),
            accounts: declaration.accounts.iter().map(|e| e.account.value.id.clone()).collect(),
        }
    }

    /// All steps, in an order in which each finds what it needs.
    pub(in crate::setup) async fn plan(mut self) -> Result<Vec<Step<'a>>, SetupError> {
        for entry in &self.declaration.users {
            self.user(entry).await?;
        }
        for entry in &self.declaration.accounts {
            self.account(entry).await?;
        }
        for entry in &self.declaration.apis {
            self.api(entry).await?;
        }
        for entry in &self.declaration.apps {
            self.app(entry).await?;
        }
        for entry in &self.declaration.providers {
            self.provider(entry).await?;
        }
        if self.faults.is_empty() {
            Ok(self.steps)
        } else {
            Err(Faults::sorted(self.faults).into())
        }
    }

    pub(in crate::setup) fn add(&mut self, change: Change, act: Act<'a>) {
        self.steps.push(Step { change, act });
    }

    async fn user(&mut self, entry: &'a UserEntry) -> Result<(), DbError> {
        let wanted = &entry.user.value;
        let key = UsernameKey::of(&wanted.username).as_str().to_owned();
        let namesake = self.setup.users.find_by_username(&wanted.username).await?;
        let existing = match &wanted.id {
            None => namesake,
            Some(id) => {
                if namesake.as_ref().is_some_and(|user| user.id != *id) {
                    let problem = "there is a user of this name with another id";
                    self.faults.push(self.declaration.fault(&entry.user, "username", problem));
                    return Ok(());
                }
                self.setup.users.find(id).await?
            }
        };
        let id = existing.as_ref().map(|user| user.id.clone());
        self.users.insert(key, id.clone().or_else(|| wanted.id.clone()));

        let mut fields =
            existing.as_ref().map(|user| user_fields(user, wanted)).unwrap_or_default();
        let profile = id.is_none() || !fields.is_empty();
        let password = match (&entry.password, &id) {
            (Some(at), Some(id)) => {
                let same = self.setup.users.password_is(id, &at.value).await;
                !self.noted(at, same)?.unwrap_or(true)
            }
            (given, _) => given.is_some(),
        };
        let totp = match (&entry.totp, &id) {
            (Some(at), Some(id)) => {
                let same = self.setup.users.totp_is(id, &at.value).await;
                !self.noted(at, same)?.unwrap_or(true)
            }
            (given, _) => given.is_some(),
        };
        fields.extend(password.then_some("password"));
        fields.extend(totp.then_some("totp"));
        let declared = outcome(id.is_some(), &fields);
        let change = Change::new(declared, &format!("user {}", wanted.username));
        let act = Act::User { entry, existing: id, profile, password, totp };
        self.add(change.with_fields(fields), act);
        Ok(())
    }

    async fn account(&mut self, entry: &'a AccountEntry) -> Result<(), DbError> {
        let (setup, at) = (self.setup, &entry.account);
        let id = &at.value.id;
        let found = setup.accounts.find(id).await?;
        let compared = setup.accounts.compare_account(&at.value).await;
        if let Some(declared) = self.noted(at, compared)? {
            let fields = found.map(|account| account_fields(&account, &at.value));
            let change = Change::new(declared, &format!("account {id}"));
            self.add(change.with_fields(fields.unwrap_or_default()), Act::Account(entry));
        }
        for group in &entry.groups {
            self.group(entry, group).await?;
        }
        if entry.default_groups {
            let declared = setup.accounts.compare_defaults(id).await?;
            let change = Change::new(declared, &format!("default groups of {id}"));
            self.add(change, Act::Defaults(entry));
        }
        for member in &entry.members {
            self.attributes(entry, member).await?;
        }
        for policy in &entry.policies {
            let compared = setup.policies.compare(id, &policy.name.value, &policy.document).await;
            let name = format!("policy {id}/{}", policy.name.value);
            if let Some(declared) = self.noted(&policy.name, compared)? {
                self.add(Change::new(declared, &name), Act::Policy(entry, policy));
            }
        }
        for project in &entry.projects {
            let compared = setup.projects.compare(id, &project.value.1).await;
            let name = format!("project {id}/{}", project.value.0);
            if let Some(declared) = self.noted(project, compared)? {
                self.add(Change::new(declared, &name), Act::Project(entry, project));
            }
        }
        Ok(())
    }

    async fn group(
        &mut self,
        entry: &'a AccountEntry,
        group: &'a GroupEntry,
    ) -> Result<(), DbError> {
        let (setup, account) = (self.setup, &entry.account.value.id);
        let compared = setup.accounts.compare_group(account, &group.group).await;
        let name = format!("{account}/{}", group.id.value);
        let Some(declared) = self.noted(&group.id, compared)? else { return Ok(()) };
        self.add(Change::new(declared, &format!("group {name}")), Act::Group(entry, group));
        let Some(members) = &group.members else { return Ok(()) };
        let mut ids = Vec::new();
        for member in members {
            ids.push(self.member(member).await?);
        }
        let known: Option<Vec<UserId>> = ids.into_iter().collect();
        let declared = match known {
            _ if declared == Declared::Created && members.is_empty() => Declared::Unchanged,
            _ if declared == Declared::Created => Declared::Created,
            // Somebody is yet to be made.
            None => Declared::Updated,
            Some(ids) => {
                let compared = setup.accounts.compare_members(account, &group.id.value, &ids).await;
                match self.noted(&group.id, compared)? {
                    Some(declared) => declared,
                    None => return Ok(()),
                }
            }
        };
        let change = Change::new(declared, &format!("members of group {name}"));
        self.add(change, Act::Members(entry, group, members));
        Ok(())
    }

    async fn attributes(
        &mut self,
        entry: &'a AccountEntry,
        member: &'a MemberEntry,
    ) -> Result<(), DbError> {
        let account = &entry.account.value.id;
        let name = format!("attributes of member {account}/{}", member.user.value);
        let declared = match self.member(&member.user).await? {
            None => Declared::Created,
            Some(user) => {
                let accounts = &self.setup.accounts;
                let compared =
                    accounts.compare_attributes(account, &user, &member.attributes).await;
                match self.noted(&member.user, compared)? {
                    Some(declared) => declared,
                    None => return Ok(()),
                }
            }
        };
        self.add(Change::new(declared, &name), Act::Attributes(entry, member));
        Ok(())
    }

    /// Notes an account that is neither declared nor there.
    pub(in crate::setup) async fn known_account(
        &mut self,
        at: &At<AccountId>,
    ) -> Result<(), DbError> {
        if !self.accounts.contains(&at.value)
            && self.setup.accounts.find(&at.value).await?.is_none()
        {
            self.faults.push(at.fault(format!("there is no account {}", at.value)));
        }
        Ok(())
    }

    /// Notes a group that is neither declared nor there.
    pub(in crate::setup) async fn known_group(
        &mut self,
        account: &AccountId,
        at: &At<GroupId>,
    ) -> Result<(), DbError> {
        let mut declared = self.declaration.accounts.iter().filter(|entry| {
            entry.account.value.id == *account
                && entry.groups.iter().any(|group| group.id.value == at.value)
        });
        if declared.next().is_none() && !self.setup.accounts.has_group(account, &at.value).await? {
            self.faults.push(at.fault(format!("there is no group {} in the account", at.value)));
        }
        Ok(())
    }

    /// Who a name means; `None` for somebody who is yet to be made. Nobody is a fault.
    async fn member(&mut self, at: &At<String>) -> Result<Option<UserId>, DbError> {
        let key = UsernameKey::of(&at.value).as_str().to_owned();
        if let Some(id) = self.users.get(&key) {
            return Ok(id.clone());
        }
        let found = self.setup.users.find_by_username(&at.value).await?.map(|user| user.id.clone());
        match &found {
            Some(id) => drop(self.users.insert(key, Some(id.clone()))),
            None => self.faults.push(at.fault(format!("there is no user {}", at.value))),
        }
        Ok(found)
    }

    /// Notes a refusal as a fault of `at`; what the database says goes on as it is.
    pub(in crate::setup) fn noted<T, V>(
        &mut self,
        at: &At<V>,
        outcome: Result<T, impl Into<Problem>>,
    ) -> Result<Option<T>, DbError> {
        match outcome.map_err(Into::into) {
            Ok(value) => Ok(Some(value)),
            Err(Problem::Internal(error)) => Err(error),
            Err(Problem::Refused { field, problem }) => {
                self.faults.push(self.declaration.fault(at, field, &problem));
                Ok(None)
            }
        }
    }
}

fn outcome(exists: bool, fields: &[&str]) -> Declared {
    match (exists, fields.is_empty()) {
        (false, _) => Declared::Created,
        (true, true) => Declared::Unchanged,
        (true, false) => Declared::Updated,
    }
}

fn user_fields(user: &User, wanted: &NewUser) -> Vec<&'static str> {
    differing!(user, wanted; username, email, email_verified, name, given_name, family_name,
        profile, attributes, status)
}

fn account_fields(account: &Account, wanted: &NewAccount) -> Vec<&'static str> {
    differing!(account, wanted; name, description, owner, kind, products,
        requires_second_factor)
}
