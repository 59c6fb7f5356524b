//! Accounts as code: what an operator declares is made so, and nothing is done twice.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::accounts::act::Act;
use crate::accounts::model::{
    Account, AccountError, Group, NewAccount, NewGroup, check_attributes,
};
use crate::accounts::service::Accounts;
use crate::accounts::{leaving, store, store_accounts};
use crate::audit::model::Actor;
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::{Fetch, Tx};
use crate::policy::model::Declared;

impl Accounts {
    /// What [`Accounts::declare_account`] would do.
    ///
    /// # Errors
    /// As [`Accounts::declare_account`].
    pub async fn compare_account(&self, account: &NewAccount) -> Result<Declared, AccountError> {
        account.check()?;
        let found = store::account(&self.ctx.db, &account.id).await?;
        Ok(account_outcome(found.as_ref(), account))
    }

    /// Makes the account be so, on behalf of the operator.
    ///
    /// # Errors
    /// [`AccountError::BadText`], or [`AccountError::Internal`].
    pub async fn declare_account(&self, account: &NewAccount) -> Result<Declared, AccountError> {
        account.check()?;
        let act = Act::by(&self.ctx, &account.id, &Actor::operator());
        let unit = self.ctx.db.write((account.clone(), act), |tx, (account, act)| {
            Box::pin(async move {
                let before = store::account(&mut *tx, &account.id).await?;
                let before = before.map(|it| json!({ "name": it.name, "type": it.kind.as_str() }));
                let done = write_account(tx, account, act.now).await?;
                let after = json!({ "name": account.name, "type": account.kind.as_str() });
                act.declared(tx, done, ("account", account.id.as_str()), (before, after));
                Ok(done)
            })
        });
        unit.await
    }

    /// What [`Accounts::declare_group`] would do. In an account that is yet to be declared, a
    /// group is [`Declared::Created`].
    ///
    /// # Errors
    /// As [`Accounts::declare_group`], except for what only the database can tell.
    pub async fn compare_group(
        &self,
        account: &AccountId,
        group: &NewGroup,
    ) -> Result<Declared, AccountError> {
        group.check()?;
        let (found, namesake) = (
            find_declared(&self.ctx.db, account, group).await?,
            store::group_named(&self.ctx.db, account, &group.name).await?,
        );
        group_outcome(found.as_ref(), namesake.as_ref(), group)
    }

    /// Makes the group be so, on behalf of the operator, and tells its id.
    ///
    /// # Errors
    /// [`AccountError`]: unknown account, name or id taken, bad text.
    pub async fn declare_group(
        &self,
        account: &AccountId,
        group: &NewGroup,
    ) -> Result<(GroupId, Declared), AccountError> {
        group.check()?;
        let act = Act::by(&self.ctx, account, &Actor::operator());
        let fresh =
            group.id.clone().unwrap_or_else(|| GroupId::generate(act.now, self.ctx.entropy()));
        let unit = self.ctx.db.write((group.clone(), fresh, act), |tx, (group, fresh, act)| {
            Box::pin(async move {
                let before = find_declared(&mut *tx, &act.account, group).await?;
                let before = before.map(|before| json!({ "name": before.name }));
                let (id, done) = write_group(tx, &act.account, (fresh, group), act.now).await?;
                let after = json!({ "name": group.name });
                act.declared(tx, done, ("group", id.as_str()), (before, after));
                Ok((id, done))
            })
        });
        unit.await
    }

    /// What [`Accounts::declare_members`] would do, for a group and users that exist.
    ///
    /// # Errors
    /// [`AccountError::Internal`] if storage fails.
    pub async fn compare_members(
        &self,
        account: &AccountId,
        group: &GroupId,
        members: &[UserId],
    ) -> Result<Declared, AccountError> {
        let now = store::members(&self.ctx.db, account, group).await?;
        let same = now.iter().collect::<BTreeSet<_>>() == members.iter().collect();
        Ok(if same { Declared::Unchanged } else { Declared::Updated })
    }

    /// Makes these, and nobody else, the members of the group, on behalf of the operator.
    ///
    /// # Errors
    /// [`AccountError::UnknownGroup`], [`AccountError::UnknownUser`].
    pub async fn declare_members(
        &self,
        account: &AccountId,
        group: &GroupId,
        members: &[UserId],
    ) -> Result<Declared, AccountError> {
        let wanted: BTreeSet<UserId> = members.iter().cloned().collect();
        let act = Act::by(&self.ctx, account, &Actor::operator());
        let unit = self.ctx.db.write((group.clone(), wanted, act), |tx, (group, wanted, act)| {
            Box::pin(async move {
                let before = store::members(&mut *tx, &act.account, group).await?;
                let before = Some(json!({ "members": before }));
                let done = write_members(tx, &act.account, (group, wanted), act.now).await?;
                let after = json!({ "members": wanted });
                act.declared(tx, done, ("group", group.as_str()), (before, after));
                Ok(done)
            })
        });
        unit.await
    }

    /// What [`Accounts::declare_attributes`] would do.
    ///
    /// # Errors
    /// As [`Accounts::declare_attributes`], except for what only the database can tell.
    pub async fn compare_attributes(
        &self,
        account: &AccountId,
        user: &UserId,
        attributes: &Map<String, Value>,
    ) -> Result<Declared, AccountError> {
        check_attributes(attributes)?;
        let found = store::attributes(&self.ctx.db, account, user).await?;
        Ok(attributes_outcome(found.as_ref(), attributes))
    }

    /// Makes these what the account knows of the user, on behalf of the operator.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::UnknownUser`],
    /// [`AccountError::TooManyAttributes`].
    pub async fn declare_attributes(
        &self,
        account: &AccountId,
        user: &UserId,
        attributes: &Map<String, Value>,
    ) -> Result<Declared, AccountError> {
        let json = check_attributes(attributes)?;
        let act = Act::by(&self.ctx, account, &Actor::operator());
        let input = (act, user.clone(), attributes.clone(), json);
        let unit = self.ctx.db.write(input, |tx, (act, user, attributes, json)| {
            Box::pin(async move {
                let whose = (&act.account, user);
                let before = store::attributes(&mut *tx, &act.account, user).await?;
                let names = |of: &Map<String, Value>| of.keys().cloned().collect::<Vec<_>>();
                let before = before.map(|before| json!({ "attributes": names(&before) }));
                let done = write_attributes(tx, whose, attributes, json).await?;
                let after = json!({ "attributes": names(attributes) });
                act.declared(tx, done, ("policyAttributes", user.as_str()), (before, after));
                Ok(done)
            })
        });
        unit.await
    }
}

async fn write_account(
    tx: &mut Tx<'_>,
    account: &NewAccount,
    now: DateTime<Utc>,
) -> Result<Declared, AccountError> {
    let found = store::account(&mut *tx, &account.id).await?;
    let outcome = account_outcome(found.as_ref(), account);
    match outcome {
        Declared::Unchanged => return Ok(outcome),
        Declared::Created => {
            if store_accounts::is_gone(&mut *tx, &account.id).await? {
                return Err(AccountError::AccountTaken(account.id.clone()));
            }
            store::insert_account(tx, account, now).await?;
        }
        Declared::Updated => store::update_account(tx, account, now).await?,
    }
    tx.touch(Topic::Accounts);
    Ok(outcome)
}

async fn write_group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (fresh, group): (&GroupId, &NewGroup),
    now: DateTime<Utc>,
) -> Result<(GroupId, Declared), AccountError> {
    let found = find_declared(&mut *tx, account, group).await?;
    let namesake = store::group_named(&mut *tx, account, &group.name).await?;
    let outcome = group_outcome(found.as_ref(), namesake.as_ref(), group)?;
    let id = found.map_or_else(|| fresh.clone(), |found| found.id);
    match outcome {
        Declared::Unchanged => return Ok((id, outcome)),
        Declared::Created => {
            store::insert_group(tx, account, (&id, group), now).await.map_err(|error| {
                match error {
                    // The name is free in the account, as was just seen.
                    DbError::Duplicate(_) => AccountError::IdTaken(id.clone()),
                    DbError::Refused(_) => AccountError::UnknownAccount(account.clone()),
                    other => AccountError::Internal(other),
                }
            })?;
        }
        Declared::Updated => store::update_group(tx, account, (&id, group), now).await?,
    }
    tx.touch(Topic::Accounts);
    Ok((id, outcome))
}

async fn write_members(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, wanted): (&GroupId, &BTreeSet<UserId>),
    now: DateTime<Utc>,
) -> Result<Declared, AccountError> {
    if store::group(&mut *tx, account, group).await?.is_none() {
        return Err(AccountError::UnknownGroup(group.clone()));
    }
    let current: BTreeSet<UserId> =
        store::members(&mut *tx, account, group).await?.into_iter().collect();
    if current == *wanted {
        return Ok(Declared::Unchanged);
    }
    for user in current.difference(wanted) {
        store::delete_member(tx, account, (group, user)).await?;
        leaving::tell(tx, (account, user), now).await?;
    }
    for user in wanted.difference(&current) {
        store::insert_member(tx, account, (group, user), now).await.map_err(
            |error| match error {
                DbError::Refused(_) => AccountError::UnknownUser(user.clone()),
                other => AccountError::Internal(other),
            },
        )?;
    }
    tx.touch(Topic::Accounts);
    Ok(Declared::Updated)
}

async fn write_attributes(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    attributes: &Map<String, Value>,
    json: &str,
) -> Result<Declared, AccountError> {
    let found = store::attributes(&mut *tx, account, user).await?;
    let outcome = attributes_outcome(found.as_ref(), attributes);
    if outcome == Declared::Unchanged {
        return Ok(outcome);
    }
    if store::account(&mut *tx, account).await?.is_none() {
        return Err(AccountError::UnknownAccount(account.clone()));
    }
    store::put_attributes(tx, account, user, json).await.map_err(|error| match error {
        DbError::Refused(_) => AccountError::UnknownUser(user.clone()),
        other => AccountError::Internal(other),
    })?;
    tx.touch(Topic::Accounts);
    Ok(outcome)
}

/// The group that is meant: by its id, or else by its name.
async fn find_declared(
    db: impl Fetch,
    account: &AccountId,
    group: &NewGroup,
) -> Result<Option<Group>, DbError> {
    match &group.id {
        Some(id) => store::group(db, account, id).await,
        None => store::group_named(db, account, &group.name).await,
    }
}

fn account_outcome(found: Option<&Account>, wanted: &NewAccount) -> Declared {
    let Some(found) = found else { return Declared::Created };
    let same = found.name == wanted.name
        && found.description == wanted.description
        && found.owner == wanted.owner
        && found.requires_second_factor == wanted.requires_second_factor
        && found.products == wanted.products
        && found.kind == wanted.kind;
    if same { Declared::Unchanged } else { Declared::Updated }
}

fn group_outcome(
    found: Option<&Group>,
    namesake: Option<&Group>,
    wanted: &NewGroup,
) -> Result<Declared, AccountError> {
    if namesake.is_some_and(|other| found.is_none_or(|found| found.id != other.id)) {
        return Err(AccountError::NameTaken(wanted.name.clone()));
    }
    let Some(found) = found else { return Ok(Declared::Created) };
    let same = found.name == wanted.name
        && found.description == wanted.description
        && found.kind == wanted.kind;
    Ok(if same { Declared::Unchanged } else { Declared::Updated })
}

fn attributes_outcome(found: Option<&Map<String, Value>>, wanted: &Map<String, Value>) -> Declared {
    match found {
        Some(found) if found == wanted => Declared::Unchanged,
        None if wanted.is_empty() => Declared::Unchanged,
        None => Declared::Created,
        Some(_) => Declared::Updated,
    }
}
