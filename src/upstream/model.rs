//! What a provider is, and an identity there.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::id::{AccountId, ProviderId, UserId};
use crate::upstream::settings::Settings;

/// Where people sign in elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Chosen, and never changed: it stands in URLs that the provider knows.
    pub id: ProviderId,
    /// Whose it is; `None`: the whole server's.
    pub account: Option<AccountId>,
    /// For people: `Continue with …`.
    pub title: String,
    /// Whether anybody may come from it.
    pub enabled: bool,
    /// How it is spoken to, and how far it is trusted.
    pub settings: Settings,
    /// What only it and we know, sealed.
    pub secrets_sealed: Option<Vec<u8>>,
}

/// A provider as an operator declares it.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// See [`Provider::id`].
    pub id: ProviderId,
    /// See [`Provider::account`].
    pub account: Option<AccountId>,
    /// See [`Provider::title`].
    pub title: String,
    /// See [`Provider::enabled`].
    pub enabled: bool,
    /// See [`Provider::settings`].
    pub settings: Settings,
    /// What only it and we know.
    pub secrets: Secrets,
}

/// What only a provider and we know. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// The client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Zeroized>,
    /// The private key that makes client secrets, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<Zeroized>,
}

/// Text that is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Zeroized(Zeroizing<String>);

impl Zeroized {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Zeroized {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<Zeroized> for String {
    fn from(text: Zeroized) -> Self {
        text.0.to_string()
    }
}

impl Secrets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.client_secret.is_none() && self.client_key.is_none()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// Somebody of a provider's: their name there, under the issuer that gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Where.
    pub provider: ProviderId,
    /// Who says so: the issuer, or the entity of SAML.
    pub issuer: String,
    /// Whom the issuer means.
    pub subject: String,
}

/// A user's identity at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whom the provider means.
    pub name: Name,
    /// Who that is here.
    pub user: UserId,
    /// What its owner knows it by.
    pub shown: String,
    /// When it was linked.
    pub linked_at: DateTime<Utc>,
    /// When it was last signed in with.
    pub used_at: DateTime<Utc>,
}
