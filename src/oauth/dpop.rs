//! Proofs that a client holds a key, without any I/O. Source: RFC 9449.

pub mod accept;
pub(in crate::oauth) mod nonce;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use url::Url;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::apps::model::App;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::keys::algorithm::Algorithm;
use crate::keys::foreign::{Jws, PublicKey};

/// `typ` of proofs. Source: RFC 9449 section 4.2.
pub const PROOF_TYPE: &str = "dpop+jwt";
/// Longest proof that is looked at, in bytes.
const PROOF_BYTES_MAX: usize = 8 * 1024;
/// Longest name of a proof, in bytes.
const NAME_BYTES_MAX: usize = 1024;
/// How far `iat` may be from our clock, either way.
const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// Why a proof is refused.
#[derive(Debug, thiserror::Error)]
pub enum DpopFault {
    /// It proves nothing.
    #[error("the DPoP proof is invalid: {0}")]
    Invalid(&'static str),
    /// It needs this nonce of ours. Source: RFC 9449 section 8.
    #[error("the DPoP proof needs a nonce of this server")]
    Nonce(String),
    /// We could not find out.
    #[error("the DPoP proof could not be checked")]
    Internal(#[from] DbError),
}

/// The algorithms that an app may sign its proofs with. Source: FAPI 2.0 Security Profile
/// section 5.4.1.
pub fn algorithms(app: &App) -> &'static [Algorithm] {
    match app.metadata.profile {
        None => &Algorithm::ALL,
        Some(_) => &[Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA],
    }
}

/// The request that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) struct Target<'a> {
    pub(in crate::oauth) method: &'a str,
    /// As it is published; query and fragment are not looked at.
    pub(in crate::oauth) url: &'a str,
    /// As it is published for clients with certificates. Source: RFC 8705 section 5.
    pub(in crate::oauth) alias: Option<&'a str>,
    /// The access token that comes with it, at a resource.
    pub(in crate::oauth) token: Option<&'a str>,
}

/// A proof that is signed by its own key and for this request; whether it is fresh is another
/// question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::oauth) struct Proof {
    /// The thumbprint of the key.
    pub(in crate::oauth) key: String,
    /// Its name: `jti`.
    pub(in crate::oauth) name: String,
    /// The nonce of ours that it claims to hold.
    pub(in crate::oauth) nonce: Option<String>,
    issued_at: DateTime<Utc>,
    not_before: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl Proof {
    /// Reads a proof and checks all of it that needs neither time nor storage.
    ///
    /// # Errors
    /// What is wrong with it. Source: RFC 9449 section 4.3.
    pub(in crate::oauth) fn read(
        text: &str,
        target: &Target<'_>,
        algorithms: &[Algorithm],
    ) -> Result<Self, &'static str> {
        if text.len() > PROOF_BYTES_MAX {
            return Err("it is too long");
        }
        let jws = Jws::parse(text).map_err(|_| "it is not a compact JWS")?;
        if !jws.is_typed(PROOF_TYPE) {
            return Err("typ must be dpop+jwt");
        }
        let algorithm = jws
            .algorithm()
            .filter(|algorithm| algorithms.contains(algorithm))
            .ok_or("alg is not allowed")?;
        let jwk = jws.header.get("jwk").ok_or("jwk is missing")?;
        let key = PublicKey::from_jwk(jwk).map_err(|bad| bad.0)?;
        if !jws.is_signed_by(&key, algorithm) {
            return Err("its key does not verify it");
        }
        let claims = &jws.unverified;
        if text_of(claims, "htm")? != target.method {
            return Err("htm is another method");
        }
        let htu = text_of(claims, "htu")?;
        let mut published = [Some(target.url), target.alias].into_iter().flatten();
        if !published.any(|url| is_same_resource(htu, url)) {
            return Err("htu is another URL");
        }
        if let Some(token) = target.token
            && text_of(claims, "ath")? != token_hash(token)
        {
            return Err("ath is the hash of another access token");
        }
        let name = text_of(claims, "jti")?;
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err("jti is empty or too long");
        }
        Ok(Self {
            key: key.thumbprint().to_owned(),
            name: name.to_owned(),
            nonce: claims
                .get("nonce")
                .map(|_| text_of(claims, "nonce"))
                .transpose()?
                .map(Into::into),
            issued_at: instant(claims, "iat")?.ok_or("iat is missing")?,
            not_before: instant(claims, "nbf")?,
            expires_at: instant(claims, "exp")?,
        })
    }

    /// Until when its name must be remembered, if it is fresh. A nonce of ours says when it was
    /// made better than the clock of a client does. Source: RFC 9449 section 4.3, item 11.
    ///
    /// # Errors
    /// If it is too old, or from the future.
    pub(in crate::oauth) fn memorable_until(
        &self,
        now: DateTime<Utc>,
        nonce_is_ours: bool,
    ) -> Result<DateTime<Utc>, &'static str> {
        let in_window = self.issued_at <= now + WINDOW && self.issued_at >= now - WINDOW;
        if !nonce_is_ours && !in_window {
            return Err("iat is too far from now");
        }
        if self.not_before.is_some_and(|at| at > now + WINDOW) {
            return Err("it is not good yet");
        }
        if self.expires_at.is_some_and(|at| at + WINDOW <= now) {
            return Err("it has expired");
        }
        Ok(if nonce_is_ours { now + nonce::LIFETIME } else { self.issued_at + WINDOW + WINDOW })
    }
}

/// Whether a text has the shape of a thumbprint: `dpop_jkt`. Source: RFC 9449 section 10.
pub fn is_thumbprint(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// `ath`. Source: RFC 9449 section 4.2.
fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(token.as_bytes()).0)
}

/// Whether two URLs name one resource, after normalization and without query and fragment.
/// Source: RFC 9449 section 4.3, item 9; RFC 3986 sections 6.2.2 and 6.2.3.
fn is_same_resource(htu: &str, url: &str) -> bool {
    let (Ok(htu), Ok(url)) = (Url::parse(htu), Url::parse(url)) else { return false };
    let origin = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
    htu.username().is_empty()
        && htu.password().is_none()
        && origin(&htu) == origin(&url)
        && htu.host() == url.host()
        && htu.path() == url.path()
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, &'static str> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or("htm, htu, jti, ath or nonce is missing or not text")
}

fn instant(claims: &Map<String, Value>, name: &str) -> Result<Option<DateTime<Utc>>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    value
        .as_i64()
        .filter(|seconds| (0..=0xFFFF_FFFF_FFFF).contains(seconds))
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map(Some)
        .ok_or("iat, nbf or exp is not a time")
}

#[cfg(test)]
mod tests;
