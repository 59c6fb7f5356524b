//! What the gate asks: for whom a key or an app acts.

use std::sync::Arc;

use crate::accounts::service::Accounts;
use crate::apps::service::Apps;
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::config::model::Issuer;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::{MacKey, Vault};
use crate::policy::service::Policies;
use crate::programs::model::{ApiKey, ServiceAccount};
use crate::programs::{store, store_accounts, token};
use crate::users::service::Users;

/// Most keys that are held.
const KEYS_HELD_MAX: u64 = 20_000;
/// Most apps that are held, with a service account or without.
const APPS_HELD_MAX: u64 = 10_000;
const PURPOSE: &str = "api key";

/// Keys and service accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Programs {
    pub(in crate::programs) parts: Arc<Parts>,
    pub(in crate::programs) mac: MacKey,
    by_digest: Cache<[u8; 32], Arc<ApiKey>>,
    by_app: Cache<AppId, Option<Arc<ServiceAccount>>>,
}

/// What they stand on.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Storage, time, randomness.
    pub ctx: Ctx,
    /// Who we are.
    pub issuer: Issuer,
    /// Users.
    pub users: Users,
    /// Their accounts.
    pub accounts: Accounts,
    /// Apps.
    pub apps: Apps,
    /// What may be given.
    pub policies: Policies,
}

impl Programs {
    /// On these parts.
    pub fn new(parts: Parts, vault: &Vault) -> Self {
        let changes = parts.ctx.db.changes();
        let topics = [Topic::Programs, Topic::Apps];
        Self {
            by_digest: Cache::new(changes, Topic::Programs, KEYS_HELD_MAX),
            by_app: Cache::of_two(changes, topics, APPS_HELD_MAX),
            mac: vault.mac_key(PURPOSE),
            parts: Arc::new(parts),
        }
    }

    /// What they stand on.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Whether a bearer token is a key, good or not.
    pub fn is_key(&self, token: &str) -> bool {
        token::is_key(token)
    }

    /// The key, if it is good: one of ours that was not revoked, has not ended, and whose service
    /// account, if it is one's, is not disabled. Whether its user is active is not looked at.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn key(&self, text: &str) -> Result<Option<Arc<ApiKey>>, DbError> {
        let digest = Digest::of(text.as_bytes());
        let found = match self.by_digest.get(&digest.0) {
            Some(held) => Some(held),
            None => self.load(text, digest).await?,
        };
        Ok(found.filter(|key| self.parts.ctx.now() < key.expires_at))
    }

    async fn load(&self, text: &str, digest: Digest) -> Result<Option<Arc<ApiKey>>, DbError> {
        // Made-up text costs no look into storage.
        let Some(id) = token::read(&self.mac, text) else { return Ok(None) };
        let stamp = self.by_digest.stamp();
        let found = store::find(&self.parts.ctx.db, &id).await?;
        let Some((key, _)) = found.filter(|(_, stored)| *stored == digest) else {
            return Ok(None);
        };
        let key = Arc::new(key);
        self.by_digest.insert_as_of(stamp, digest.0, key.clone());
        Ok(Some(key))
    }

    /// The service account for which an app acts that acts by itself.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn of_app(&self, app: &AppId) -> Result<Option<Arc<ServiceAccount>>, DbError> {
        let load =
            async || Ok(store_accounts::of_app(&self.parts.ctx.db, app).await?.map(Arc::new));
        self.by_app.get_or_load(app, load).await
    }
}
