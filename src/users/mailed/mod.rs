//! What people do with links that are mailed to them: sign up, set another password, prove an
//! address, take a change back.
//!
//! A link holds a one-time secret of [`crate::once`] and is built from the issuer alone. To open it
//! changes nothing, because whoever scans mail opens links; a button does. Whatever a stranger asks
//! for with somebody's address is a job of the queue: the request that asks is answered before
//! anybody looks whether there is such a user, so neither its answer nor its time tells.

pub mod code;
pub mod device;
pub mod email;
pub mod invitation;
pub mod password;
pub mod reset;
pub mod sign_up;
pub mod sign_up_code;
pub mod wish;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::base::id::GrantId;
use crate::base::secret::{Digest, Secret};
use crate::base::text::BadText;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::users::chosen::Weakness;
use crate::users::error::{ChooseError, SignInError, UserError};
use crate::users::service::Users;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// How long somebody may take to sign up.
pub const SIGN_UP_TTL: TimeDelta = TimeDelta::hours(24);
/// How long an invitation is good.
pub const INVITATION_TTL: TimeDelta = TimeDelta::days(7);
/// How long somebody may take to set another password. Source: NIST SP 800-63B section 6.1.2.3
/// allows ten minutes by text message and a day by mail.
pub const RESET_TTL: TimeDelta = TimeDelta::minutes(30);
/// How long somebody may take to prove an address.
pub const EMAIL_TTL: TimeDelta = TimeDelta::hours(24);
/// How long a change of address can be taken back from the old one.
pub const EMAIL_BACK_TTL: TimeDelta = TimeDelta::days(7);

const ADDRESS_PURPOSE: &str = "users: address";

/// Where somebody was when they asked for a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The browser.
    pub browser: Digest,
    /// The number of the authorization that goes on afterwards.
    pub grant: Option<i64>,
    /// The language of the page.
    pub language: Language,
}

impl Begun {
    /// The authorization, for the browser that it was begun in.
    pub fn grant_for(&self, browser: Digest) -> Option<GrantId> {
        self.grant.filter(|_| self.browser == browser).map(GrantId)
    }
}

/// Why a step with a mailed link, or towards one, is refused.
#[derive(Debug, thiserror::Error)]
pub enum MailedError {
    /// The link is over, was used, is void, or never was one.
    #[error("the link is over")]
    Over,
    /// This browser is not the one that asked, and the password is wrong.
    #[error("the password is wrong")]
    Wrong,
    /// Too many attempts, or too many letters.
    #[error("too many attempts")]
    Throttled {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Too many passwords are being hashed.
    #[error("too many passwords are being checked")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Somebody signs in with the address meanwhile.
    #[error("somebody signs in with this address")]
    Taken,
    /// The password that was chosen is too weak.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Letters cannot go to the address.
    #[error("not an e-mail address")]
    Address,
    /// The name breaks a rule of text.
    #[error("name {0}")]
    Name(BadText),
    /// Our fault.
    #[error("the step failed")]
    Internal(#[from] DbError),
}

impl From<ChooseError> for MailedError {
    fn from(error: ChooseError) -> Self {
        match error {
            ChooseError::Weak(weakness) => Self::Weak(weakness),
            ChooseError::Busy { retry_after_seconds } => Self::Busy { retry_after_seconds },
            ChooseError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<SignInError> for MailedError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::Wrong,
            SignInError::Throttled { retry_after_seconds } => {
                Self::Throttled { retry_after_seconds }
            }
            SignInError::Busy { retry_after_seconds } => Self::Busy { retry_after_seconds },
            SignInError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<UserError> for MailedError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::DuplicateUsername | UserError::DuplicateEmail => Self::Taken,
            UserError::Invalid { field: "name", rule } => Self::Name(rule),
            UserError::Busy { retry_after_seconds } => Self::Busy { retry_after_seconds },
            UserError::Internal(error) => Self::Internal(error),
            // An address that is no name, or a user who is gone.
            _ => Self::Over,
        }
    }
}

/// Who a letter goes to, and in which language.
pub(in crate::users) struct To<'a> {
    pub(in crate::users) address: &'a str,
    pub(in crate::users) language: Language,
}

impl Users {
    /// Posts a letter in the unit of work of the act that it tells of.
    pub(in crate::users) async fn post(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        to: To<'_>,
        values: Vec<(&'static str, String)>,
        link: Option<String>,
    ) -> Result<(), DbError> {
        let (to, language) = (to.address.to_owned(), to.language);
        post(tx, &self.0.ctx, &self.0.vault, &Letter { to, language, kind, values, link }).await
    }

    /// A link of a letter: the issuer, a path of ours, the secret.
    pub(in crate::users) fn link(&self, path: &str, secret: &Secret) -> String {
        self.0.issuer.url(&format!("{path}?token={}", secret.reveal()))
    }

    /// What an address without user is known by in the table of one-time secrets.
    pub(in crate::users) fn subject(&self, key: &UsernameKey) -> Digest {
        self.0.vault.mac(ADDRESS_PURPOSE, &[key.as_str().as_bytes()])
    }
}
