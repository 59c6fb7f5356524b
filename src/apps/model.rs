//! What an app is.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::apps::claims::CustomClaim;
use crate::apps::metadata::ClientMetadata;
use crate::apps::redirect::RedirectUri;
use crate::base::id::{AccountId, AppId};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::keys::algorithm::Algorithm;
use crate::words::Language;

/// Text that names none of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {0}")]
pub struct BadVariant(pub &'static str);

macro_rules! variants {
    ($(#[$doc:meta])* $name:ident: $all:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// As files and the database write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadVariant;

            fn from_str(text: &str) -> Result<Self, BadVariant> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(BadVariant($all)) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(in crate::apps) use variants;

variants! {
    /// Who may use it.
    Status: "developing, live, disabled" {
        /// Only users with the privilege `developApps`.
        Developing = "developing",
        /// Everybody whom the allow-list lets in.
        Live = "live",
        /// Nobody.
        Disabled = "disabled",
    }
}

variants! {
    /// Whether it can keep a secret. Source: RFC 6749 section 2.1.
    Kind: "public, confidential" {
        /// Runs where its users can look into it.
        Public = "public",
        /// Runs on a server.
        Confidential = "confidential",
    }
}

variants! {
    /// What it may ask the token endpoint for.
    GrantType: "authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code, urn:ietf:params:oauth:grant-type:token-exchange, urn:ietf:params:oauth:grant-type:jwt-bearer, urn:openid:params:grant-type:ciba" {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
        /// RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// RFC 8628 section 3.4.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693 section 2.1.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// RFC 7523 section 2.1.
        JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer",
        /// OpenID Connect CIBA Core section 10.1.
        Ciba = "urn:openid:params:grant-type:ciba",
    }
}

impl GrantType {
    /// Whether only an app that shows who it is may use it.
    pub fn needs_secret(self) -> bool {
        matches!(self, Self::ClientCredentials | Self::TokenExchange | Self::JwtBearer | Self::Ciba)
    }
}

/// The accounts that may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAccounts {
    /// Every account.
    All,
    /// These.
    These(BTreeSet<AccountId>),
}

impl AllowedAccounts {
    /// Whether `account` is one of them.
    pub fn contains(&self, account: &AccountId) -> bool {
        match self {
            Self::All => true,
            Self::These(accounts) => accounts.contains(account),
        }
    }
}

/// A client secret, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDigest {
    /// SHA-256 of the secret.
    pub digest: Digest,
    /// Itself, sealed, if the app signs with it.
    pub sealed: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends; `None`: when it is rotated away.
    pub expires_at: Option<DateTime<Utc>>,
}

impl SecretDigest {
    /// Whether it is good at `now`.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A registered app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The `client_id`.
    pub id: AppId,
    /// The account that owns the registration.
    pub account: AccountId,
    /// What users read.
    pub title: String,
    /// What users read below the title.
    pub description: Option<String>,
    /// Its picture.
    pub icon_url: Option<String>,
    /// Where it lives.
    pub url: Option<String>,
    /// Who may use it.
    pub status: Status,
    /// Whether it can keep a secret.
    pub kind: Kind,
    /// The scopes that it may ask for.
    pub allowed_scopes: Scope,
    /// The scopes that it gets when it asks for none.
    pub default_scopes: Scope,
    /// The accounts that may use it.
    pub allowed_accounts: AllowedAccounts,
    /// Where users may be sent with a code.
    pub callback_urls: Vec<RedirectUri>,
    /// Where users may be sent after signing out.
    pub logout_urls: Vec<RedirectUri>,
    /// What it may ask the token endpoint for.
    pub grant_types: BTreeSet<GrantType>,
    /// Whether a code challenge is demanded.
    pub require_pkce: bool,
    /// Life of an access token, in seconds.
    pub access_token_seconds: u32,
    /// Life of a grant's refresh tokens from sign-in on, in seconds.
    pub refresh_token_seconds: u32,
    /// Whether each use of a refresh token gives a new one.
    pub rotate_refresh_tokens: bool,
    /// How its access tokens are signed.
    pub access_token_algorithm: Algorithm,
    /// How its ID tokens are signed.
    pub id_token_algorithm: Algorithm,
    /// Claims of its own.
    pub custom_claims: Vec<CustomClaim>,
    /// What it registered beyond the above.
    pub metadata: ClientMetadata,
    /// The accounts that keep it out.
    pub blocked_by: BTreeSet<AccountId>,
    /// The secrets that are stored, the oldest first: two at most.
    pub secrets: Vec<SecretDigest>,
}

impl App {
    /// Whether anybody may use it.
    pub fn is_enabled(&self) -> bool {
        self.status != Status::Disabled
    }

    /// Whether it may be used for an account: it is on the allow-list, and does not keep it out.
    pub fn is_for(&self, account: &AccountId) -> bool {
        self.allowed_accounts.contains(account) && !self.blocked_by.contains(account)
    }

    /// What users read, in their language if the developer gave it a name in that one.
    pub fn title_in(&self, language: Language) -> &str {
        self.metadata.localized_in("client_name", language).unwrap_or(&self.title)
    }

    /// Whether `secret` is one of the app's that are good at `now`. Takes the same time whichever
    /// it is, and whether it is one at all.
    #[expect(clippy::needless_bitwise_bool, reason = "every secret is compared, whatever is found")]
    pub fn secret_matches(&self, secret: &Secret, now: DateTime<Utc>) -> bool {
        let presented = secret.digest();
        self.secrets
            .iter()
            .fold(false, |found, known| found | (known.is_good(now) & (known.digest == presented)))
    }
}
