//! Making, changing and removing service accounts, on behalf of those who administer access.
//!
//! Nobody gets by one what they do not hold: whoever makes a key for it, or binds an app to it, holds
//! what its groups give.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::accounts::joining::join;
use crate::apps::model::GrantType;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, ApiKeyId, AppId, GroupId, UserId};
use crate::base::secret::Secret;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::administrators::keeps_administrator;
use crate::policy::attributes::Attributes;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::AccessAdmin;
use crate::programs::model::{
    ApiKey, Described, NewKey, ProgramError, SERVICE_ACCOUNTS_MAX, ServiceAccount,
};
use crate::programs::service::Programs;
use crate::programs::{store as store_keys, store_accounts as store};
use crate::users::arriving::{self, Draft};
use crate::users::model::{NewUser, Status};
use crate::users::profile::Profile;

/// What they are, as resources that policies and the record are about.
const TYPE: &str = "serviceAccount";

/// What a unit of work knows of who changes what.
#[derive(Clone)]
struct Work {
    ctx: Ctx,
    account: AccountId,
    actor: Actor,
    facts: Attributes,
    now: DateTime<Utc>,
}

/// What of a service account is to be so; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// For people.
    pub name: Option<String>,
    /// For people; empty: none.
    pub description: Option<String>,
    /// Whether nothing acts for it.
    pub is_disabled: Option<bool>,
    /// The app that acts for it; `Some(None)`: none.
    pub app: Option<Option<AppId>>,
}

impl Programs {
    /// Those of the account, by id.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn service_accounts(
        &self,
        permit: &Permit<AccessAdmin>,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<ServiceAccount>, ProgramError> {
        check(permit)?;
        Ok(store::list(&self.parts.ctx.db, permit.account(), after, limit).await?)
    }

    /// One of the account.
    ///
    /// # Errors
    /// [`ProgramError::Unknown`] if there is none.
    pub async fn service_account(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &UserId,
    ) -> Result<ServiceAccount, ProgramError> {
        check(permit)?;
        let found = store::find(&self.parts.ctx.db, permit.account(), id).await?;
        found.ok_or(ProgramError::Unknown)
    }

    /// Makes one, a member of `groups`.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn make_service_account(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        described: &Described,
        groups: &[GroupId],
    ) -> Result<ServiceAccount, ProgramError> {
        check(permit)?;
        described.check()?;
        let groups: BTreeSet<&GroupId> = groups.iter().collect();
        for group in &groups {
            self.parts.policies.may_give(permit, facts, group).await?;
        }
        let groups: Vec<GroupId> = groups.into_iter().cloned().collect();
        let draft = self.draft(permit.account(), &described.name)?;
        let input = (self.work(permit, facts), draft, described.clone(), groups);
        let unit = self.parts.ctx.db.write(input, |tx, (work, draft, described, groups)| {
            Box::pin(insert(tx, work, (draft, described), groups))
        });
        unit.await
    }

    /// A user who has nothing to sign in with.
    fn draft(&self, account: &AccountId, name: &str) -> Result<Draft, ProgramError> {
        let random = u64::from_be_bytes(self.parts.ctx.entropy().bytes());
        let new = NewUser {
            id: None,
            username: format!("service-{account}-{random:016x}"),
            email: None,
            email_verified: false,
            name: Some(name.to_owned()),
            given_name: None,
            family_name: None,
            profile: Profile::default(),
            attributes: serde_json::Map::new(),
            status: Status::Active,
        };
        self.parts.users.draft(new).map_err(ProgramError::User)
    }

    fn work(&self, permit: &Permit<AccessAdmin>, facts: &Attributes) -> Work {
        Work {
            ctx: self.parts.ctx.clone(),
            account: permit.account().clone(),
            actor: permit.actor().clone(),
            facts: facts.clone(),
            now: self.parts.ctx.now(),
        }
    }

    /// Changes one: how it is called, whether it is disabled, which app acts for it.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn change_service_account(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        id: &UserId,
        changed: Changed,
    ) -> Result<ServiceAccount, ProgramError> {
        let before = self.service_account(permit, id).await?;
        let empty = |text: &String| !text.is_empty();
        let described = Described {
            name: changed.name.unwrap_or_else(|| before.name.clone()),
            description: changed
                .description
                .map_or_else(|| before.description.clone(), |text| Some(text).filter(empty)),
        };
        described.check()?;
        let after = ServiceAccount {
            name: described.name,
            description: described.description,
            is_disabled: changed.is_disabled.unwrap_or(before.is_disabled),
            app: changed.app.unwrap_or_else(|| before.app.clone()),
            ..before.clone()
        };
        let gains = (before.is_disabled && !after.is_disabled)
            || (after.app.is_some() && after.app != before.app);
        if gains {
            self.check_held(permit, facts, id).await?;
        }
        if let Some(app) = after.app.as_ref().filter(|_| after.app != before.app) {
            self.check_app(permit.account(), app).await?;
        }
        if after == before {
            return Ok(before);
        }
        let input = (self.work(permit, facts), before, after);
        let unit =
            self.parts.ctx.db.write(input, |tx, (work, before, after)| {
                Box::pin(update(tx, work, before, after))
            });
        unit.await
    }

    /// Whoever has somebody act for a service account holds what its groups give.
    async fn check_held(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        id: &UserId,
    ) -> Result<(), ProgramError> {
        for group in self.groups_of(permit.account(), id).await? {
            self.parts.policies.may_give(permit, facts, &group).await?;
        }
        Ok(())
    }

    /// Whether somebody of whom `facts` are known may have an app shown in another way: what acts for a
    /// service account is held by whoever hands out its secrets.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn may_speak_for(
        &self,
        account: &AccountId,
        facts: &Attributes,
        app: &AppId,
    ) -> Result<(), ProgramError> {
        let bound = self.of_app(app).await?.filter(|service| service.account == *account);
        let Some(service) = bound else { return Ok(()) };
        for group in self.groups_of(account, &service.user).await? {
            self.parts.policies.covers(account, facts, &group).await?;
        }
        Ok(())
    }

    /// The groups of a service account.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn groups_of(
        &self,
        account: &AccountId,
        id: &UserId,
    ) -> Result<Vec<GroupId>, DbError> {
        let membership = self.parts.accounts.membership(account, id).await?;
        Ok(membership.map(|found| found.groups.clone()).unwrap_or_default())
    }

    /// Only an app of the account that may ask for tokens by itself acts for its service account.
    async fn check_app(&self, account: &AccountId, app: &AppId) -> Result<(), ProgramError> {
        let found = self.parts.apps.find(app).await?;
        let is_good = found.is_some_and(|app| {
            app.account == *account && app.grant_types.contains(&GrantType::ClientCredentials)
        });
        if is_good { Ok(()) } else { Err(ProgramError::BadApp) }
    }

    /// Removes one, with its keys and memberships.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn remove_service_account(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        id: &UserId,
    ) -> Result<(), ProgramError> {
        let before = self.service_account(permit, id).await?;
        let groups = self.groups_of(permit.account(), id).await?;
        let input = (self.work(permit, facts), before, groups);
        let unit = self.parts.ctx.db.write(input, |tx, (work, before, groups)| {
            Box::pin(async move {
                let whose = (&work.account, &before.user);
                let keys = store_keys::ids(&mut *tx, whose).await?;
                if !store::delete(tx, &work.account, &before.user).await? {
                    return Err(ProgramError::Unknown);
                }
                for topic in [Topic::Programs, Topic::Users, Topic::Accounts] {
                    tx.touch(topic);
                }
                let event = Event::new(Action::Delete, TYPE, before.user.as_str());
                let mut gone = view(before);
                if let Some(members) = gone.as_object_mut() {
                    members.insert("groups".to_owned(), json!(groups));
                    members.insert("apiKeys".to_owned(), json!(keys));
                }
                let event = event.of(&work.account).before(gone);
                record(tx, &work.ctx, &work.actor, &event);
                Ok(keeps_administrator(tx, &work.account, &work.facts).await?)
            })
        });
        unit.await
    }

    /// The keys of one, by id.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn service_keys(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &UserId,
        after: Option<&ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, ProgramError> {
        let service = self.service_account(permit, id).await?;
        self.keys_of((&service.account, &service.user), after, limit).await
    }

    /// Makes a key that acts for one, and gives its text: the only time.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn make_service_key(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        id: &UserId,
        new: &NewKey,
    ) -> Result<(ApiKey, Secret), ProgramError> {
        let service = self.service_account(permit, id).await?;
        self.check_held(permit, facts, id).await?;
        self.make_key((&service.account, &service.user), new, permit.actor()).await
    }

    /// Revokes a key of one.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn revoke_service_key(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &UserId,
        key: &ApiKeyId,
    ) -> Result<(), ProgramError> {
        let service = self.service_account(permit, id).await?;
        self.revoke_key((&service.account, &service.user), key, permit.actor()).await
    }
}

fn check(permit: &Permit<AccessAdmin>) -> Result<(), ProgramError> {
    let service = Attributes::new().with(RESOURCE, "type", TYPE);
    if permit.allows(&service) { Ok(()) } else { Err(ProgramError::NotAllowed) }
}

fn view(service: &ServiceAccount) -> Value {
    json!({ "name": service.name, "disabled": service.is_disabled, "app": service.app })
}

fn taken(error: DbError) -> ProgramError {
    match error {
        DbError::Duplicate(_) => ProgramError::NameTaken,
        DbError::Refused(_) => ProgramError::Unknown,
        other => ProgramError::Internal(other),
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    work: &Work,
    (draft, described): (&Draft, &Described),
    groups: &[GroupId],
) -> Result<ServiceAccount, ProgramError> {
    let Work { ctx, account, actor, now, .. } = work;
    if store::count(&mut *tx, account).await? >= SERVICE_ACCOUNTS_MAX {
        return Err(ProgramError::TooMany);
    }
    arriving::insert(tx, draft).await.map_err(ProgramError::User)?;
    store::insert(tx, (account, draft.id()), described, *now).await.map_err(taken)?;
    for group in groups {
        if !join(tx, account, (group, draft.id()), *now).await? {
            return Err(ProgramError::UnknownGroup(group.to_string()));
        }
    }
    let made = store::find(&mut *tx, account, draft.id()).await?.ok_or(ProgramError::Unknown)?;
    let event = Event::new(Action::Create, TYPE, made.user.as_str()).of(account);
    record(tx, ctx, actor, &event.after(json!({ "name": made.name, "groups": groups })));
    Ok(made)
}

async fn update(
    tx: &mut Tx<'_>,
    work: &Work,
    before: &ServiceAccount,
    after: &ServiceAccount,
) -> Result<ServiceAccount, ProgramError> {
    store::update(tx, after, work.now).await.map_err(|error| match error {
        DbError::Duplicate(_) if before.name == after.name => ProgramError::BadApp,
        other => taken(other),
    })?;
    if before.name != after.name {
        arriving::rename(tx, &after.user, &after.name, work.now).await?;
    }
    tx.touch(Topic::Programs);
    let event = Event::new(Action::Update, TYPE, before.user.as_str()).of(&work.account);
    let event = event.before(view(before)).after(view(after));
    record(tx, &work.ctx, &work.actor, &event);
    let found = store::find(&mut *tx, &work.account, &before.user).await?;
    found.ok_or(ProgramError::Unknown)
}
