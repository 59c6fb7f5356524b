//! What the protocol needs around it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::accounts::service::Accounts;
use crate::apps::service::Apps;
use crate::base::id::{AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::config::model::Issuer;
use crate::config::registration::Registration;
use crate::config::sign_up::SignUp;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::service::Keys;
use crate::keys::vault::{MacKey, Vault};
use crate::oauth::access_token::AccessToken;
use crate::oauth::client_keys::ClientKeys;
use crate::oauth::discovery::Metadata;
use crate::oauth::grant::Grant;
use crate::oauth::sealing::SealingKeys;
use crate::oauth::{session_state, sid, store, store_logout, store_tokens, store_waiting};
use crate::once::service as once;
use crate::outbound::Outbound;
use crate::policy::service::Policies;
use crate::tls::authorities::Authorities;
use crate::upstream::providers::Providers;
use crate::users::service::Users;

/// Most grants that are held in memory.
const GRANTS_MAX: u64 = 10_000;
/// Most access tokens whose check is held in memory.
pub const TOKENS_MAX: u64 = 50_000;
/// Most consents that are held in memory.
const CONSENTS_MAX: u64 = 10_000;

/// The protocol: who may have which token, and what a token is worth. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OAuth(Arc<Inner>);

/// What [`OAuth`] needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Storage, time, randomness.
    pub ctx: Ctx,
    /// `iss`, and the base of every URL.
    pub issuer: Issuer,
    /// Signing keys.
    pub keys: Keys,
    /// Registered apps.
    pub apps: Apps,
    /// People.
    pub users: Users,
    /// Tenants and their members.
    pub accounts: Accounts,
    /// What members may do.
    pub policies: Policies,
    /// Where people may come from.
    pub providers: Providers,
    /// Requests to apps and their developers.
    pub outbound: Outbound,
    /// Who may register apps over HTTP.
    pub registration: Registration,
    /// Who may sign up.
    pub sign_up: SignUp,
    /// Whether clients can show certificates.
    pub sees_certificates: bool,
    /// Where clients with certificates come, if it is known.
    pub mtls_url: Option<Issuer>,
    /// The authorities whose certificates name apps.
    pub authorities: Option<Authorities>,
    /// Seals what has to be known again.
    pub vault: Vault,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    metadata: Cache<(), Arc<Metadata>>,
    offered: Value,
    caches: Caches,
    macs: Macs,
}

/// Keys of the vault that requests need again and again.
#[derive(Debug)]
pub(in crate::oauth) struct Macs {
    pub(in crate::oauth) browser_state: MacKey,
    pub(in crate::oauth) sid: MacKey,
}

#[derive(Debug)]
pub(in crate::oauth) struct Caches {
    /// Grants as last read or written. A cached grant may be behind another process, so it is
    /// only good for a yes that a guarded write confirms.
    pub(in crate::oauth) grants: Cache<i64, Arc<Grant>>,
    /// Access tokens that we signed, by digest.
    pub(in crate::oauth) signed: Cache<[u8; 32], Arc<AccessToken>>,
    /// Access tokens that were not revoked, nor was their grant, by digest.
    pub(in crate::oauth) alive: Cache<[u8; 32], ()>,
    /// What users agreed to.
    consents: Cache<(UserId, AppId), Arc<Scope>>,
    /// By which apps sign what they send.
    pub(in crate::oauth) client_keys: ClientKeys,
    /// To which tokens of apps are encrypted.
    pub(in crate::oauth) sealing_keys: SealingKeys,
}

impl OAuth {
    /// The protocol over its parts.
    pub fn new(parts: Parts) -> Self {
        let changes = parts.ctx.db.changes();
        let caches = Caches {
            grants: Cache::new(changes, Topic::Grants, GRANTS_MAX),
            signed: Cache::new(changes, Topic::Keys, TOKENS_MAX),
            alive: Cache::new(changes, Topic::Grants, TOKENS_MAX),
            consents: Cache::new(changes, Topic::Consents, CONSENTS_MAX),
            client_keys: ClientKeys::default(),
            sealing_keys: SealingKeys::default(),
        };
        let metadata = Cache::new(changes, Topic::Apps, 1);
        let offered = Metadata::offered(&parts);
        let macs = Macs {
            browser_state: parts.vault.mac_key(session_state::PURPOSE),
            sid: parts.vault.mac_key(sid::PURPOSE),
        };
        Self(Arc::new(Inner { parts, metadata, offered, caches, macs }))
    }

    /// What it was made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// What it says of itself. Held until an app changes.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, DbError> {
        let load = async || {
            let details = self.parts().apps.details_types().await?;
            Ok(Arc::new(Metadata::new(self.parts(), details)))
        };
        self.0.metadata.get_or_load(&(), load).await
    }

    /// What it offers to apps that register themselves.
    pub(in crate::oauth) fn offered(&self) -> &Value {
        &self.0.offered
    }

    pub(in crate::oauth) fn ctx(&self) -> &Ctx {
        &self.0.parts.ctx
    }

    pub(in crate::oauth) fn now(&self) -> DateTime<Utc> {
        self.0.parts.ctx.now()
    }

    pub(in crate::oauth) fn issuer(&self) -> &str {
        self.0.parts.issuer.as_str()
    }

    pub(in crate::oauth) fn macs(&self) -> &Macs {
        &self.0.macs
    }

    pub(in crate::oauth) fn caches(&self) -> &Caches {
        &self.0.caches
    }

    /// What `user` agreed to give `app`, on earlier occasions.
    pub(in crate::oauth) async fn consented(
        &self,
        user: &UserId,
        app: &AppId,
    ) -> Result<Arc<Scope>, DbError> {
        let key = (user.clone(), app.clone());
        let load = async || Ok(Arc::new(store_tokens::consented(&self.ctx().db, user, app).await?));
        self.caches().consents.get_or_load(&key, load).await
    }

    /// The grant as storage has it at this moment.
    pub(in crate::oauth) async fn read_grant(
        &self,
        id: GrantId,
    ) -> Result<Option<Arc<Grant>>, DbError> {
        let stamp = self.caches().grants.stamp();
        let found = store::find(&self.ctx().db, id).await?.map(Arc::new);
        if let Some(grant) = &found {
            self.caches().grants.insert_as_of(stamp, id.0, grant.clone());
        }
        Ok(found)
    }

    /// Deletes a bounded number of rows that are over, and says how many: call again while it is
    /// not zero.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        let now = self.now();
        let once = once::sweep(self.ctx());
        let session = self.parts().users.sessions().absolute();
        let grants = store_logout::sweep_grants(&self.ctx().db, now, session).await?;
        let tokens = store_tokens::sweep(&self.ctx().db, now).await?;
        let waiting = store_waiting::sweep(&self.ctx().db, now).await?;
        let deleted = grants.saturating_add(tokens).saturating_add(waiting);
        Ok(deleted.saturating_add(once.await?))
    }
}
