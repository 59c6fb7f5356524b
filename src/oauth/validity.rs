//! When a JWT that somebody else made is good, and for whom.
//!
//! Clocks differ: what begins a few seconds from now is taken as begun, and nothing from further
//! ahead. Source: RFC 7519 section 4.1, RFC 8725 section 3, FAPI 2.0 Security Profile
//! section 5.3.2.1.

use serde_json::{Map, Value};

use crate::keys::error::TokenFault;

/// How far ahead the clock of others may be, in seconds.
const AHEAD_SECONDS_MAX: i64 = 30;
/// How long after its end something is still taken, in seconds.
pub(in crate::oauth) const LATE_SECONDS_MAX: i64 = 10;

/// The moments of a JWT, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) struct Validity {
    pub(in crate::oauth) exp: Option<i64>,
    pub(in crate::oauth) nbf: Option<i64>,
    pub(in crate::oauth) iat: Option<i64>,
}

impl Validity {
    /// Reads `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// [`TokenFault`] for one that is no whole number of seconds.
    pub(in crate::oauth) fn read(claims: &Map<String, Value>) -> Result<Self, TokenFault> {
        let moment = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(seconds) if seconds >= 0 => Ok(Some(seconds)),
                _ => Err(TokenFault("a time is no number of seconds")),
            },
        };
        Ok(Self { exp: moment("exp")?, nbf: moment("nbf")?, iat: moment("iat")? })
    }

    /// Whether it is good at `now`, as far as it says when it is.
    ///
    /// # Errors
    /// [`TokenFault`] for the first moment that speaks against it.
    pub(in crate::oauth) fn check(self, now: i64) -> Result<(), TokenFault> {
        let is_ahead = |moment: Option<i64>| {
            moment.is_some_and(|at| at > now.saturating_add(AHEAD_SECONDS_MAX))
        };
        if self.exp.is_some_and(|exp| now >= exp.saturating_add(LATE_SECONDS_MAX)) {
            return Err(TokenFault("it is over"));
        }
        if is_ahead(self.nbf) {
            return Err(TokenFault("it is not good yet"));
        }
        if is_ahead(self.iat) {
            return Err(TokenFault("it is from the future"));
        }
        Ok(())
    }
}

/// Whom a JWT is for: one text, or a list of texts.
///
/// # Errors
/// [`TokenFault`] for anything else, and for an empty list. Source: RFC 7519 section 4.1.3.
pub(in crate::oauth) fn audiences(claims: &Map<String, Value>) -> Result<Vec<&str>, TokenFault> {
    const BAD: TokenFault = TokenFault("aud is missing or malformed");
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) if !many.is_empty() => {
            many.iter().map(|one| one.as_str().ok_or(BAD)).collect()
        }
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn verdict(claims: &Value) -> Result<(), TokenFault> {
        Validity::read(claims.as_object().unwrap())?.check(1_000)
    }

    #[test]
    fn case_78_clocks_may_differ_by_seconds_not_by_minutes() {
        for good in [
            json!({}),
            json!({"exp": 991}),
            json!({"nbf": 1_010, "iat": 1_010}),
            json!({"exp": i64::MAX, "nbf": 0, "iat": 0}),
        ] {
            assert!(verdict(&good).is_ok(), "{good}");
        }
        for bad in [json!({"exp": 990}), json!({"nbf": 1_060}), json!({"iat": 1_060})] {
            assert!(verdict(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn case_38_moments_and_audiences_of_odd_types_are_refused() {
        for odd in
            [json!("1000"), json!(1e300), json!(1000.5), json!(-1), json!(u64::MAX), json!([])]
        {
            for name in ["exp", "nbf", "iat"] {
                assert!(verdict(&json!({ name: odd })).is_err(), "{name} {odd}");
            }
        }
        for odd in [json!(5), json!([]), json!([5]), json!({}), json!(null), json!(["a", 1])] {
            assert!(audiences(json!({"aud": odd}).as_object().unwrap()).is_err(), "{odd}");
        }
        assert_eq!(audiences(json!({"aud": ["a"]}).as_object().unwrap()), Ok(vec!["a"]));
    }

    proptest! {
        #[test]
        fn no_moment_overflows(exp in any::<i64>(), nbf in any::<i64>(), now in any::<i64>()) {
            let validity = Validity { exp: Some(exp), nbf: Some(nbf), iat: Some(nbf) };
            let _ = validity.check(now);
        }
    }
}
