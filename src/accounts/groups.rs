//! Groups and members as the people of an account change them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::accounts::act::Act;
use crate::accounts::invitations::store as invitations;
use crate::accounts::model::{
    AccountError, GROUPS_MAX, Group, Membership, NewGroup, group_resource, member_resource,
};
use crate::accounts::service::Accounts;
use crate::accounts::{leaving, store, store_members};
use crate::audit::model::Action;
use crate::base::id::{GroupId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::policy::administrators::{keeps_administrator, lock};
use crate::policy::attributes::Attributes;
use crate::policy::filter::Columns;
use crate::policy::losing::Loss;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::Policies;

/// What a group is in the record.
pub(in crate::accounts) const GROUP: &str = "group";
/// What a membership is in the record.
pub(in crate::accounts) const MEMBER: &str = "member";
/// What policies may ask of a member as a resource.
const PEOPLE_COLUMNS: Columns =
    Columns::new(&[("resource.id", "m.user_id"), ("resource.type", "'user'")]);

/// A permit, and the facts that it was given on.
pub type Given<'g> = (&'g Permit<AccessAdmin>, &'g Attributes);

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
        let input = (Act::of(&self.ctx, permit), id, group.clone());
        let unit =
            self.ctx.db.write(input, |tx, (act, id, group)| Box::pin(create(tx, act, (id, group))));
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
        let input = (Act::of(&self.ctx, permit), id.clone(), group.clone());
        let unit =
            self.ctx.db.write(input, |tx, (act, id, group)| Box::pin(change(tx, act, (id, group))));
        unit.await
    }

    /// Deletes a group; whoever was in it has left it. `false` if there is none that the caller
    /// may see.
    ///
    /// # Errors
    /// [`AccountError::Protected`] for one that every account has, [`AccountError::Policy`] if
    /// nobody would administer access any more, or whoever was in it would be given what the caller
    /// does not hold.
    pub async fn delete_group(
        &self,
        policies: &Policies,
        (permit, facts): Given<'_>,
        id: &GroupId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&group_resource(id)) {
            return Ok(false);
        }
        let scales = policies.scales((permit, facts)).await?;
        let input = (Act::of(&self.ctx, permit), id.clone(), facts.clone(), scales);
        let unit = self.ctx.db.write(input, |tx, (act, id, facts, scales)| {
            Box::pin(async move {
                scales.weigh_loss(tx, &act.account, (None, Loss::Group(id))).await?;
                let is_done = delete(tx, act, id).await?;
                if is_done {
                    keeps_administrator(tx, &act.account, facts).await?;
                }
                Ok(is_done)
            })
        });
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

    /// The place of one of the account's people in it; `None` if there is nobody whom the caller
    /// may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn place_of(
        &self,
        permit: &Permit<AccessAdmin>,
        user: &UserId,
    ) -> Result<Option<Arc<Membership>>, DbError> {
        if !permit.allows(&member_resource(user)) {
            return Ok(None);
        }
        self.membership(permit.account(), user).await
    }

    /// Adds somebody who is a member of the account to one more of its groups. `false` if there is
    /// no such group that the caller may see. Whether the caller may give away what the group
    /// gives is asked before: [`crate::policy::service::Policies::may_give`].
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
        let input = (Act::of(&self.ctx, permit), group.clone(), user.clone());
        let unit = self
            .ctx
            .db
            .write(input, |tx, (act, group, user)| Box::pin(add(tx, act, (group, user))));
        unit.await
    }

    /// Takes somebody out of a group. `false` if they are not in one that the caller may see.
    ///
    /// # Errors
    /// [`AccountError::Policy`] if nobody would administer access any more, or the user would be given
    /// what the caller does not hold.
    pub async fn remove_member(
        &self,
        policies: &Policies,
        (permit, facts): Given<'_>,
        group: &GroupId,
        user: &UserId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&group_resource(group)) {
            return Ok(false);
        }
        let scales = policies.scales((permit, facts)).await?;
        let of = (group.clone(), user.clone());
        let input = (Act::of(&self.ctx, permit), of, facts.clone(), scales);
        let unit = self.ctx.db.write(input, |tx, (act, (group, user), facts, scales)| {
            Box::pin(async move {
                scales.weigh_loss(tx, &act.account, (Some(user), Loss::Group(group))).await?;
                if !store_members::remove(tx, &act.account, (group, user)).await? {
                    return Ok(false);
                }
                let event = act.event(Action::Delete, MEMBER, user.as_str());
                act.record(tx, &event.before(json!({ "group": group.as_str() })));
                forget_stranger(tx, act, user).await?;
                left(tx, act, user).await?;
                keeps_administrator(tx, &act.account, facts).await?;
                Ok(true)
            })
        });
        unit.await
    }

    /// Takes somebody out of the account: of all its groups, with all that it knows of them, and
    /// with what they invited others to.
    /// `false` if there is nobody whom the caller may see.
    ///
    /// # Errors
    /// [`AccountError::Policy`] if nobody would administer access any more.
    pub async fn remove_person(
        &self,
        (permit, facts): Given<'_>,
        user: &UserId,
    ) -> Result<bool, AccountError> {
        if !permit.allows(&member_resource(user)) {
            return Ok(false);
        }
        let input = (Act::of(&self.ctx, permit), user.clone(), facts.clone());
        let unit = self.ctx.db.write(input, |tx, (act, user, facts)| {
            Box::pin(async move {
                lock(tx, &act.account).await?;
                let found = store::membership(&mut *tx, &act.account, user).await?;
                let Some(before) = found else { return Ok(false) };
                if !store_members::remove_from_all(tx, &act.account, user).await? {
                    return Ok(false);
                }
                forget_invitations(tx, act, user).await?;
                let groups: Vec<&str> = before.groups.iter().map(GroupId::as_str).collect();
                let event = act.event(Action::Delete, MEMBER, user.as_str());
                act.record(tx, &event.before(json!({ "groups": groups })));
                left(tx, act, user).await?;
                keeps_administrator(tx, &act.account, facts).await?;
                Ok(true)
            })
        });
        unit.await
    }
}

/// What a group looks like in the record.
fn told(group: &Group) -> Value {
    json!({ "name": group.name, "description": group.description })
}

async fn left(tx: &mut Tx<'_>, act: &Act, user: &UserId) -> Result<(), AccountError> {
    leaving::tell(tx, (&act.account, user), act.now).await?;
    tx.touch(Topic::Accounts);
    Ok(())
}

/// Takes back what somebody who left the account invited others to, and was invited to.
async fn forget_invitations(tx: &mut Tx<'_>, act: &Act, user: &UserId) -> Result<(), DbError> {
    invitations::revoke_of(tx, &act.account, user, act.now).await?;
    invitations::revoke_to(tx, &act.account, user, act.now).await
}

/// Forgets what the account knows of somebody who was in no group but the one they left: whoever
/// comes back does not come back to that.
async fn forget_stranger(tx: &mut Tx<'_>, act: &Act, user: &UserId) -> Result<(), DbError> {
    if store::membership(&mut *tx, &act.account, user).await?.is_none() {
        store_members::remove_from_all(tx, &act.account, user).await?;
        forget_invitations(tx, act, user).await?;
    }
    Ok(())
}

async fn create(
    tx: &mut Tx<'_>,
    act: &Act,
    (id, group): (&GroupId, &NewGroup),
) -> Result<Group, AccountError> {
    let account = &act.account;
    if store_members::count_groups(&mut *tx, account).await? >= GROUPS_MAX {
        return Err(AccountError::TooManyGroups);
    }
    if store::group_named(&mut *tx, account, &group.name).await?.is_some() {
        return Err(AccountError::NameTaken(group.name.clone()));
    }
    let made = store::insert_group(tx, account, (id, group), act.now).await;
    made.map_err(|error| taken(error, group))?;
    tx.touch(Topic::Accounts);
    let made = store::group(&mut *tx, account, id).await?;
    let made = made.ok_or_else(|| AccountError::UnknownGroup(id.clone()))?;
    let event = act.event(Action::Create, GROUP, id.as_str());
    act.record(tx, &event.after(told(&made)));
    Ok(made)
}

async fn change(
    tx: &mut Tx<'_>,
    act: &Act,
    (id, group): (&GroupId, &NewGroup),
) -> Result<Option<Group>, AccountError> {
    let account = &act.account;
    let Some(before) = store::group(&mut *tx, account, id).await? else { return Ok(None) };
    let namesake = store::group_named(&mut *tx, account, &group.name).await?;
    if namesake.is_some_and(|other| other.id != *id) {
        return Err(AccountError::NameTaken(group.name.clone()));
    }
    let changed = store::update_group(tx, account, (id, group), act.now).await;
    changed.map_err(|error| taken(error, group))?;
    tx.touch(Topic::Accounts);
    let after = store::group(&mut *tx, account, id).await?;
    if let Some(after) = &after {
        let event = act.event(Action::Update, GROUP, id.as_str());
        act.record(tx, &event.before(told(&before)).after(told(after)));
    }
    Ok(after)
}

/// The name was free a moment ago; on PostgreSQL another transaction may have taken it.
fn taken(error: DbError, group: &NewGroup) -> AccountError {
    match error {
        DbError::Duplicate(_) => AccountError::NameTaken(group.name.clone()),
        other => AccountError::Internal(other),
    }
}

async fn delete(tx: &mut Tx<'_>, act: &Act, id: &GroupId) -> Result<bool, AccountError> {
    let account = &act.account;
    let Some(before) = store::group(&mut *tx, account, id).await? else { return Ok(false) };
    if before.purpose.is_some() {
        return Err(AccountError::Protected);
    }
    let members = store::members(&mut *tx, account, id).await?;
    if !store_members::delete_group(tx, account, id).await? {
        return Ok(false);
    }
    for user in &members {
        forget_stranger(tx, act, user).await?;
        leaving::tell(tx, (account, user), act.now).await?;
    }
    let event = act.event(Action::Delete, GROUP, id.as_str());
    act.record(tx, &event.before(told(&before)));
    tx.touch(Topic::Accounts);
    Ok(true)
}

async fn add(
    tx: &mut Tx<'_>,
    act: &Act,
    (group, user): (&GroupId, &UserId),
) -> Result<bool, AccountError> {
    let account = &act.account;
    if store::group(&mut *tx, account, group).await?.is_none() {
        return Ok(false);
    }
    if store::membership(&mut *tx, account, user).await?.is_none() {
        return Err(AccountError::NotAMember);
    }
    if store_members::add(tx, account, (group, user), act.now).await? {
        tx.touch(Topic::Accounts);
        let event = act.event(Action::Create, MEMBER, user.as_str());
        act.record(tx, &event.after(json!({ "group": group.as_str() })));
    }
    Ok(true)
}
