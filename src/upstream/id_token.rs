//! What must be true of an ID token, without any I/O. Source: OpenID Connect Core section 3.1.3.7.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::base::secret::Digest;
use crate::keys::algorithm::{Algorithm, at_hash};
use crate::upstream::settings::{Oidc, TENANT};

/// How far another clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// How old a token may be that has just been made for us.
const AGE_MAX: TimeDelta = TimeDelta::minutes(10);
/// Longest name of a subject. Source: OpenID Connect Core section 2.
const SUBJECT_BYTES_MAX: usize = 255;

/// What a token is held against.
#[derive(Clone, Copy, Debug)]
pub(in crate::upstream) struct Expected<'a> {
    /// Whom we asked.
    pub(in crate::upstream) oidc: &'a Oidc,
    /// What only this sign-in knows.
    pub(in crate::upstream) nonce: &'a str,
    /// How it was signed, and the access token beside it.
    pub(in crate::upstream) beside: (Algorithm, Option<&'a str>),
    /// If the user had to sign in anew: since when.
    pub(in crate::upstream) anew_since: Option<DateTime<Utc>>,
    /// The current instant.
    pub(in crate::upstream) now: DateTime<Utc>,
}

/// Who it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::upstream) struct Said {
    /// Who says so.
    pub(in crate::upstream) issuer: String,
    /// Who it is.
    pub(in crate::upstream) subject: String,
}

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) enum Fault {
    /// It is not true, or not for us.
    Untrue(&'static str),
    /// It does not say that the user signed in anew.
    NotAnew,
}

/// Holds the claims of a token, whose signature was checked, against what was expected.
pub(in crate::upstream) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Said, Fault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or(Fault::Untrue("iss is missing"))?;
    check_issuer(expected.oidc, issuer, text("tid"))?;
    check_audience(claims, &expected.oidc.client_id)?;
    check_times(claims, expected.now)?;
    let nonce = text("nonce").unwrap_or_default();
    if Digest::of(nonce.as_bytes()) != Digest::of(expected.nonce.as_bytes()) {
        return Err(Fault::Untrue("nonce is another's"));
    }
    let (algorithm, access_token) = expected.beside;
    if let (Some(hash), Some(token)) = (claims.get("at_hash"), access_token)
        && hash.as_str() != Some(&at_hash(algorithm, token))
    {
        return Err(Fault::Untrue("at_hash is of another access token"));
    }
    if let Some(since) = expected.anew_since {
        let signed_in = time(claims, "auth_time")?.ok_or(Fault::NotAnew)?;
        if signed_in < since - SKEW {
            return Err(Fault::NotAnew);
        }
    }
    let subject = text("sub").unwrap_or_default();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || has_control(subject) {
        return Err(Fault::Untrue("sub is missing or malformed"));
    }
    Ok(Said { issuer: issuer.to_owned(), subject: subject.to_owned() })
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// Exactly the issuer; or, of a provider of many tenants, that of the tenant which the token names.
fn check_issuer(oidc: &Oidc, issuer: &str, tenant: Option<&str>) -> Result<(), Fault> {
    let other = Fault::Untrue("iss is another's");
    if !oidc.issuer.contains(TENANT) {
        return if issuer == oidc.issuer { Ok(()) } else { Err(other) };
    }
    let tenant = tenant.unwrap_or_default();
    let is_name = !tenant.is_empty()
        && tenant.len() <= 64
        && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_allowed = oidc.tenants.is_empty() || oidc.tenants.iter().any(|known| known == tenant);
    if is_name && is_allowed && issuer == oidc.issuer.replace(TENANT, tenant) {
        Ok(())
    } else {
        Err(other)
    }
}

fn check_audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), Fault> {
    let azp = claims.get("azp");
    let is_alone = match claims.get("aud") {
        Some(Value::String(aud)) if aud == client_id => true,
        Some(Value::Array(all)) if all.iter().any(|aud| aud == client_id) => all.len() == 1,
        _ => return Err(Fault::Untrue("aud is somebody else")),
    };
    match azp {
        Some(azp) if azp == client_id => Ok(()),
        None if is_alone => Ok(()),
        _ => Err(Fault::Untrue("azp is somebody else")),
    }
}

fn check_times(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), Fault> {
    let exp = time(claims, "exp")?.ok_or(Fault::Untrue("exp is missing"))?;
    let iat = time(claims, "iat")?.ok_or(Fault::Untrue("iat is missing"))?;
    if now >= exp + SKEW {
        return Err(Fault::Untrue("it is over"));
    }
    if iat > now + SKEW || time(claims, "nbf")?.is_some_and(|nbf| nbf > now + SKEW) {
        return Err(Fault::Untrue("it is from the future"));
    }
    if iat < now - AGE_MAX {
        return Err(Fault::Untrue("it was made long ago"));
    }
    Ok(())
}

/// A time in whole seconds since 1970, if it is there.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().filter(|seconds| (0..=253_402_300_799).contains(seconds));
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(Some).ok_or(Fault::Untrue("a time is malformed"))
}
