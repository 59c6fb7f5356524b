//! The signing keys of the server: made, held, rotated.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::document::Document;
use crate::config::model;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::{KeyError, TokenFault};
use crate::keys::pair::{Pair, generate};
use crate::keys::provider::Registered;
use crate::keys::ring::{Ring, Stage, Verified};
use crate::keys::store;
use crate::keys::store::Stored;
use crate::keys::vault::Vault;

/// How long a retired key stays published and verifies: longer than any token it signed lives.
/// The longest life that may be registered for an access token is a day.
pub const RETIRED_FOR: TimeDelta = TimeDelta::hours(25);

/// What the record calls a signing key.
const KIND: &str = "signing-key";

/// All signing keys, parsed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ctx: Ctx,
    vault: Vault,
    settings: model::Keys,
    held: RwLock<Held>,
}

/// The keys as they were read when the topic had changed `epoch` times.
#[derive(Debug)]
struct Held {
    epoch: u64,
    ring: Arc<Ring>,
}

/// What an operator sees of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id: the thumbprint of its public half.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub stage: Stage,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it began to sign.
    pub current_at: Option<DateTime<Utc>>,
    /// When it stopped to sign.
    pub retired_at: Option<DateTime<Utc>>,
}

fn purpose(kid: &str) -> String {
    format!("signing key {kid}")
}

impl Keys {
    /// Reads the keys, and makes those that are missing: one that signs and one that follows it,
    /// of each algorithm.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] if the encryption key is not the one they were sealed with, or
    /// [`KeyError::Db`].
    pub async fn load(ctx: &Ctx, vault: &Vault, settings: &model::Keys) -> Result<Self, KeyError> {
        let mut epoch = ctx.db.changes().epoch(Topic::Keys);
        let mut stored = store::all(&ctx.db).await?;
        // Keys that do not open are found before any are made beside them.
        let mut ring = open(vault, &stored)?;
        let missing = missing(&stored);
        if !missing.is_empty() {
            let fresh = make(ctx, vault, settings, missing).await?;
            add_all(ctx, fresh).await?;
            epoch = ctx.db.changes().epoch(Topic::Keys);
            stored = store::all(&ctx.db).await?;
            ring = open(vault, &stored)?;
        }
        Ok(Self(Arc::new(Inner {
            ctx: ctx.clone(),
            vault: vault.clone(),
            settings: settings.clone(),
            held: RwLock::new(Held { epoch, ring: Arc::new(ring) }),
        })))
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.held.read().unwrap_or_else(PoisonError::into_inner).ring)
    }

    /// Whether the keys held are those of the last change that this process knows of.
    ///
    /// While they are not, a token may still be verified by a key that was removed a moment ago:
    /// that is nothing to remember.
    pub fn is_fresh(&self) -> bool {
        let held = self.0.held.read().unwrap_or_else(PoisonError::into_inner);
        held.epoch == self.0.ctx.db.changes().epoch(Topic::Keys)
    }

    /// Signs `claims` as a compact JWS with the current key of `algorithm`. Source: RFC 7515
    /// section 7.1.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if the claims do not serialize.
    pub fn sign<T: Serialize>(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &T,
    ) -> Result<String, KeyError> {
        self.ring().sign(algorithm, typ, claims)
    }

    /// Checks signature and header of a compact JWS that this server signed.
    ///
    /// # Errors
    /// [`TokenFault`], for our log. Source: RFC 7515 section 5.2, RFC 8725 section 3.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenFault> {
        self.ring().verify(token)
    }

    /// The JWK set, ready to send: next, current and retired keys. Source: RFC 7517 section 5.
    pub fn jwks(&self) -> Document {
        self.ring().jwks()
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`KeyError::Db`].
    pub async fn list(&self) -> Result<Vec<Listed>, KeyError> {
        let listed = |key: Stored| Listed {
            kid: key.kid,
            algorithm: key.algorithm,
            stage: key.stage,
            created_at: key.created_at,
            current_at: key.current_at,
            retired_at: key.retired_at,
        };
        Ok(store::all(&self.0.ctx.db).await?.into_iter().map(listed).collect())
    }

    /// Retires the current key, of one algorithm or all, and puts the next in its place.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<(), KeyError> {
        for key in self.list().await? {
            let asked = algorithm.is_none_or(|algorithm| algorithm == key.algorithm);
            if key.stage == Stage::Current && asked {
                self.replace(&key).await?;
            }
        }
        self.reload().await
    }

    /// Rotates the keys that are older than the configured age, makes those that are missing, and
    /// forgets those that were retired long ago.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate_due(&self) -> Result<(), KeyError> {
        let now = self.0.ctx.now();
        let age = TimeDelta::days(i64::from(self.0.settings.rotation_days));
        for key in self.list().await? {
            if key.stage == Stage::Current && key.current_at.is_some_and(|since| since + age <= now)
            {
                self.replace(&key).await?;
            }
        }
        self.forget_retired(now - RETIRED_FOR).await
    }

    /// Forgets every retired key at once: what they signed no longer verifies. For emergencies.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn remove_retired(&self) -> Result<(), KeyError> {
        self.forget_retired(self.0.ctx.now() + TimeDelta::days(1)).await
    }

    async fn forget_retired(&self, before: DateTime<Utc>) -> Result<(), KeyError> {
        let purged = self
            .0
            .ctx
            .db
            .write((self.0.ctx.clone(), before), |tx, (ctx, before)| {
                Box::pin(async move {
                    let purged = store::purge(tx, *before).await?;
                    if purged > 0 {
                        let event = Event::new(Action::Delete, KIND, "retired");
                        let event = event.after(json!({ "removed": purged }));
                        record(tx, ctx, &Actor::operator(), &event);
                        tx.touch(Topic::Keys);
                    }
                    Ok::<_, DbError>(purged)
                })
            })
            .await?;
        if purged > 0 { self.reload().await } else { self.reload_if_changed().await }
    }

    /// Puts the announced key in the place of `old`, unless another process did it first.
    async fn replace(&self, old: &Listed) -> Result<(), KeyError> {
        let Inner { ctx, vault, settings, .. } = self.0.as_ref();
        let fresh = make(ctx, vault, settings, vec![(old.algorithm, Stage::Next)]).await?;
        let input = (old.kid.clone(), old.algorithm, fresh, ctx.clone());
        ctx.db
            .write(input, |tx, (kid, algorithm, fresh, ctx)| {
                Box::pin(async move {
                    let now = ctx.now();
                    if !store::retire(tx, kid, now).await? {
                        return Ok::<_, DbError>(());
                    }
                    store::promote(tx, *algorithm, now).await?;
                    tell(tx, ctx, (Action::Update, kid), *algorithm);
                    for key in fresh {
                        store::add(tx, key).await?;
                        tell(tx, ctx, (Action::Create, &key.kid), key.algorithm);
                    }
                    tx.touch(Topic::Keys);
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }

    /// Reads the keys again if another process changed them.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn reload_if_changed(&self) -> Result<(), KeyError> {
        if self.is_fresh() { Ok(()) } else { self.reload().await }
    }

    async fn reload(&self) -> Result<(), KeyError> {
        // Read before the rows, so that a change meanwhile is seen as one.
        let epoch = self.0.ctx.db.changes().epoch(Topic::Keys);
        let ring = open(&self.0.vault, &store::all(&self.0.ctx.db).await?)?;
        let mut held = self.0.held.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever began to read later and was faster knows more.
        if epoch >= held.epoch {
            *held = Held { epoch, ring: Arc::new(ring) };
        }
        Ok(())
    }
}

fn missing(stored: &[Stored]) -> Vec<(Algorithm, Stage)> {
    let wanted = Algorithm::ALL
        .into_iter()
        .flat_map(|algorithm| [(algorithm, Stage::Current), (algorithm, Stage::Next)]);
    wanted
        .filter(|wanted| !stored.iter().any(|key| (key.algorithm, key.stage) == *wanted))
        .collect()
}

fn open(vault: &Vault, stored: &[Stored]) -> Result<Ring, KeyError> {
    let mut pairs = Vec::with_capacity(stored.len());
    for key in stored {
        let der = vault.open(&purpose(&key.kid), &key.private_sealed).ok_or(KeyError::Sealed)?;
        pairs.push((key.stage, Registered::new(Pair::parse(key.algorithm, &der)?)));
    }
    Ok(Ring::new(pairs))
}

/// Makes keys, all at once, on threads that may block: RSA takes its time.
async fn make(
    ctx: &Ctx,
    vault: &Vault,
    settings: &model::Keys,
    wanted: Vec<(Algorithm, Stage)>,
) -> Result<Vec<Stored>, KeyError> {
    let now = ctx.now();
    let mut making = Vec::with_capacity(wanted.len());
    for (algorithm, stage) in wanted {
        let (ctx, vault, bits) = (ctx.clone(), vault.clone(), settings.rsa_bits);
        making.push(tokio::task::spawn_blocking(move || {
            let der = generate(algorithm, bits, ctx.entropy())?;
            let pair = Pair::parse(algorithm, &der)?;
            Ok::<_, KeyError>(Stored {
                kid: pair.kid().to_owned(),
                algorithm,
                public_jwk: pair.jwk().to_string(),
                private_sealed: vault.seal(&purpose(pair.kid()), &der, ctx.entropy()),
                stage,
                created_at: now,
                current_at: (stage == Stage::Current).then_some(now),
                retired_at: None,
            })
        }));
    }
    let mut made = Vec::with_capacity(making.len());
    for key in making {
        made.push(key.await.map_err(|_| KeyError::Unusable("making it was interrupted"))??);
    }
    Ok(made)
}

/// Records what became of a key; one that is retired has given its place to the next.
fn tell(tx: &mut Tx<'_>, ctx: &Ctx, (action, kid): (Action, &str), algorithm: Algorithm) {
    let event = Event::new(action, KIND, kid);
    let event = event.after(json!({ "algorithm": algorithm.as_str() }));
    record(tx, ctx, &Actor::operator(), &event);
}

/// Adds the keys; where another process was faster, its keys stay.
async fn add_all(ctx: &Ctx, keys: Vec<Stored>) -> Result<(), DbError> {
    ctx.db
        .write((ctx.clone(), keys), |tx, (ctx, keys)| {
            Box::pin(async move {
                for key in keys {
                    store::add(tx, key).await?;
                    tell(tx, ctx, (Action::Create, &key.kid), key.algorithm);
                }
                tx.touch(Topic::Keys);
                Ok(())
            })
        })
        .await
}

#[cfg(test)]
mod tests;
