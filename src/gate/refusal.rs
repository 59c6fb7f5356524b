//! How the gate refuses: one variant for each thing that may be wrong.

use std::borrow::Cow;

use crate::config::step_up::StepUp;
use crate::db::error::DbError;
use crate::oauth::possession::ProofFault;

/// The header that names the account of a request.
pub const ACCOUNT_HEADER: &str = "LifeOmic-Account";

/// Why a request does not pass, in the order in which the gate looks.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The token was sent in a way that RFC 6750 section 2 allows and we do not, or twice.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// There is no token.
    #[error("an access token is needed: send it as `Authorization: Bearer …`")]
    MissingToken,
    /// The token is not one of ours, has expired, was revoked, or its user is gone.
    #[error("the access token is invalid or has expired")]
    InvalidToken,
    /// The token is good, but its bearer did not show that it is theirs.
    #[error(transparent)]
    Proof(ProofFault),
    /// The API has no such method and path.
    #[error("the API has no such method and path")]
    NoRoute,
    /// The token may not be used for this method and path.
    #[error("the access token lacks the scope {needed}")]
    InsufficientScope {
        /// The scope that opens this method and path.
        needed: Cow<'static, str>,
    },
    /// The sign-in is too weak or too old for this. Source: RFC 9470 section 3.
    #[error("the sign-in is too weak or too old for this")]
    SignIn(StepUp),
    /// The header that names the account is missing.
    #[error("the header {ACCOUNT_HEADER} is needed: it names the account")]
    AccountRequired,
    /// The header that names the account is there twice, or names nothing that could be one.
    #[error("{0}")]
    InvalidAccount(&'static str),
    /// The app is being developed, and the user does not develop apps in this account.
    #[error("the app is in development: it needs a user with developApps in the account")]
    AppInDevelopment,
    /// The app may not be used for this account.
    #[error("the app may not be used for this account")]
    AppNotAllowed,
    /// Whoever registered the API did not open it to this account.
    #[error("this API is not for this account")]
    ApiNotAllowed,
    /// The key is for another account, or its user may not use keys any more.
    #[error("the key may not be used for this account")]
    KeyNotAllowed,
    /// The user is in no group of the account, or there is no such account.
    #[error("the user is not a member of this account")]
    NotAMember,
    /// The token acts for the app itself, and for no service account.
    #[error(
        "the access token does not act for a user: bind its app to a service account of its account"
    )]
    NoUser,
    /// No policy of the account allows it.
    #[error("the policies of the account do not allow {privilege}")]
    PolicyDenies {
        /// What would have to be allowed.
        privilege: Cow<'static, str>,
    },
    /// We could not find out.
    #[error("the server failed")]
    Internal(#[from] DbError),
    /// A state we held impossible, for our log.
    #[error("the server failed")]
    Bug(&'static str),
}

impl Refusal {
    /// The reason, for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::MissingToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::Proof(fault) => fault.code(),
            Self::NoRoute => "not_found",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::SignIn(_) => "insufficient_user_authentication",
            Self::AccountRequired => "account_required",
            Self::InvalidAccount(_) => "invalid_account",
            Self::AppInDevelopment => "app_in_development",
            Self::AppNotAllowed => "app_not_allowed",
            Self::ApiNotAllowed => "api_not_allowed",
            Self::KeyNotAllowed => "key_not_allowed",
            Self::NotAMember | Self::NoUser => "not_a_member",
            Self::PolicyDenies { .. } => "policy_denies",
            Self::Internal(_) | Self::Bug(_) => "server_error",
        }
    }
}
