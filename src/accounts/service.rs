//! What may be asked about accounts. What operators tell about them is in `declare`.

use std::sync::Arc;

use crate::accounts::model::{Account, Group, Membership};
use crate::accounts::{store, store_accounts};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::filter::Columns;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;

const ACCOUNTS_HELD_MAX: u64 = 10_000;
const MEMBERS_HELD_MAX: u64 = 50_000;

/// What policies may ask of a group as a resource.
const GROUP_COLUMNS: Columns =
    Columns::new(&[("resource.id", "g.id"), ("resource.type", "'group'")]);

/// Which groups are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupQuery {
    /// Only those whose name begins so. Upper and lower case differ.
    pub name_prefix: Option<String>,
    /// Only those after this one, by id.
    pub after: Option<GroupId>,
    /// At most so many.
    pub limit: u32,
}

/// All accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub(in crate::accounts) ctx: Ctx,
    by_id: Cache<AccountId, Option<Arc<Account>>>,
    members: Cache<(AccountId, UserId), Option<Arc<Membership>>>,
    by_user: Cache<UserId, Arc<[Account]>>,
}

impl Accounts {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx) -> Self {
        let changes = ctx.db.changes();
        Self {
            ctx: ctx.clone(),
            by_id: Cache::new(changes, Topic::Accounts, ACCOUNTS_HELD_MAX),
            members: Cache::new(changes, Topic::Accounts, MEMBERS_HELD_MAX),
            by_user: Cache::new(changes, Topic::Accounts, ACCOUNTS_HELD_MAX),
        }
    }

    /// The account, if there is one.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find(&self, account: &AccountId) -> Result<Option<Arc<Account>>, DbError> {
        let load = async || Ok(store::account(&self.ctx.db, account).await?.map(Arc::new));
        self.by_id.get_or_load(account, load).await
    }

    /// The user's place in the account; `None` for whoever is in no group of it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn membership(
        &self,
        account: &AccountId,
        user: &UserId,
    ) -> Result<Option<Arc<Membership>>, DbError> {
        let load = async || Ok(store::membership(&self.ctx.db, account, user).await?.map(Arc::new));
        self.members.get_or_load(&(account.clone(), user.clone()), load).await
    }

    /// The accounts that the user is a member of, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn accounts_of(&self, user: &UserId) -> Result<Arc<[Account]>, DbError> {
        let load = async || Ok(store::accounts_of(&self.ctx.db, user).await?.into());
        self.by_user.get_or_load(user, load).await
    }

    /// Whether an account of the user's asks its members for two factors.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn require_second_factor(&self, user: &UserId) -> Result<bool, DbError> {
        let accounts = self.accounts_of(user).await?;
        Ok(accounts.iter().any(|account| account.requires_second_factor))
    }

    /// The groups of the permit's account, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn groups(
        &self,
        permit: &Permit<AccessAdmin>,
        query: &GroupQuery,
    ) -> Result<Vec<Group>, DbError> {
        let page =
            (query.name_prefix.as_deref().unwrap_or_default(), query.after.as_ref(), query.limit);
        let filter = permit.filter(&GROUP_COLUMNS, store::GROUPS_FIRST_FREE);
        store::groups(&self.ctx.db, permit.account(), page, filter).await
    }

    /// The ids of all accounts.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn ids(&self) -> Result<Vec<AccountId>, DbError> {
        store_accounts::all_ids(&self.ctx.db).await
    }

    /// At most `limit` members of the account after `after`, by id, on behalf of the gate.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn member_ids(
        &self,
        account: &AccountId,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<UserId>, DbError> {
        store::member_ids(&self.ctx.db, account, after, limit).await
    }

    /// Whether the account has this group, on behalf of the operator.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn has_group(&self, account: &AccountId, group: &GroupId) -> Result<bool, DbError> {
        Ok(store::group(&self.ctx.db, account, group).await?.is_some())
    }

    /// The group of this name, on behalf of the operator.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn group_named(
        &self,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<Group>, DbError> {
        store::group_named(&self.ctx.db, account, name).await
    }
}
