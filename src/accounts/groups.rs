//! Groups and members as the people of an account change them.

use chrono::{DateTime, Utc};

use crate::accounts::model::{
    AccountError, GROUPS_MAX, Group, NewGroup, group_resource, member_resource,
};
use crate::accounts::service::Accounts;
use crate::accounts::{leaving, store, store_members};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::policy::filter::Columns;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;

/// What policies may ask of a member as a resource.
const PEOPLE_COLUMNS: Columns =
    Columns::new(&[("resource.id", "m.user_id"), ("resource.type", "'user'")]);

impl Accounts {
    /// The group, if there is one that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn group(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &GroupId,
    ) -> Result<Option<Group>, DbError> {
        if !permit.allows(&group_resource(id)) {
            return Ok(None);
        }
        store::group(&self.ctx.db, permit.account(), id).await
    }

    /// Makes a group in the permit's account, with an id of its own.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create_group(
        &self,
        permit: &Permit<AccessAdmin>,
        group: &NewGroup,
    ) -> Result<Group, AccountError> {
        group.check()?;
        let now = self.ctx.now();
        let id = GroupId::generate(now, self.ctx.entropy());
        if !permit.allows(&group_resource(&id)) {
            return Err(AccountError::Denied);
        }
        let input = (permit.account().clone(), id, group.clone(), now);
        let unit = self.ctx.db.write(input, |tx, (account, id, group, now)| {
            Box::pin(create(tx, account, (id, group), *now))
        });
        unit.await
    }

    /// Changes what a group says of itself; `None` if there is none that the caller may see.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn change_group(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &GroupId,
        group: &NewGroup,
    ) -> Result<Option<Group>, AccountError> {
        group.check()?;
        if !permit.allows(&group_resource(id)) {
            return Ok(None);
        }
        let input = (permit.account().clone(), id.clone(), group.clone(), self.ctx.now());
        let unit = self.ctx.db.write(input, |tx, (account, id, group, now)| {
            Box::pin(change(tx, account, (id, group), *now))
        });
        unit.await
    }

    /// Deletes a group; whoever was in it has left it. `false` if there is none that the caller
    /// may see.
    ///
    /// # Errors
    /// [`AccountError::Protected`] for one that every account has.
    pub async fn delete_group(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &GroupId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&group_resource(id)) {
            return Ok(false);
        }
        let input = (permit.account().clone(), id.clone(), self.ctx.now());
        let unit = self
            .ctx
            .db
            .write(input, |tx, (account, id, now)| Box::pin(delete(tx, account, id, *now)));
        unit.await
    }

    /// A page of the members of a group, by id; `None` if there is none that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn members(
        &self,
        permit: &Permit<AccessAdmin>,
        group: &GroupId,
        page: (Option<&UserId>, u32),
    ) -> Result<Option<Vec<UserId>>, DbError> {
        if self.group(permit, group).await?.is_none() {
            return Ok(None);
        }
        store_members::members(&self.ctx.db, permit.account(), group, page).await.map(Some)
    }

    /// A page of the people of the account, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn people(
        &self,
        permit: &Permit<AccessAdmin>,
        page: (Option<&UserId>, u32),
    ) -> Result<Vec<UserId>, DbError> {
        let filter = permit.filter(&PEOPLE_COLUMNS, store_members::PEOPLE_FIRST_FREE);
        store_members::people(&self.ctx.db, permit.account(), page, filter).await
    }

    /// The groups of one of the account's people; `None` if there is nobody whom the caller may
    /// see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn groups_of(
        &self,
        permit: &Permit<AccessAdmin>,
        user: &UserId,
    ) -> Result<Option<Vec<GroupId>>, DbError> {
        if !permit.allows(&member_resource(user)) {
            return Ok(None);
        }
        let found = self.membership(permit.account(), user).await?;
        Ok(found.map(|membership| membership.groups.clone()))
    }

    /// Adds somebody who is a member of the account to one more of its groups. `false` if there is
    /// no such group that the caller may see.
    ///
    /// # Errors
    /// [`AccountError::NotAMember`]: whoever is in no group yet is invited, and says yes to it.
    pub async fn add_member(
        &self,
        permit: &Permit<AccessAdmin>,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&group_resource(group)) {
            return Ok(false);
        }
        let input = (permit.account().clone(), group.clone(), user.clone(), self.ctx.now());
        let unit = self.ctx.db.write(input, |tx, (account, group, user, now)| {
            Box::pin(add(tx, account, (group, user), *now))
        });
        unit.await
    }

    /// Takes somebody out of a group. `false` if they are not in one that the caller may see.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn remove_member(
        &self,
        permit: &Permit<AccessAdmin>,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&group_resource(group)) {
            return Ok(false);
        }
        let input = (permit.account().clone(), group.clone(), user.clone(), self.ctx.now());
        let unit = self.ctx.db.write(input, |tx, (account, group, user, now)| {
            Box::pin(async move {
                if !store_members::remove(tx, account, (group, user)).await? {
                    return Ok(false);
                }
                left(tx, (account, user), *now).await?;
                Ok(true)
            })
        });
        unit.await
    }

    /// Takes somebody out of the account: of all its groups, with all that it knows of them.
    /// `false` if there is nobody whom the caller may see.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn remove_person(
        &self,
        permit: &Permit<AccessAdmin>,
        user: &UserId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&member_resource(user)) {
            return Ok(false);
        }
        let input = (permit.account().clone(), user.clone(), self.ctx.now());
        let unit = self.ctx.db.write(input, |tx, (account, user, now)| {
            Box::pin(async move {
                if !store_members::remove_from_all(tx, account, user).await? {
                    return Ok(false);
                }
                left(tx, (account, user), *now).await?;
                Ok(true)
            })
        });
        unit.await
    }
}

async fn left(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    now: DateTime<Utc>,
) -> Result<(), AccountError> {
    leaving::tell(tx, (account, user), now).await?;
    Ok(tx.touch(Topic::Accounts).await?)
}

async fn create(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, group): (&GroupId, &NewGroup),
    now: DateTime<Utc>,
) -> Result<Group, AccountError> {
    if store_members::count_groups(&mut *tx, account).await? >= GROUPS_MAX {
        return Err(AccountError::TooManyGroups);
    }
    if store::group_named(&mut *tx, account, &group.name).await?.is_some() {
        return Err(AccountError::NameTaken(group.name.clone()));
    }
    let made = store::insert_group(tx, account, (id, group), now).await;
    made.map_err(|error| taken(error, group))?;
    tx.touch(Topic::Accounts).await?;
    let made = store::group(&mut *tx, account, id).await?;
    made.ok_or_else(|| AccountError::UnknownGroup(id.clone()))
}

async fn change(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, group): (&GroupId, &NewGroup),
    now: DateTime<Utc>,
) -> Result<Option<Group>, AccountError> {
    let Some(_before) = store::group(&mut *tx, account, id).await? else { return Ok(None) };
    let namesake = store::group_named(&mut *tx, account, &group.name).await?;
    if namesake.is_some_and(|other| other.id != *id) {
        return Err(AccountError::NameTaken(group.name.clone()));
    }
    let changed = store::update_group(tx, account, (id, group), now).await;
    changed.map_err(|error| taken(error, group))?;
    tx.touch(Topic::Accounts).await?;
    Ok(store::group(&mut *tx, account, id).await?)
}

/// The name was free a moment ago; on PostgreSQL another transaction may have taken it.
fn taken(error: DbError, group: &NewGroup) -> AccountError {
    match error {
        DbError::Duplicate(_) => AccountError::NameTaken(group.name.clone()),
        other => AccountError::Internal(other),
    }
}

async fn delete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &GroupId,
    now: DateTime<Utc>,
) -> Result<bool, AccountError> {
    let Some(before) = store::group(&mut *tx, account, id).await? else { return Ok(false) };
    if before.purpose.is_some() {
        return Err(AccountError::Protected);
    }
    let members = store::members(&mut *tx, account, id).await?;
    if !store_members::delete_group(tx, account, id).await? {
        return Ok(false);
    }
    for user in &members {
        leaving::tell(tx, (account, user), now).await?;
    }
    tx.touch(Topic::Accounts).await?;
    Ok(true)
}

async fn add(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
    now: DateTime<Utc>,
) -> Result<bool, AccountError> {
    if store::group(&mut *tx, account, group).await?.is_none() {
        return Ok(false);
    }
    if store::membership(&mut *tx, account, user).await?.is_none() {
        return Err(AccountError::NotAMember);
    }
    if store_members::add(tx, account, (group, user), now).await? {
        tx.touch(Topic::Accounts).await?;
    }
    Ok(true)
}
