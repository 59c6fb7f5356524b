//! A sign-in under way: what is remembered of it while the browser is at the provider.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::base::clock::from_micros;
use crate::base::id::{GrantId, ProviderId};
use crate::base::secret::Digest;
use crate::keys::vault::Vault;

/// How long somebody may take at the provider.
pub(in crate::upstream) const JOURNEY_TTL: TimeDelta = TimeDelta::minutes(15);

/// Somebody who sets out for a provider.
#[derive(Clone, Copy, Debug)]
pub struct Journey {
    /// The browser, which is the only one to come back.
    pub browser: Digest,
    /// The authorization that waits.
    pub grant: Option<GrantId>,
    /// Whether they have to sign in there anew.
    pub anew: bool,
}

/// What is stored of a [`Journey`], under its one-time secret: the `state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::upstream) struct Begun {
    pub(in crate::upstream) provider: ProviderId,
    pub(in crate::upstream) browser: Digest,
    grant: Option<i64>,
    pub(in crate::upstream) anew: bool,
    /// In microseconds.
    at: i64,
    /// What the provider posted, sealed, until the browser comes for it with its cookies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::upstream) posted: Option<String>,
}

impl Begun {
    pub(in crate::upstream) fn new(provider: &ProviderId, journey: Journey, at: i64) -> Self {
        Self {
            provider: provider.clone(),
            browser: journey.browser,
            grant: journey.grant.map(|grant| grant.0),
            anew: journey.anew,
            at,
            posted: None,
        }
    }

    pub(in crate::upstream) fn with_posted(&self, posted: String) -> Self {
        Self { posted: Some(posted), ..self.clone() }
    }

    pub(in crate::upstream) fn grant(&self) -> Option<GrantId> {
        self.grant.map(GrantId)
    }

    /// Since when the user has to have signed in, if that has to be anew.
    pub(in crate::upstream) fn anew_since(&self) -> Option<DateTime<Utc>> {
        self.anew.then(|| from_micros(self.at))
    }
}

/// What only this journey knows: made from its secret, so that storage holds none of it.
pub(in crate::upstream) struct Own<'a> {
    vault: &'a Vault,
    state: &'a str,
}

impl<'a> Own<'a> {
    pub(in crate::upstream) fn of(vault: &'a Vault, state: &'a str) -> Self {
        Self { vault, state }
    }

    fn make(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.mac(purpose, &[self.state.as_bytes()]).0)
    }

    /// `nonce`. Source: OpenID Connect Core section 3.1.2.1.
    pub(in crate::upstream) fn nonce(&self) -> String {
        self.make("upstream: nonce")
    }

    /// The code verifier: 43 characters. Source: RFC 7636 section 4.1.
    pub(in crate::upstream) fn verifier(&self) -> String {
        self.make("upstream: verifier")
    }

    /// The id of a SAML request, which the response names.
    pub(in crate::upstream) fn request_id(&self) -> String {
        format!("_{}", self.make("upstream: request id"))
    }

    /// The code challenge. Source: RFC 7636 section 4.2, S256.
    pub(in crate::upstream) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(self.verifier().as_bytes()).0)
    }
}

/// Where the browser is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// To a URL.
    Redirect(String),
    /// To a URL, with a form.
    Form {
        /// Where to.
        action: String,
        /// With what.
        fields: Vec<(&'static str, String)>,
    },
}
