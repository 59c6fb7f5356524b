//! What must be true of an access token, without any I/O. Source: RFC 9068 section 4.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::base::scope::Scope;

/// How far another clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Longest name of a subject or an app, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Somebody whose token was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The user; `None` for an app that acts for itself.
    pub user: Option<String>,
    /// The app.
    pub client: String,
    /// What the token may be used for.
    pub scope: Scope,
    /// All that the token says.
    pub claims: Map<String, Value>,
}

/// Holds claims, whose signature was checked, against what is expected.
///
/// # Errors
/// What is wrong, for a log.
pub(in crate::resource) fn check(
    claims: Map<String, Value>,
    (issuer, audience): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Verified, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Err("it is of another issuer");
    }
    let is_ours = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(all)) => all.iter().any(|one| one == audience),
        _ => false,
    };
    if !is_ours {
        return Err("it is for another audience");
    }
    let exp = time(&claims, "exp")?.ok_or("exp is missing")?;
    let iat = time(&claims, "iat")?.ok_or("iat is missing")?;
    if now >= exp {
        return Err("it has expired");
    }
    if iat > now + SKEW || time(&claims, "nbf")?.is_some_and(|nbf| nbf > now + SKEW) {
        return Err("it is from the future");
    }
    if claims.contains_key("cnf") {
        return Err("it is bound to a key");
    }
    let name = |name: &'static str| {
        text(name).filter(|text| !text.is_empty() && text.len() <= NAME_BYTES_MAX)
    };
    let client = name("client_id").ok_or("client_id is missing")?.to_owned();
    let subject = name("sub").ok_or("sub is missing")?;
    let scope = Scope::parse(text("scope").unwrap_or_default()).map_err(|_| "bad scope")?;
    let user = (subject != client).then(|| subject.to_owned());
    Ok(Verified { user, client, scope, claims })
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<DateTime<Utc>>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().filter(|seconds| (0..=253_402_300_799).contains(seconds));
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(Some).ok_or("a time is malformed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::clock::from_micros;

    #[track_caller]
    fn held(bend: impl FnOnce(&mut Value)) -> Result<Verified, &'static str> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": ["https://a.example", "https://files.example"],
            "sub": "u1", "client_id": "portal", "scope": "a b", "iat": 900, "exp": 1100,
        });
        bend(&mut claims);
        let Value::Object(claims) = claims else { panic!("an object") };
        let expected = ("https://id.example", "https://files.example");
        check(claims, expected, from_micros(1_000_000_000))
    }

    #[test]
    fn case_69_issuer_audience_and_times_are_checked() {
        type Bend = fn(&mut Value);
        let good = held(|_| ()).unwrap();
        assert_eq!((good.user.as_deref(), good.client.as_str()), (Some("u1"), "portal"));
        assert_eq!(held(|claims| claims["sub"] = "portal".into()).unwrap().user, None);
        let bends: [Bend; 12] = [
            |claims| claims["iss"] = "https://id.example/".into(),
            |claims| claims["aud"] = "https://id.example".into(),
            |claims| claims["aud"] = Value::Null,
            |claims| claims["exp"] = 1000.into(),
            |claims| claims["exp"] = "1100".into(),
            |claims| claims["exp"] = Value::Null,
            |claims| claims["iat"] = 1061.into(),
            |claims| claims["nbf"] = 1061.into(),
            |claims| claims["cnf"] = json!({"jkt": "x"}),
            |claims| claims["sub"] = "".into(),
            |claims| claims["client_id"] = Value::Null,
            |claims| claims["scope"] = "a\"b".into(),
        ];
        for bend in bends {
            assert!(held(bend).is_err());
        }
    }
}
