//! A sign-in that is complete.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::base::id::{ProviderId, UserId};
use crate::base::secret::Digest;

/// A complete sign-in: every factor that the user has was shown. What the protocol is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub user: UserId,
    /// When the last factor was shown: `auth_time`.
    pub auth_time: DateTime<Utc>,
    /// How: `amr`. Source: RFC 8176 section 2.
    pub amr: Vec<String>,
    /// The provider that they came from, if it was not here that they showed who they are.
    pub provider: Option<ProviderId>,
    /// The session that it lives in: the same while the same user signs in again in it.
    pub session: Digest,
    /// What the session is stored by: another one after each sign-in.
    pub key: Digest,
}

/// Where a guess comes from, for throttling.
#[derive(Clone, Debug)]
pub struct Source {
    /// The client's address.
    pub ip: IpAddr,
    /// The browser's own cookie, as a digest.
    pub browser: Digest,
    /// The marks that this browser holds of earlier sign-ins, see [`crate::users::device`].
    pub marks: Vec<Digest>,
}
