//! What an OpenID Provider says of itself, asked for now and then. Source: OpenID Connect
//! Discovery section 4.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::base::id::ProviderId;
use crate::keys::published::Slot;
use crate::outbound::Outbound;
use crate::upstream::error::Refused;
use crate::upstream::settings::Oidc;

/// How long it is good without being asked for again.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How long it is made do with while the provider does not answer.
const LIFETIME_MAX: TimeDelta = TimeDelta::hours(24);
/// How long a provider is left alone after it failed.
const PAUSE: TimeDelta = TimeDelta::seconds(20);

/// What we need of a provider's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::upstream) struct Metadata {
    pub(in crate::upstream) issuer: String,
    pub(in crate::upstream) authorization_endpoint: String,
    pub(in crate::upstream) token_endpoint: String,
    pub(in crate::upstream) jwks_uri: String,
    #[serde(default)]
    pub(in crate::upstream) userinfo_endpoint: Option<String>,
    /// Source: RFC 9207 section 3.
    #[serde(default)]
    pub(in crate::upstream) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads metadata that has to be of this issuer, to the letter. Source: OpenID Connect
    /// Discovery section 4.3.
    fn read(body: &[u8], issuer: &str) -> Result<Self, &'static str> {
        let read: Self = serde_json::from_slice(body).map_err(|_| "its metadata cannot be read")?;
        if read.issuer != issuer {
            return Err("its metadata is another issuer's");
        }
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if !is_web(&read.authorization_endpoint) {
            return Err("its authorization endpoint is no web address");
        }
        Ok(read)
    }
}

/// A provider as far as it is held.
#[derive(Debug, Default)]
struct Entry {
    held: Option<(Arc<Metadata>, DateTime<Utc>)>,
    failed_at: Option<DateTime<Utc>>,
}

impl Entry {
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let is_rested = self.failed_at.is_none_or(|last| now >= last + PAUSE);
        let is_fresh = self.held.as_ref().is_some_and(|(_, at)| now < *at + LIFETIME);
        !is_fresh && is_rested
    }

    fn usable(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, Refused> {
        let held = self.held.as_ref().filter(|(_, at)| now < *at + LIFETIME_MAX);
        held.map(|(held, _)| held.clone()).ok_or(Refused::Fails("its metadata cannot be had"))
    }
}

/// Under what a provider's metadata is held: one that is pointed elsewhere begins anew.
type Key = (ProviderId, String, String);

/// Under what a provider's keys are held.
type KeysKey = (ProviderId, String);

/// What providers say of themselves. There are as many as operators declare.
#[derive(Default)]
pub(in crate::upstream) struct Discovery {
    entries: std::sync::Mutex<HashMap<Key, Arc<Mutex<Entry>>>>,
    keys: std::sync::Mutex<HashMap<KeysKey, Arc<Mutex<Slot>>>>,
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discovery")
    }
}

impl Discovery {
    /// A provider's metadata. Who comes while it is asked for waits for the same answer.
    pub(in crate::upstream) async fn of(
        &self,
        (outbound, now): (&Outbound, DateTime<Utc>),
        id: &ProviderId,
        oidc: &Oidc,
    ) -> Result<Arc<Metadata>, Refused> {
        let url = oidc.discovery_url.clone().unwrap_or_else(|| {
            format!("{}/.well-known/openid-configuration", oidc.issuer.trim_end_matches('/'))
        });
        let key = (id.clone(), oidc.issuer.clone(), url.clone());
        let entry = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(entries.entry(key).or_default())
        };
        let mut entry = entry.lock().await;
        if !entry.is_due(now) {
            return entry.usable(now);
        }
        match fetch(outbound, &url, &oidc.issuer).await {
            Ok(metadata) => {
                *entry = Entry { held: Some((Arc::new(metadata), now)), failed_at: None }
            }
            Err(reason) => {
                tracing::warn!(provider = %id, url, reason, "no metadata of a provider");
                entry.failed_at = Some(now);
            }
        }
        entry.usable(now)
    }

    /// Where a provider's published keys are held.
    pub(in crate::upstream) fn slot(&self, id: &ProviderId, uri: &str) -> Arc<Mutex<Slot>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(keys.entry((id.clone(), uri.to_owned())).or_default())
    }
}

async fn fetch(outbound: &Outbound, url: &str, issuer: &str) -> Result<Metadata, &'static str> {
    let answer = outbound.get(url, "application/json").await.map_err(|error| {
        tracing::info!(url, %error, "a provider does not answer");
        "it does not answer"
    })?;
    if answer.status != 200 {
        return Err("it answers no metadata");
    }
    Metadata::read(&answer.body, issuer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn oidc_discovery_4_3_metadata_of_another_issuer_is_refused() {
        let read = |issuer: &str, endpoint: &str| {
            let text = json!({
                "issuer": issuer,
                "authorization_endpoint": endpoint,
                "token_endpoint": "https://op.example/token",
                "jwks_uri": "https://op.example/jwks",
            });
            Metadata::read(text.to_string().as_bytes(), "https://op.example")
        };

        assert!(read("https://op.example", "https://op.example/auth").is_ok());
        for other in ["https://op.example/", "https://OP.example", "https://evil.example", ""] {
            assert!(read(other, "https://op.example/auth").is_err(), "{other}");
        }
        assert!(read("https://op.example", "javascript:alert(1)").is_err());
        assert!(Metadata::read(b"[]", "https://op.example").is_err());
    }

    #[test]
    fn a_provider_that_fails_is_left_alone_and_made_do_with() {
        let at = |seconds: i64| crate::base::clock::from_micros(seconds * 1_000_000);
        let mut entry = Entry::default();
        assert!(entry.is_due(at(0)) && entry.usable(at(0)).is_err());
        entry.failed_at = Some(at(0));
        assert!(!entry.is_due(at(19)) && entry.is_due(at(20)));
        let metadata = Metadata {
            issuer: String::new(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            jwks_uri: String::new(),
            userinfo_endpoint: None,
            authorization_response_iss_parameter_supported: false,
        };
        entry = Entry { held: Some((Arc::new(metadata), at(0))), failed_at: None };
        assert!(!entry.is_due(at(899)) && entry.is_due(at(900)));
        assert!(entry.usable(at(86_399)).is_ok() && entry.usable(at(86_400)).is_err());
    }
}
