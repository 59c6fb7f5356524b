//! Proof Key for Code Exchange, method S256 only. Source: RFC 7636.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::base::secret::{Digest, Secret};

/// What an app commits to at `/authorize`: SHA-256 of a verifier that only it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Challenge(Digest);

/// Why a challenge or a verifier is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPkce {
    /// `plain`, or none named (which means `plain`).
    #[error("code_challenge_method must be S256")]
    Method,
    /// Not 43 characters of base64url.
    #[error("code_challenge is malformed")]
    Challenge,
    /// Not 43 to 128 unreserved characters. Source: RFC 7636 section 4.1.
    #[error("code_verifier is malformed")]
    Verifier,
}

impl BadPkce {
    /// What to tell the client.
    pub fn description(self) -> &'static str {
        match self {
            Self::Method => "code_challenge_method must be S256",
            Self::Challenge => "code_challenge is malformed",
            Self::Verifier => "code_verifier is malformed",
        }
    }
}

impl Challenge {
    /// Parses `code_challenge` and `code_challenge_method` of an authorization request.
    ///
    /// # Errors
    /// [`BadPkce::Method`] unless the method is S256, [`BadPkce::Challenge`] if it is malformed.
    /// Source: RFC 7636 section 4.2, RFC 9700 section 2.1.1.
    pub fn parse(method: Option<&str>, text: &str) -> Result<Self, BadPkce> {
        if method != Some("S256") {
            return Err(BadPkce::Method);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadPkce::Challenge)?;
        Digest::from_slice(&bytes).map(Self).ok_or(BadPkce::Challenge)
    }

    /// Whether `verifier` is the one that was committed to. Source: RFC 7636 section 4.6.
    pub fn is_answered_by(&self, verifier: &Verifier) -> bool {
        self.0 == verifier.0.digest()
    }
}

impl TryFrom<String> for Challenge {
    type Error = BadPkce;

    fn try_from(text: String) -> Result<Self, BadPkce> {
        Self::parse(Some("S256"), &text)
    }
}

impl From<Challenge> for String {
    fn from(challenge: Challenge) -> Self {
        URL_SAFE_NO_PAD.encode(challenge.0.0)
    }
}

/// What an app proves itself with at `/token`.
#[derive(Clone, Debug)]
pub struct Verifier(Secret);

impl Verifier {
    /// Parses `code_verifier`.
    ///
    /// # Errors
    /// [`BadPkce::Verifier`] outside 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Result<Self, BadPkce> {
        let unreserved =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::presented(text)))
        } else {
            Err(BadPkce::Verifier)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc7636_appendix_b_the_example_matches() {
        let challenge = Challenge::parse(Some("S256"), CHALLENGE).unwrap();

        assert!(challenge.is_answered_by(&Verifier::parse(VERIFIER).unwrap()));
        assert!(!challenge.is_answered_by(&Verifier::parse(&"x".repeat(43)).unwrap()));
        assert_eq!(String::from(challenge), CHALLENGE);
    }

    #[test]
    fn case_22_plain_and_malformed_pkce_are_refused() {
        assert_eq!(Challenge::parse(None, CHALLENGE), Err(BadPkce::Method));
        assert_eq!(Challenge::parse(Some("plain"), CHALLENGE), Err(BadPkce::Method));
        assert_eq!(Challenge::parse(Some("s256"), CHALLENGE), Err(BadPkce::Method));
        for bad in ["", "abc", &CHALLENGE[1..], &format!("{CHALLENGE}="), &"+".repeat(43)] {
            assert_eq!(Challenge::parse(Some("S256"), bad), Err(BadPkce::Challenge), "{bad}");
        }
        for bad in ["", &"x".repeat(42), &"x".repeat(129), &format!("{VERIFIER}+"), &"ä".repeat(43)]
        {
            assert!(Verifier::parse(bad).is_err(), "{bad}");
        }
    }
}
