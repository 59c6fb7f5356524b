//! Accounts as their people make, change and delete them.

use std::sync::Arc;

use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::defaults::{Defaults, complete, fresh};
use crate::accounts::model::{Account, AccountError, AccountKind, NewAccount, account_resource};
use crate::accounts::{store, store_accounts, store_members};
use crate::audit::model::{Action, Actor, Event};
use crate::base::entropy::Entropy;
use crate::base::id::{AccountId, UserId};
use crate::config::model::Issuer;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::policy::administrators::lock;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccountAdmin;
use crate::users::model::User;
use crate::users::service::Users;
use crate::words::Language;

/// Most accounts that one user may make.
pub const ACCOUNTS_OF_ONE_MAX: i64 = 50;
/// What an account is in the record.
pub(in crate::accounts) const ACCOUNT: &str = "account";
/// How long an id is that nobody chose.
const ID_CHARS: usize = 12;
const ID_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// An account as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAccount {
    /// Its id for ever; `None` for one that is made up.
    pub id: Option<AccountId>,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
}

/// What an account is to say of itself; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountTexts {
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<Option<String>>,
    /// The e-mail address that hears about deletion.
    pub owner: Option<Option<String>>,
}

impl AccountTexts {
    /// What the account says then: name, description, owner.
    fn over(&self, before: &Account) -> (String, Option<String>, Option<String>) {
        (
            self.name.clone().unwrap_or_else(|| before.name.clone()),
            self.description.clone().unwrap_or_else(|| before.description.clone()),
            self.owner.clone().unwrap_or_else(|| before.owner.clone()),
        )
    }
}

/// Accounts with those who live in them, and the letters to them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tenancy(pub(in crate::accounts) Arc<Inner>);

#[derive(Debug)]
pub(in crate::accounts) struct Inner {
    pub(in crate::accounts) ctx: Ctx,
    pub(in crate::accounts) vault: Vault,
    pub(in crate::accounts) issuer: Issuer,
    pub(in crate::accounts) users: Users,
}

impl Tenancy {
    /// On these.
    pub fn new(ctx: &Ctx, vault: &Vault, issuer: &Issuer, users: &Users) -> Self {
        Self(Arc::new(Inner {
            ctx: ctx.clone(),
            vault: vault.clone(),
            issuer: issuer.clone(),
            users: users.clone(),
        }))
    }

    /// Makes an account, whose first administrator is whoever makes it. Whether they may is
    /// decided before.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create(
        &self,
        (creator, actor): (&User, &Actor),
        wanted: &WantedAccount,
    ) -> Result<Account, AccountError> {
        let ctx = &self.0.ctx;
        let id = match &wanted.id {
            Some(id) => id.clone(),
            None => made_up(ctx.entropy())?,
        };
        let account = NewAccount {
            id,
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            owner: creator.proven_email().map(str::to_owned),
            kind: AccountKind::default(),
            products: Vec::new(),
            requires_second_factor: false,
        };
        account.check()?;
        let act = Act::by(ctx, &account.id, actor);
        let input = (act, account, creator.id.clone(), fresh(ctx));
        let unit = ctx.db.write(input, |tx, (act, account, creator, fresh)| {
            Box::pin(create(tx, act, (account, fresh), creator))
        });
        unit.await
    }

    /// Changes what an account says of itself; `None` if there is none that the caller may see.
    ///
    /// # Errors
    /// [`AccountError::Owner`] for an address of nobody in the account, [`AccountError`].
    pub async fn change(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &AccountId,
        texts: &AccountTexts,
    ) -> Result<Option<Account>, AccountError> {
        let Some(before) = self.seen(permit, id).await? else { return Ok(None) };
        let (name, description, owner) = texts.over(&before);
        NewAccount {
            id: id.clone(),
            name,
            description,
            owner: owner.clone(),
            kind: before.kind,
            products: Vec::new(),
            requires_second_factor: false,
        }
        .check()?;
        if owner != before.owner
            && let Some(owner) = &owner
            && !self.is_of_member(id, owner).await?
        {
            return Err(AccountError::Owner);
        }
        let input = (Act::of(&self.0.ctx, permit), texts.clone());
        let unit = self.0.ctx.db.write(input, |tx, (act, texts)| {
            Box::pin(async move {
                let id = &act.account;
                // Of two who change it at once neither undoes what the other did.
                lock(tx, id).await?;
                let Some(found) = store::account(&mut *tx, id).await? else { return Ok(None) };
                let (name, description, owner) = texts.over(&found);
                if found.name == name && found.description == description && found.owner == owner {
                    return Ok(Some(found));
                }
                let before = Some(found);
                let all = (name.as_str(), description.as_deref(), owner.as_deref());
                store_accounts::set_texts(tx, id, all, act.now).await?;
                let after = store::account(&mut *tx, id).await?;
                if let (Some(before), Some(after)) = (&before, &after) {
                    let event = act.event(Action::Update, ACCOUNT, id.as_str());
                    act.record(tx, &changes(event, before, after));
                }
                Ok(after)
            })
        });
        unit.await
    }

    /// The account, if the caller may administer it.
    pub(in crate::accounts) async fn seen(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &AccountId,
    ) -> Result<Option<Account>, DbError> {
        if permit.account() != id || !permit.allows(&account_resource(id)) {
            return Ok(None);
        }
        store::account(&self.0.ctx.db, id).await
    }

    /// Whether somebody in the account proved to receive mail at an address: letters of ours must
    /// not go where nobody asked for them.
    async fn is_of_member(&self, account: &AccountId, address: &str) -> Result<bool, DbError> {
        let Some(user) = self.0.users.of_address(address).await? else { return Ok(false) };
        Ok(store::membership(&self.0.ctx.db, account, &user.id).await?.is_some())
    }

    /// The language of letters to an address: what its user speaks.
    pub(in crate::accounts) async fn language_of(
        &self,
        address: Option<&str>,
    ) -> Result<Language, DbError> {
        let Some(address) = address else { return Ok(Language::default()) };
        let user = self.0.users.of_address(address).await?;
        Ok(user.map(|user| user.language()).unwrap_or_default())
    }
}

/// What changed of an account: whose address its owner is does not stand in the record.
fn changes(event: Event, before: &Account, after: &Account) -> Event {
    let told = |it: &Account, other: &Account| {
        let mut told = json!({ "name": it.name, "description": it.description });
        if let Some(members) = told.as_object_mut().filter(|_| it.owner != other.owner) {
            members.insert("ownerChanged".to_owned(), true.into());
        }
        told
    };
    event.before(told(before, before)).after(told(after, before))
}

async fn create(
    tx: &mut Tx<'_>,
    act: &Act,
    (account, fresh): (&NewAccount, &Defaults),
    creator: &UserId,
) -> Result<Account, AccountError> {
    let now = act.now;
    let taken = || AccountError::AccountTaken(account.id.clone());
    if store_accounts::count_of(&mut *tx, creator).await? >= ACCOUNTS_OF_ONE_MAX {
        return Err(AccountError::TooManyAccounts);
    }
    if store_accounts::is_gone(&mut *tx, &account.id).await?
        || store::account(&mut *tx, &account.id).await?.is_some()
    {
        return Err(taken());
    }
    store::insert_account(tx, account, now).await.map_err(|error| match error {
        // It was free a moment ago; on PostgreSQL another transaction may have taken it.
        DbError::Duplicate(_) => taken(),
        other => AccountError::Internal(other),
    })?;
    store_accounts::set_creator(tx, &account.id, creator).await?;
    let groups = complete(tx, &account.id, (fresh, Some(creator)), now).await?;
    store_members::add(tx, &account.id, (&groups.administrators, creator), now).await?;
    let event = act.event(Action::Create, ACCOUNT, account.id.as_str());
    act.record(
        tx,
        &event.after(json!({ "name": account.name, "description": account.description })),
    );
    store::account(&mut *tx, &account.id).await?.ok_or_else(taken)
}

/// An id that nobody can guess, and nobody mistakes a letter of.
fn made_up(entropy: &dyn Entropy) -> Result<AccountId, AccountError> {
    let bytes: [u8; ID_CHARS] = entropy.bytes();
    let text: String = bytes
        .iter()
        .filter_map(|byte| ID_LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    text.parse().map_err(|_| {
        AccountError::Internal(DbError::CorruptRow { table: "accounts", column: "id" })
    })
}
