//! How the protocol refuses.

use crate::db::error::DbError;
use crate::keys::error::KeyError;
use crate::oauth::response::ReplyTo;

/// Why a code, a refresh token or the person behind it is refused. For our log and for decisions;
/// the client is told one thing for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing of the kind was ever issued.
    #[error("unknown")]
    Unknown,
    /// The user has not agreed (yet).
    #[error("not approved")]
    NotApproved,
    /// The code was exchanged before: an alarm.
    #[error("the code was exchanged before")]
    AlreadySpent,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It was issued to another app.
    #[error("issued to another app")]
    WrongApp,
    /// Another `redirect_uri` than in the authorization request.
    #[error("another redirect_uri")]
    WrongRedirect,
    /// Another key than in the authorization request, or than its tokens are bound to.
    #[error("another key")]
    WrongKey,
    /// No verifier, another one, or one where no challenge was given.
    #[error("code_verifier does not match")]
    WrongVerifier,
    /// An assertion that is not signed by the app, not for us, or not for now.
    #[error("the assertion is not good")]
    BadAssertion,
    /// The grant was revoked.
    #[error("revoked")]
    Revoked,
    /// An old refresh token of this grant: an alarm.
    #[error("the refresh token was used before")]
    Reused,
    /// Another request with the same refresh token was faster by a moment.
    #[error("another request used the refresh token at the same time")]
    Raced,
    /// The user is disabled or gone.
    #[error("the user is disabled or gone")]
    UserDisabled,
    /// The app is for accounts that the user is not a member of.
    #[error("the user is in no account that the app is for")]
    AppNotAllowed,
    /// The app is in development, and the user does not develop it.
    #[error("the app is in development")]
    AppInDevelopment,
    /// The app is disabled.
    #[error("the app is disabled")]
    AppDisabled,
    /// The sign-in shows one factor, where two are demanded by now.
    #[error("a second factor is demanded of the user")]
    SecondFactor,
    /// oxide-auth's own verdict.
    #[error("refused by the protocol machine")]
    Machine,
}

/// What the token endpoint and its neighbours answer when they refuse.
/// Source: RFC 6749 section 5.2.
///
/// The variant is for the client; the source behind it is for our log and is never sent.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A parameter is missing, repeated or malformed.
    #[error("invalid_request: {0}")]
    InvalidRequest(&'static str),
    /// Client authentication failed.
    #[error("invalid_client")]
    InvalidClient {
        /// Whether the client tried `Authorization: Basic`.
        basic: bool,
    },
    /// The code or refresh token is not good. One answer for all reasons, so that a thief learns
    /// nothing; the reason is the source.
    #[error("invalid_grant: {0}")]
    InvalidGrant(#[source] Refusal),
    /// The DPoP proof proves nothing. Source: RFC 9449 section 5.
    #[error("invalid_dpop_proof: {0}")]
    InvalidDpopProof(&'static str),
    /// The DPoP proof needs this nonce. Source: RFC 9449 section 8.
    #[error("use_dpop_nonce")]
    UseDpopNonce(String),
    /// The app may not use this grant type.
    #[error("unauthorized_client: {0}")]
    UnauthorizedClient(&'static str),
    /// We do not know this `grant_type`.
    #[error("unsupported_grant_type")]
    UnsupportedGrantType,
    /// The scope is malformed, or beyond what the app or the grant has.
    #[error("invalid_scope")]
    InvalidScope,
    /// An error that a standard beyond RFC 6749 section 5.2 names.
    #[error("{0}: {1}")]
    Named(&'static str, &'static str),
    /// Our fault. Not in RFC 6749 section 5.2; sent with status 500.
    #[error("server_error")]
    Internal(#[from] DbError),
    /// Our keys fail. Status 500.
    #[error("server_error")]
    Keys(#[from] KeyError),
    /// A state that we held impossible. Status 500, and somebody should look.
    #[error("server_error: {0}")]
    Bug(&'static str),
}

impl TokenError {
    /// The `error` of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient { .. } => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::InvalidDpopProof(_) => "invalid_dpop_proof",
            Self::UseDpopNonce(_) => "use_dpop_nonce",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::Named(code, _) => code,
            Self::Internal(_) | Self::Keys(_) | Self::Bug(_) => "server_error",
        }
    }

    /// The `error_description` of the answer: fixed text, never from input.
    pub fn description(&self) -> &'static str {
        match self {
            Self::InvalidRequest(text)
            | Self::UnauthorizedClient(text)
            | Self::InvalidDpopProof(text)
            | Self::Named(_, text) => text,
            Self::UseDpopNonce(_) => "the DPoP proof needs the nonce of the header DPoP-Nonce",
            Self::InvalidClient { .. } => "client authentication failed",
            Self::InvalidGrant(_) => {
                "the code or refresh token is invalid, expired, revoked or already used"
            }
            Self::UnsupportedGrantType => "this grant_type is not supported",
            Self::InvalidScope => "the scope is malformed or exceeds what was granted",
            Self::Internal(_) | Self::Keys(_) | Self::Bug(_) => "the server failed",
        }
    }

    /// HTTP status. Source: RFC 6749 section 5.2.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidClient { .. } => 401,
            Self::Internal(_) | Self::Keys(_) | Self::Bug(_) => 500,
            _ => 400,
        }
    }
}

/// How `/authorize` refuses. Source: RFC 6749 section 4.1.2.1.
///
/// Two roads that must not be confused. [`AuthorizeError::Told`] cannot be built without a
/// `VerifiedRedirect`, so there is no way to send a browser to an unchecked URL.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// Unknown app, foreign `redirect_uri`, a page that is over: tell the user on our own page,
    /// with these words.
    #[error("{0}")]
    Page(&'static str),
    /// Tell the app, the way that it asked for.
    #[error("{code}: {description}")]
    Told {
        /// Where and how.
        reply: Box<ReplyTo>,
        /// `error` of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6.
        code: &'static str,
        /// `error_description`: fixed text, never from input.
        description: &'static str,
    },
    /// Our fault: an error page.
    #[error("the server failed")]
    Internal(#[from] DbError),
    /// Our keys fail: an error page.
    #[error("the server failed")]
    Keys(#[from] KeyError),
    /// A state that we held impossible: an error page, and somebody should look.
    #[error("the server failed: {0}")]
    Bug(&'static str),
}
