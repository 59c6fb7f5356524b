//! Who may register apps over HTTP. Source: RFC 7591 section 3.

use crate::base::id::AccountId;
use crate::base::scope::Scope;

/// Who may register apps over HTTP, and what such an app may ask for at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Who may.
    pub mode: RegistrationMode,
    /// The account that owns what anybody registered without a token.
    pub account: Option<AccountId>,
    /// The account whose administrators decide which apps go live.
    pub platform_account: Option<AccountId>,
    /// The scopes that an app may get at most.
    pub allowed_scopes: Scope,
    /// Most registrations without a token from one address in an hour.
    pub per_hour_max: u32,
    /// Most apps registered without a token that exist at once.
    pub total_max: u32,
}

/// Who may register apps over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Nobody.
    #[default]
    Closed,
    /// Whoever holds an initial access token.
    Token,
    /// Everybody, within quotas.
    Open,
}

/// What a registered app may ask for unless the operator says otherwise: who somebody is.
pub const SCOPES: &str = "openid,profile,email,address,phone,offline_access";

impl Default for Registration {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Closed,
            account: None,
            platform_account: None,
            allowed_scopes: Scope::parse(&SCOPES.replace(',', " ")).unwrap_or_default(),
            per_hour_max: 20,
            total_max: 1_000,
        }
    }
}
