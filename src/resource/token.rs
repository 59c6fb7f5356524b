//! Checking access tokens by the published keys. Source: RFC 9068 section 4.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::base::clock::Clock;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::keys::published::{Slot, Want, ask};
use crate::outbound::Outbound;
pub use crate::resource::token_checks::Verified;
use crate::resource::token_checks::check;

/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) enum BadToken {
    /// It is not good. For our log.
    Invalid(&'static str),
    /// The keys cannot be had.
    Unknown,
}

/// Checks tokens of one issuer for one audience. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::resource) struct Verifier {
    pub(in crate::resource) issuer: Arc<str>,
    pub(in crate::resource) audience: Arc<str>,
    pub(in crate::resource) keys_url: Arc<str>,
    pub(in crate::resource) outbound: Outbound,
    pub(in crate::resource) clock: Arc<dyn Clock>,
    pub(in crate::resource) keys: Arc<Mutex<Slot>>,
}

impl Verifier {
    pub(in crate::resource) async fn verify(&self, token: &str) -> Result<Verified, BadToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken::Invalid("it is too long"));
        }
        let jws = Jws::parse(token).map_err(|TokenFault(why)| BadToken::Invalid(why))?;
        if !jws.is_typed("at+jwt") {
            return Err(BadToken::Invalid("it is no access token"));
        }
        let kid = jws.header_text("kid").ok_or(BadToken::Invalid("it names no key"))?;
        let now = self.clock.now();
        let ours = (&self.outbound, now);
        let held = ask(ours, &self.keys_url, Arc::clone(&self.keys), Want::Kid(kid)).await;
        let held = held.map_err(|_| BadToken::Unknown)?;
        let claims = jws.verify(&held.signing, &Algorithm::ALL);
        let claims = claims.map_err(|TokenFault(why)| BadToken::Invalid(why))?;
        check(claims, (&self.issuer, &self.audience), now).map_err(BadToken::Invalid)
    }
}
