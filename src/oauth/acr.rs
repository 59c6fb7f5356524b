//! How sure we are of a sign-in, said truthfully. Without any I/O.
//! Source: OpenID Connect Core sections 2, 3.1.2.1 and 5.5.1.1, RFC 9470 section 4.

use serde::{Deserialize, Serialize};

/// A password, or another single factor.
pub const ONE_FACTOR: &str = "urn:narthex:acr:1";
/// Two factors of different kinds.
pub const TWO_FACTORS: &str = "urn:narthex:acr:2";

/// Every value that we understand, and how many factors it asks for. The last is what research
/// and education call the same; its conditions are those of our second level.
pub const KNOWN: [(&str, u8); 3] =
    [(ONE_FACTOR, 1), (TWO_FACTORS, 2), ("https://refeds.org/profile/mfa", 2)];

/// Most values of one request.
pub const VALUES_MAX: usize = 16;

/// What an app asks of a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcrRequest {
    /// Values, the best first.
    pub values: Vec<String>,
    /// Whether nothing else will do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
}

/// How many kinds of factors were shown. Source: RFC 8176 section 2, NIST SP 800-63B section 4.2.
///
/// Two values are our own, for there are none in the registry: `fed`, another provider's word, and
/// `recovery`, a code from a list (a "look-up secret", something that one has). A key that says
/// `mfa` by itself has checked its user: it is held, and opened by a PIN or a finger. Another
/// provider's `mfa` is passed on only if the operator trusts it for that.
fn factors(amr: &[String]) -> u8 {
    const KNOWN: [&str; 3] = ["pwd", "pin", "fed"];
    const HELD: [&str; 7] = ["otp", "hwk", "swk", "sc", "sms", "pop", "recovery"];
    const KEYS: [&str; 2] = ["hwk", "swk"];
    let any = |of: &[&str]| amr.iter().any(|method| of.contains(&method.as_str()));
    let key_that_checks = any(&KEYS) && any(&["mfa"]);
    let vouched_for = any(&["fed"]) && any(&["mfa"]);
    u8::from(any(&KNOWN) || key_that_checks) + u8::from(any(&HELD) || vouched_for)
}

fn needed(value: &str) -> Option<u8> {
    KNOWN.iter().find(|(known, _)| *known == value).map(|(_, factors)| *factors)
}

/// Whether two factors of different kinds were shown.
pub fn is_two(amr: &[String]) -> bool {
    factors(amr) >= 2
}

/// The `acr` of a sign-in of which nothing special was asked.
pub fn of(amr: &[String]) -> &'static str {
    if is_two(amr) { TWO_FACTORS } else { ONE_FACTOR }
}

/// The `acr` to say of a sign-in: the best of the values asked for that is true, or else what is.
pub fn shown<'a>(amr: &[String], asked: Option<&'a AcrRequest>) -> &'a str {
    asked.and_then(|asked| asked.met_by(amr)).unwrap_or_else(|| of(amr))
}

impl AcrRequest {
    /// Reads `acr_values`: a wish, never a demand. Values that we do not know are wishes that we
    /// cannot grant.
    pub fn wish<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let values: Vec<String> =
            values.filter(|value| !value.is_empty()).take(VALUES_MAX).map(str::to_owned).collect();
        (!values.is_empty()).then_some(Self { values, essential: false })
    }

    /// The best value that a sign-in meets.
    pub fn met_by(&self, amr: &[String]) -> Option<&str> {
        let shown = factors(amr);
        let is_met = |value: &&String| needed(value).is_some_and(|needed| shown >= needed);
        self.values.iter().find(is_met).map(String::as_str)
    }

    /// Whether nothing less than two factors will do.
    pub fn demands_second(&self) -> bool {
        let needs_two = |value: &String| needed(value).is_none_or(|needed| needed >= 2);
        self.essential && self.can_be_met() && self.values.iter().all(needs_two)
    }

    /// Whether any sign-in here could meet it.
    pub fn can_be_met(&self) -> bool {
        self.values.iter().any(|value| needed(value).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amr(methods: &[&str]) -> Vec<String> {
        methods.iter().map(|method| (*method).to_owned()).collect()
    }

    fn asked(values: &[&str]) -> AcrRequest {
        AcrRequest::wish(values.iter().copied()).unwrap()
    }

    #[test]
    fn acr_says_no_more_than_was_shown() {
        assert_eq!(of(&amr(&["pwd"])), ONE_FACTOR);
        assert_eq!(of(&amr(&["pwd", "otp", "mfa"])), TWO_FACTORS);
        assert_eq!(of(&amr(&["otp", "hwk"])), ONE_FACTOR);
        assert_eq!(of(&amr(&["mfa"])), ONE_FACTOR);
        assert_eq!(of(&amr(&["hwk", "user"])), ONE_FACTOR);
        assert_eq!(of(&amr(&["swk", "user", "mfa"])), TWO_FACTORS);
        assert_eq!(of(&amr(&["pwd", "recovery", "mfa"])), TWO_FACTORS);
        assert_eq!(of(&amr(&["fed"])), ONE_FACTOR);
        assert_eq!(of(&[]), ONE_FACTOR);
    }

    #[test]
    fn the_best_value_that_is_true_is_told() {
        let two = amr(&["pwd", "otp"]);
        assert_eq!(shown(&two, Some(&asked(&["x", ONE_FACTOR, TWO_FACTORS]))), ONE_FACTOR);
        assert_eq!(shown(&two, Some(&asked(&["https://refeds.org/profile/mfa"]))), KNOWN[2].0);
        assert_eq!(shown(&amr(&["pwd"]), Some(&asked(&[TWO_FACTORS]))), ONE_FACTOR);
        assert_eq!(shown(&two, Some(&asked(&["0", "1"]))), TWO_FACTORS);
        assert_eq!(shown(&two, None), TWO_FACTORS);
        assert!(!asked(&["0", "1"]).can_be_met() && asked(&["0", ONE_FACTOR]).can_be_met());
        assert_eq!(AcrRequest::wish(["", ""].into_iter()), None);
        let essential = |values| AcrRequest { essential: true, ..asked(values) };
        assert!(essential(&[TWO_FACTORS]).demands_second());
        assert!(essential(&["x", TWO_FACTORS]).demands_second());
        assert!(!essential(&[ONE_FACTOR, TWO_FACTORS]).demands_second());
        assert!(!essential(&["x"]).demands_second() && !asked(&[TWO_FACTORS]).demands_second());
    }
}
