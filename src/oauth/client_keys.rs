//! The keys of apps: those they registered, and those they publish at their `jwks_uri`.
//!
//! A published set is fetched once for all who wait for it, and again when a signature asks for a
//! key that it does not have, but not more often than an app has a reason to change its keys: who
//! sends such signatures is nobody we know. Source: RFC 7591 section 2, OpenID Connect Core
//! section 10.1.1.

use std::fmt;
use std::sync::Arc;

use moka::sync::Cache;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::apps::metadata::KeyManagement;
use crate::apps::model::App;
use crate::base::id::AppId;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::keys::published::{self, Held, Slot, Want};
use crate::oauth::service::OAuth;

/// Most apps whose registered keys are held in memory.
const REGISTERED_MAX: u64 = 10_000;
/// Most published sets that are held in memory; each may be as large as an answer to us.
const PUBLISHED_MAX: u64 = 1_000;

/// The keys of apps, as far as they are held.
pub(in crate::oauth) struct ClientKeys {
    registered: Cache<AppId, Arc<Held>>,
    /// By app, too: apps that share a URL do not share their patience.
    published: Cache<(AppId, String), Arc<Mutex<Slot>>>,
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKeys(..)")
    }
}

impl Default for ClientKeys {
    fn default() -> Self {
        Self { registered: Cache::new(REGISTERED_MAX), published: Cache::new(PUBLISHED_MAX) }
    }
}

/// The claims of `jws`, if a key of `app` signed it with one of the `allowed` algorithms. Keys
/// that were replaced under the same name are found, too.
///
/// # Errors
/// [`TokenFault`], for our log.
pub(in crate::oauth) async fn verified(
    oauth: &OAuth,
    app: &App,
    jws: Jws<'_>,
    allowed: &[Algorithm],
) -> Result<Map<String, Value>, TokenFault> {
    if !jws.algorithm().is_some_and(|algorithm| allowed.contains(&algorithm)) {
        return Err(TokenFault("the algorithm is not allowed"));
    }
    let want = jws.header_text("kid").map_or(Want::Any, Want::Kid);
    let known = held(oauth, app, want).await?;
    if app.metadata.jwks.is_some() {
        return jws.verify(&known.signing, allowed);
    }
    let fault = match jws.clone().verify(&known.signing, allowed) {
        Ok(claims) => return Ok(claims),
        Err(fault) => fault,
    };
    let fresh = held(oauth, app, Want::NotThis(&known)).await?;
    if Arc::ptr_eq(&fresh, &known) { Err(fault) } else { jws.verify(&fresh.signing, allowed) }
}

/// Whether one of the keys of `app` fits; published ones are asked for anew before the answer is
/// no.
pub(in crate::oauth) async fn any(oauth: &OAuth, app: &App, fits: impl Fn(&Value) -> bool) -> bool {
    let has = |held: &Held| {
        held.source.get("keys").and_then(Value::as_array).into_iter().flatten().any(&fits)
    };
    let Ok(known) = held(oauth, app, Want::Any).await else { return false };
    if has(&known) {
        return true;
    }
    app.metadata.jwks.is_none()
        && held(oauth, app, Want::NotThis(&known)).await.is_ok_and(|fresh| has(&fresh))
}

/// The key to which content for `app` is encrypted, as the app gave it: a JWK for encryption of
/// the type that `algorithm` needs.
///
/// # Errors
/// [`TokenFault`], for our log: there is no such key, or the keys cannot be had.
pub(in crate::oauth) async fn encryption_key_of(
    oauth: &OAuth,
    app: &App,
    algorithm: KeyManagement,
) -> Result<Value, TokenFault> {
    let held = held(oauth, app, Want::Any).await?;
    encryption_key(&held.source, algorithm).ok_or(TokenFault("the app has no key to encrypt to"))
}

fn encryption_key(set: &Value, algorithm: KeyManagement) -> Option<Value> {
    let text = |jwk: &Value, name: &str| jwk.get(name).and_then(Value::as_str).map(str::to_owned);
    let types: &[&str] = match algorithm {
        KeyManagement::RsaOaep256 => &["RSA"],
        KeyManagement::EcdhEs => &["EC", "OKP"],
    };
    let fits = |jwk: &&Value| {
        let kty = text(jwk, "kty").unwrap_or_default();
        let is_curve_for_signatures = text(jwk, "crv").as_deref() == Some("Ed25519");
        types.contains(&kty.as_str())
            && !is_curve_for_signatures
            && text(jwk, "use").is_none_or(|usage| usage == "enc")
            && text(jwk, "alg").is_none_or(|alg| alg == algorithm.as_str())
            && jwk.get("d").is_none()
    };
    let fitting: Vec<&Value> = set.get("keys")?.as_array()?.iter().filter(fits).collect();
    let meant = fitting.iter().find(|jwk| jwk.get("use").is_some()).or(fitting.first())?;
    Some((*meant).clone())
}

async fn held(oauth: &OAuth, app: &App, want: Want<'_>) -> Result<Arc<Held>, TokenFault> {
    let keys = &oauth.caches().client_keys;
    match (&app.metadata.jwks, &app.metadata.jwks_uri) {
        (Some(set), _) => keys.registered(&app.id, set),
        (None, Some(uri)) => {
            let key = (app.id.clone(), uri.clone());
            let (slot, by) = (
                keys.published.get_with(key, Arc::default),
                (&oauth.parts().outbound, oauth.now()),
            );
            published::ask(by, uri, slot, want).await
        }
        (None, None) => Err(TokenFault("the app has no keys")),
    }
}

impl ClientKeys {
    /// What is held is compared with what is registered, so it cannot be behind.
    fn registered(&self, app: &AppId, set: &Value) -> Result<Arc<Held>, TokenFault> {
        if let Some(held) = self.registered.get(app).filter(|held| held.source == *set) {
            return Ok(held);
        }
        let held = Held::read(set.clone()).map_err(|_| TokenFault("the app's keys are bad"))?;
        let held = Arc::new(held);
        self.registered.insert(app.clone(), held.clone());
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_encrypted_to_if_it_is_meant_for_that() {
        let set = json!({"keys": [
            {"kty": "RSA", "kid": "s", "use": "sig"},
            {"kty": "RSA", "kid": "any"},
            {"kty": "RSA", "kid": "old", "use": "enc", "alg": "RSA1_5"},
            {"kty": "RSA", "kid": "e", "use": "enc"},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed"},
            {"kty": "EC", "crv": "P-256", "kid": "private", "use": "enc", "d": "x"},
        ]});
        let kid = |set: &Value, algorithm| {
            encryption_key(set, algorithm).map(|jwk| jwk["kid"].as_str().unwrap().to_owned())
        };

        assert_eq!(kid(&set, KeyManagement::RsaOaep256).as_deref(), Some("e"));
        assert_eq!(kid(&set, KeyManagement::EcdhEs), None);
        assert_eq!(kid(&json!({"keys": "x"}), KeyManagement::RsaOaep256), None);
    }
}
