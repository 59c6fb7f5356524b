//! A private key that somebody else gave us, to sign in their way.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::keys::algorithm::Algorithm;
use crate::keys::error::KeyError;
use crate::keys::pair::Pair;

/// A key on P-256.
#[derive(Debug)]
pub struct GivenKey(Pair);

impl GivenKey {
    /// Reads a private key in PEM. Source: RFC 7468 section 10, RFC 5208.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for anything but PKCS#8 with a key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let unusable = KeyError::Unusable("it is no P-256 key in PEM");
        let inner = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"));
        let Some(inner) = inner else { return Err(unusable) };
        let text: Zeroizing<String> = Zeroizing::new(inner.split_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| unusable)?);
        Pair::parse(Algorithm::ES256, &der).map(Self)
    }

    /// A compact JWS by this key, under the name that its giver knows it by. Source: RFC 7515
    /// section 7.1.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if the library fails.
    pub fn sign(&self, kid: &str, claims: &Value) -> Result<String, KeyError> {
        let header = json!({ "alg": "ES256", "kid": kid });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let body = format!("{}.{}", part(&header), part(claims));
        let signature = self.0.sign(body.as_bytes());
        let signature = signature.ok_or_else(|| KeyError::Sign("the library fails".to_owned()))?;
        Ok(format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;
    use crate::keys::foreign::{Jws, KeySet};
    use crate::keys::pair::generate;

    #[test]
    fn a_key_in_pem_signs_what_its_public_half_verifies() {
        let der = generate(Algorithm::ES256, 0, &OsEntropy::default()).unwrap();
        let body = STANDARD.encode(&*der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let key = GivenKey::from_pem(&pem).unwrap();

        let token = key.sign("k1", &json!({ "iss": "team" })).unwrap();

        let mut jwk = Pair::parse(Algorithm::ES256, &der).unwrap().jwk().clone();
        jwk["kid"] = "k1".into();
        let set = KeySet::from_json(&json!({ "keys": [jwk] })).unwrap();
        let claims = Jws::parse(&token).unwrap().verify(&set, &[Algorithm::ES256]).unwrap();
        assert_eq!(claims["iss"], "team");
        for bad in ["", "x", "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"] {
            assert!(GivenKey::from_pem(bad).is_err(), "{bad}");
        }
    }
}
