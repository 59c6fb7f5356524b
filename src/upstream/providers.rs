//! The providers that are declared, and whom of theirs we know.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::audit::model::Action;
use crate::base::id::{AccountId, ProviderId, UserId};
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::upstream::model::{Identity, Provider, Secrets};
use crate::upstream::settle::tell_link;
use crate::upstream::store;

/// Most providers, and most accounts' lists of them, held in memory.
const HELD_MAX: u64 = 10_000;

/// The providers of this server. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    pub(in crate::upstream) ctx: Ctx,
    pub(in crate::upstream) vault: Vault,
    by_id: Cache<ProviderId, Option<Arc<Provider>>>,
    by_account: Cache<Option<AccountId>, Arc<[Provider]>>,
    by_domain: Cache<(), Arc<HashMap<String, Vec<AccountId>>>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Providers")
    }
}

fn purpose(id: &ProviderId) -> String {
    format!("upstream: secrets of {id}")
}

impl Providers {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx, vault: &Vault) -> Self {
        let changes = ctx.db.changes();
        Self {
            ctx: ctx.clone(),
            vault: vault.clone(),
            by_id: Cache::new(changes, Topic::Providers, HELD_MAX),
            by_account: Cache::new(changes, Topic::Providers, HELD_MAX),
            by_domain: Cache::new(changes, Topic::Providers, 1),
        }
    }

    /// A provider by id, in use or not.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find(&self, id: &ProviderId) -> Result<Option<Arc<Provider>>, DbError> {
        let load = async || Ok(store::find(&self.ctx.db, id).await?.map(Arc::new));
        self.by_id.get_or_load(id, load).await
    }

    /// The providers of an account, or, of `None`, of the whole server, in use or not.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn of(&self, account: Option<&AccountId>) -> Result<Arc<[Provider]>, DbError> {
        let load = async || Ok(store::of_account(&self.ctx.db, account).await?.into());
        self.by_account.get_or_load(&account.cloned(), load).await
    }

    /// The accounts that have a provider in use for addresses of this domain, each once. Of
    /// providers that are for addresses of any domain, nobody is told here.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn accounts_for(&self, domain: &str) -> Result<Vec<AccountId>, DbError> {
        let load = async || {
            let mut accounts: HashMap<String, Vec<AccountId>> = HashMap::new();
            for provider in store::of_accounts(&self.ctx.db).await? {
                let Some(account) = provider.account else { continue };
                for domain in provider.settings.email_domains {
                    let known = accounts.entry(domain).or_default();
                    if !known.contains(&account) {
                        known.push(account.clone());
                    }
                }
            }
            Ok::<_, DbError>(Arc::new(accounts))
        };
        let all = self.by_domain.get_or_load(&(), load).await?;
        Ok(all.get(domain).cloned().unwrap_or_default())
    }

    /// The providers that members of the account have to come from; empty: they need none.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn required(&self, account: &AccountId) -> Result<Vec<Provider>, DbError> {
        let all = self.of(Some(account)).await?;
        let is_required =
            |provider: &&Provider| provider.enabled && provider.settings.required_for_members;
        Ok(all.iter().filter(is_required).cloned().collect())
    }

    /// The identities of a user.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn identities(&self, user: &UserId) -> Result<Vec<Identity>, DbError> {
        store::identities(&self.ctx.db, user).await
    }

    /// Takes a user's identity at a provider away; `false` if they have none there.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn unlink(&self, user: &UserId, provider: &ProviderId) -> Result<bool, DbError> {
        let input = (self.ctx.clone(), user.clone(), provider.clone());
        let unit = self.ctx.db.write(input, |tx, (ctx, user, provider)| {
            Box::pin(async move {
                let was_there = store::unlink(tx, user, provider).await?;
                if was_there {
                    tell_link(tx, ctx, (user, provider), Action::Delete);
                }
                Ok::<bool, DbError>(was_there)
            })
        });
        unit.await
    }

    /// What only the provider and we know.
    ///
    /// # Errors
    /// [`DbError::CorruptRow`] if it does not open.
    pub(in crate::upstream) fn secrets(&self, provider: &Provider) -> Result<Secrets, DbError> {
        let Some(sealed) = &provider.secrets_sealed else { return Ok(Secrets::default()) };
        let opened = self.vault.open(&purpose(&provider.id), sealed);
        opened
            .and_then(|plain| serde_json::from_slice(&plain).ok())
            .ok_or(DbError::CorruptRow { table: "providers", column: "secrets_sealed" })
    }

    pub(in crate::upstream) fn sealed(
        &self,
        id: &ProviderId,
        secrets: &Secrets,
    ) -> Option<Vec<u8>> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(secrets).ok()?);
        let seal = || self.vault.seal(&purpose(id), &plain, self.ctx.entropy());
        (!secrets.is_empty()).then(seal)
    }
}
