//! How a provider is spoken to, and how far it is trusted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::GroupId;
use crate::keys::algorithm::Algorithm;
use crate::upstream::saml::settings::Saml;

/// What an operator decided about a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether somebody whom nobody here knows is made a user.
    pub creates_users: bool,
    /// The groups, all of the provider's account, that such a user joins.
    pub groups: Vec<GroupId>,
    /// Whether the members of the provider's account have to come from it.
    pub required_for_members: bool,
    /// Domains whose e-mail addresses are verified if this provider says them.
    pub email_domains: Vec<String>,
    /// Methods of authentication, of RFC 8176, that are believed as they are said.
    pub trusts_amr: bool,
    /// What the provider's contexts of authentication stand for, as such methods.
    pub acr_means: BTreeMap<String, Vec<String>>,
    /// What it speaks.
    pub protocol: Protocol,
}

/// What a provider speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(Oidc),
    /// SAML 2.0.
    Saml(Saml),
}

/// An OpenID Provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oidc {
    /// Its issuer, compared exactly. With [`TENANT`] in it: that of any tenant.
    pub issuer: String,
    /// Where its metadata is, if not where its issuer says.
    pub discovery_url: Option<String>,
    /// The tenants that may come; empty: all. Only with [`TENANT`] in the issuer.
    pub tenants: Vec<String>,
    /// What it knows us by.
    pub client_id: String,
    /// How we show that.
    pub client_auth: ClientAuth,
    /// What is asked of it.
    pub scopes: Vec<String>,
    /// How its answer comes.
    pub response_mode: ResponseMode,
    /// Whether its userinfo endpoint is asked, too.
    pub userinfo: bool,
    /// How its ID tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// Whether it writes truth values as text.
    pub flags_are_text: bool,
}

/// Stands for the tenant in the issuer of a provider of many tenants.
pub const TENANT: &str = "{tenantid}";

/// How we show to a provider who we are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ClientAuth {
    /// We do not: a public client.
    None,
    /// Source: RFC 6749 section 2.3.1.
    ClientSecretBasic,
    /// Source: RFC 6749 section 2.3.1.
    ClientSecretPost,
    /// With our own signing key, which the provider finds at our `jwks_uri`. Source: OpenID
    /// Connect Core section 9.
    PrivateKeyJwt {
        /// Which of our keys.
        algorithm: Algorithm,
    },
    /// With a secret that is a token of its own, signed with a key that the provider gave us.
    SignedSecret {
        /// Who signs it.
        team_id: String,
        /// The name of the key.
        key_id: String,
    },
}

/// How the answer of an OpenID Provider comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query.
    Query,
    /// As a form. Source: OAuth 2.0 Form Post Response Mode.
    FormPost,
}

impl Settings {
    /// Its settings as an OpenID Provider.
    pub fn oidc(&self) -> Option<&Oidc> {
        match &self.protocol {
            Protocol::Oidc(oidc) => Some(oidc),
            Protocol::Saml(_) => None,
        }
    }

    /// Its settings as an identity provider of SAML.
    pub fn saml(&self) -> Option<&Saml> {
        match &self.protocol {
            Protocol::Saml(saml) => Some(saml),
            Protocol::Oidc(_) => None,
        }
    }
}
