//! What stands in tokens, and what must stand in one that is shown to us. Without any I/O.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::apps::claims::{ClaimSource, CustomClaim};
use crate::base::id::{AccountId, AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::oauth::access_token::AccessToken;
use crate::oauth::binding::Binding;
use crate::users::model::User;

/// `typ` of access tokens. Source: RFC 9068 section 2.1.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// `typ` of ID tokens.
pub const ID_TOKEN_TYPE: &str = "JWT";
/// How far another clock may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// The claims of an access token. Source: RFC 9068 section 2.2, and the platform's own.
#[derive(Debug, Serialize)]
pub struct AccessClaims<'a> {
    /// The user, or the app itself.
    pub sub: &'a str,
    /// Always `access`.
    pub token_use: &'static str,
    /// What it may be used for.
    pub scope: String,
    /// When the user signed in, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How the user signed in.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub amr: &'a [String],
    /// How sure that is. Source: RFC 9068 section 2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
    /// This server.
    pub iss: &'a str,
    /// For whom it is: the resource API, which this server is, unless others are named.
    pub aud: Audience<'a>,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// Always 2.
    pub version: u8,
    /// Its name: the grant's number and randomness.
    pub jti: &'a str,
    /// The app it was issued to.
    pub client_id: &'a str,
    /// What the user signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    /// When the user is deleted, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<i64>,
    /// Whether userinfo has to look for claims that were asked for by name.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub claims_requested: bool,
    /// What it is bound to. Source: RFC 7800 section 3.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<&'a Binding>,
    /// Who acts for the user, through how many hands. Source: RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<&'a Value>,
    /// What it allows in detail. Source: RFC 9396 section 9.1.
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    pub authorization_details: &'a [Value],
    /// What the app was configured to get.
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

/// For whom an access token is. Source: RFC 7519 section 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience<'a> {
    /// One.
    One(&'a str),
    /// Several.
    Many(&'a [String]),
}

impl<'a> Audience<'a> {
    /// These; this server, if they are none.
    pub fn of(named: &'a [String], issuer: &'a str) -> Self {
        match named {
            [] => Self::One(issuer),
            [one] => Self::One(one),
            many => Self::Many(many),
        }
    }
}

/// The claims of an ID token. Source: OpenID Connect Core section 2.
#[derive(Debug, Serialize)]
pub struct IdClaims<'a> {
    /// This server.
    pub iss: &'a str,
    /// The user.
    pub sub: &'a str,
    /// The app.
    pub aud: &'a str,
    /// The app, again.
    pub azp: &'a str,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// When the user signed in.
    pub auth_time: i64,
    /// How.
    pub amr: &'a [String],
    /// How sure that is.
    pub acr: &'a str,
    /// The request's, unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<&'a str>,
    /// Ties it to the access token beside it.
    pub at_hash: String,
    /// The session, for logout.
    pub sid: String,
    /// Names the user to us alone, where `sub` names them to the app alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// What the app was configured to get.
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

/// The custom claims that `wanted` selects; a source that has no value gives no claim.
pub fn custom<'a>(
    claims: &[CustomClaim],
    wanted: impl Fn(&CustomClaim) -> bool,
    user: Option<&User>,
    member: impl Fn(&AccountId) -> Option<&'a Map<String, Value>>,
) -> Map<String, Value> {
    let mut found = Map::new();
    for claim in claims.iter().filter(|claim| wanted(claim)) {
        let value = match &claim.source {
            ClaimSource::Constant(value) => Some(value),
            ClaimSource::UserAttribute(name) => user.and_then(|user| user.attributes.get(name)),
            ClaimSource::MemberAttribute { account, attribute } => {
                member(account).and_then(|attributes| attributes.get(attribute))
            }
        };
        if let Some(value) = value {
            found.insert(claim.name.clone(), value.clone());
        }
    }
    found
}

/// Reads the claims of a token whose signature is ours as those of an access token.
///
/// # Errors
/// What is wrong with them, for our log. Source: RFC 9068 section 4, RFC 7519 section 4.1.
pub fn read_access(
    typ: Option<&str>,
    claims: &Map<String, Value>,
    issuer: &str,
    now: DateTime<Utc>,
) -> Result<AccessToken, &'static str> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    let typ = typ.ok_or("it has no type")?;
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    if !typ.eq_ignore_ascii_case(ACCESS_TOKEN_TYPE) || text("token_use") != Some("access") {
        return Err("it is not an access token");
    }
    if text("iss") != Some(issuer) {
        return Err("it is of another issuer");
    }
    let audience = audience(claims)?;
    let (iat, exp) = (instant(claims, "iat")?, instant(claims, "exp")?);
    if now >= exp {
        return Err("it has expired");
    }
    if iat > now + SKEW {
        return Err("it is from the future");
    }
    if claims.contains_key("nbf") && instant(claims, "nbf")? > now + SKEW {
        return Err("it is not good yet");
    }
    let client: AppId =
        text("client_id").and_then(|id| id.parse().ok()).ok_or("client_id is missing")?;
    let sub = text("sub").ok_or("sub is missing")?;
    let jti = text("jti").ok_or("jti is missing")?.to_owned();
    let grant = match jti.split_once('.') {
        Some((grant, _)) => Some(grant.parse::<GrantId>().map_err(|_| "jti is malformed")?),
        None => None,
    };
    let sub = match grant {
        Some(_) => Some(sub.parse::<UserId>().map_err(|_| "sub is malformed")?),
        None if sub == client.as_str() => None,
        None => return Err("a token without a grant is the app's own"),
    };
    Ok(AccessToken {
        sub,
        client,
        scope: scope(claims)?,
        auth_time: claims
            .contains_key("auth_time")
            .then(|| instant(claims, "auth_time"))
            .transpose()?,
        grant,
        jti,
        iat,
        exp,
        amr: texts(claims, "amr"),
        binding: binding(claims)?,
        claims_requested: claims.get("claims_requested") == Some(&Value::Bool(true)),
        audience,
        act: claims.get("act").cloned(),
        details: match claims.get("authorization_details") {
            Some(Value::Array(details)) => details.clone(),
            _ => Vec::new(),
        },
    })
}

/// Whether a JWT that we signed is an ID token: no other has both a session and an end.
/// Source: RFC 8725 section 3.12.
pub fn is_id_token(typ: Option<&str>, claims: &Map<String, Value>) -> bool {
    typ.is_none_or(|typ| typ.eq_ignore_ascii_case(ID_TOKEN_TYPE))
        && ["sub", "exp", "auth_time"].iter().all(|name| claims.contains_key(*name))
}

/// All that `aud` names.
fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, &'static str> {
    const MALFORMED: &str = "it is for another audience";
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) if !many.is_empty() => {
            many.iter().map(|one| one.as_str().map(str::to_owned).ok_or(MALFORMED)).collect()
        }
        _ => Err(MALFORMED),
    }
}

/// A `NumericDate`, which we only write as a whole number of seconds, and only read so.
fn instant(claims: &Map<String, Value>, name: &str) -> Result<DateTime<Utc>, &'static str> {
    claims
        .get(name)
        .and_then(Value::as_i64)
        .filter(|seconds| *seconds >= 0)
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or("a time is missing or malformed")
}

fn scope(claims: &Map<String, Value>) -> Result<Scope, &'static str> {
    let text = match claims.get("scope") {
        None => "",
        Some(value) => value.as_str().ok_or("scope is malformed")?,
    };
    Scope::parse(text).map_err(|_| "scope is malformed")
}

/// A confirmation that we do not understand is no reason to take the token for a bearer token.
fn binding(claims: &Map<String, Value>) -> Result<Option<Binding>, &'static str> {
    let Some(cnf) = claims.get("cnf") else { return Ok(None) };
    serde_json::from_value(cnf.clone()).map(Some).map_err(|_| "cnf is malformed")
}

fn texts(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    let array = claims.get(name).and_then(Value::as_array);
    array.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    /// A good access token, bent by `bend`, must be refused with a text that holds `expected`;
    /// empty for one that must be taken.
    #[track_caller]
    fn check(bend: impl FnOnce(&mut Map<String, Value>), expected: &str) {
        check_typ(Some("at+jwt"), bend, expected);
    }

    #[track_caller]
    fn check_typ(typ: Option<&str>, bend: impl FnOnce(&mut Map<String, Value>), expected: &str) {
        let Value::Object(mut claims) = json!({
            "iss": "https://id.example", "aud": "https://id.example", "sub": "u1",
            "client_id": "portal", "scope": "openid", "token_use": "access", "jti": "7.abc",
            "iat": NOW - 10, "exp": NOW + 10, "auth_time": NOW - 100, "amr": ["pwd"],
        }) else {
            panic!("an object")
        };
        bend(&mut claims);
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let outcome = read_access(typ, &claims, "https://id.example", now);
        assert_eq!(outcome.is_ok(), expected.is_empty(), "{outcome:?}");
        assert!(outcome.err().unwrap_or_default().contains(expected));
    }

    fn set(name: &'static str, value: Value) -> impl FnOnce(&mut Map<String, Value>) {
        move |claims| {
            claims.insert(name.to_owned(), value);
        }
    }

    #[test]
    fn rfc9068_4_a_good_token_is_read() {
        check(|_| (), "");
        check_typ(Some("application/at+JWT"), |_| (), "");
        check(set("aud", json!(["https://other.example", "https://id.example"])), "");
    }

    #[test]
    fn case_37_another_kind_of_token_is_not_an_access_token() {
        check_typ(None, |_| (), "no type");
        check_typ(Some("JWT"), |_| (), "not an access token");
        check_typ(Some("logout+jwt"), |_| (), "not an access token");
        check(set("token_use", json!("id")), "not an access token");
        check(set("iss", json!("https://id.example/")), "another issuer");
        check(set("sub", json!("portal")), "");
        check(set("jti", json!("abc")), "the app's own");
        check(set("jti", json!("07.abc")), "jti is malformed");
    }

    #[test]
    fn case_38_claims_of_the_wrong_type_are_refused() {
        for bad in [json!("1000010"), json!(1_000_010.5), json!(-1), json!(u64::MAX), Value::Null] {
            check(set("exp", bad.clone()), "a time is missing or malformed");
            check(set("iat", bad), "a time is missing or malformed");
        }
        check(set("exp", json!(i64::MAX)), "a time is missing or malformed");
        check(|claims| drop(claims.remove("exp")), "a time is missing or malformed");
        for bad in [json!(1), json!({}), json!([1]), Value::Null] {
            check(set("aud", bad.clone()), "another audience");
            check(set("scope", bad), "scope is malformed");
        }
    }

    #[test]
    fn case_78_a_token_ends_to_the_second_and_is_not_from_the_future() {
        check(set("exp", json!(NOW + 1)), "");
        check(set("exp", json!(NOW)), "expired");
        check(set("iat", json!(NOW + 60)), "");
        check(set("iat", json!(NOW + 61)), "from the future");
        check(set("nbf", json!(NOW + 60)), "");
        check(set("nbf", json!(NOW + 61)), "not good yet");
        check(set("nbf", json!("x")), "a time is missing or malformed");
    }
}
