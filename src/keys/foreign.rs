//! What others signed: their public keys as JWK, their signatures as compact JWS.
//!
//! Used for client assertions, request objects, DPoP proofs and upstream tokens. Everything that
//! a header could talk us into is refused before a key is looked at; which key verifies is the
//! caller's decision, never the token's. Source: RFC 7515, RFC 7517, RFC 8725 section 3.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::base::secret::Secret;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::TokenFault;
use crate::keys::pair::thumbprint;

/// Longest token that is looked at, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Most keys of one set.
pub const KEYS_MAX: usize = 64;

/// A public key of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kid: Option<String>,
    only: Option<Algorithm>,
    material: Material,
    thumbprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point on P-256.
    Ec(Vec<u8>),
    Ed(Vec<u8>),
}

/// Why a JWK is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(pub &'static str);

impl PublicKey {
    /// Reads a public JWK. Source: RFC 7518 section 6, RFC 8037 section 2.
    ///
    /// # Errors
    /// [`BadKey`] for anything but RSA of at least 2,048 bits, P-256 and Ed25519, and for a key
    /// that has its private half with it.
    pub fn from_jwk(jwk: &Value) -> Result<Self, BadKey> {
        let Value::Object(jwk) = jwk else { return Err(BadKey("must be an object")) };
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name))
        {
            return Err(BadKey("must not hold a private key"));
        }
        let (material, members) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let (Some(n), Some(e)) = (bytes("n"), bytes("e")) else {
                    return Err(BadKey("n or e is missing or malformed"));
                };
                let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
                if !(256..=1024).contains(&n.len()) {
                    return Err(BadKey("an RSA key must have 2048 to 8192 bits"));
                }
                (Material::Rsa { n, e }, &["e", "kty", "n"][..])
            }
            (Some("EC"), Some("P-256")) => {
                let (Some(x), Some(y)) = (bytes("x"), bytes("y")) else {
                    return Err(BadKey("x or y is missing or malformed"));
                };
                if x.len() != 32 || y.len() != 32 {
                    return Err(BadKey("x and y must have 32 bytes"));
                }
                (Material::Ec([&[4][..], &x, &y].concat()), &["crv", "kty", "x", "y"][..])
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = bytes("x").filter(|x| x.len() == 32);
                (Material::Ed(x.ok_or(BadKey("x must have 32 bytes"))?), &["crv", "kty", "x"][..])
            }
            _ => return Err(BadKey("must be RSA, EC on P-256 or OKP on Ed25519")),
        };
        let members: Map<String, Value> = members
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), jwk.get(*name)?.clone())))
            .collect();
        Ok(Self {
            kid: text("kid").map(str::to_owned),
            only: match text("alg") {
                Some(name) => Some(name.parse().map_err(|_| BadKey("alg is not supported"))?),
                None => None,
            },
            material,
            thumbprint: thumbprint(&Value::Object(members)),
        })
    }

    /// Its name in its set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its thumbprint: `jkt`. Source: RFC 7638 section 3.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether it can verify `algorithm`.
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        self.only.is_none_or(|only| only == algorithm)
            && matches!(
                (&self.material, algorithm),
                (Material::Rsa { .. }, Algorithm::RS256 | Algorithm::PS256)
                    | (Material::Ec(_), Algorithm::ES256)
                    | (Material::Ed(_), Algorithm::EdDSA)
            )
    }

    /// Whether `signature` over `message` is by this key with `algorithm`.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa { n, e } => {
                let parameters = match algorithm {
                    Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
                    _ => &RSA_PSS_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            Material::Ec(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            Material::Ed(x) => {
                UnparsedPublicKey::new(&ED25519, x).verify(message, signature).is_ok()
            }
        }
    }
}

/// A JWK set of somebody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Arc<PublicKey>>);

impl KeySet {
    /// Reads a JWK set. Keys that we have no use for are passed over. Source: RFC 7517 section 5.
    ///
    /// # Errors
    /// [`BadKey`] if it is no JWK set, is too large, or holds a private key.
    pub fn from_json(set: &Value) -> Result<Self, BadKey> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(BadKey("keys is missing"))?;
        if keys.len() > KEYS_MAX {
            return Err(BadKey("there are too many keys"));
        }
        let mut found = Vec::new();
        for jwk in keys {
            if jwk.get("use").and_then(Value::as_str).is_some_and(|usage| usage != "sig") {
                continue;
            }
            match PublicKey::from_jwk(jwk) {
                Ok(key) => found.push(Arc::new(key)),
                Err(bad) if bad == BadKey("must not hold a private key") => return Err(bad),
                Err(_) => {}
            }
        }
        Ok(Self(found))
    }

    /// Whether there is no key in it that we could use.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of its keys has this name.
    pub fn has(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid() == Some(kid))
    }

    /// The keys that may have made a signature with `algorithm`: those of that name, or all if
    /// the token names none. Two keys may share a name if their types differ.
    pub fn candidates(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> impl Iterator<Item = &PublicKey> {
        self.0
            .iter()
            .map(Arc::as_ref)
            .filter(move |key| key.is_for(algorithm) && (kid.is_none() || key.kid() == kid))
    }
}

/// A compact JWS, taken apart but not verified.
#[derive(Clone, Debug)]
pub struct Jws<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    /// The protected header.
    pub header: Map<String, Value>,
    /// The claims. Nobody has vouched for them yet.
    pub unverified: Map<String, Value>,
}

impl<'a> Jws<'a> {
    /// Takes a compact JWS apart, strictly. Source: RFC 7515 section 5.2.
    ///
    /// # Errors
    /// [`TokenFault`], for our log.
    pub fn parse(token: &'a str) -> Result<Self, TokenFault> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault("too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault("not a compact JWS"))?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault("not a compact JWS"))?;
        if payload.contains('.') {
            return Err(TokenFault("not a compact JWS"));
        }
        let object = |part: &str| -> Option<Map<String, Value>> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let header = object(header).ok_or(TokenFault("header is malformed"))?;
        if ["crit", "zip", "enc", "b64"].iter().any(|name| header.contains_key(*name)) {
            return Err(TokenFault("header asks for what is not supported"));
        }
        Ok(Self {
            signed,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| TokenFault("signature is malformed"))?,
            header,
            unverified: object(payload).ok_or(TokenFault("payload is malformed"))?,
        })
    }

    /// A member of the header that is text.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// `alg`, if it is one with public keys that we know.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.header_text("alg")?.parse().ok()
    }

    /// Whether `typ` is `expected`, with or without `application/`. Source: RFC 7515
    /// section 4.1.9.
    pub fn is_typed(&self, expected: &str) -> bool {
        self.header_text("typ").is_some_and(|typ| {
            let bare = typ.get(..12).filter(|head| head.eq_ignore_ascii_case("application/"));
            let typ = bare.map_or(typ, |head| typ.get(head.len()..).unwrap_or_default());
            typ.eq_ignore_ascii_case(expected)
        })
    }

    /// The claims, if a key of `set` signed them with one of the `allowed` algorithms.
    ///
    /// # Errors
    /// [`TokenFault`], for our log.
    pub fn verify(
        self,
        set: &KeySet,
        allowed: &[Algorithm],
    ) -> Result<Map<String, Value>, TokenFault> {
        let algorithm = self
            .algorithm()
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(TokenFault("the algorithm is not allowed"))?;
        let kid = self.header_text("kid");
        let is_signed = set
            .candidates(algorithm, kid)
            .any(|key| key.verifies(algorithm, self.signed.as_bytes(), &self.signature));
        if is_signed { Ok(self.unverified) } else { Err(TokenFault("no key verifies it")) }
    }

    /// Whether this very key signed it with `algorithm`, for proofs that bring their key along.
    pub fn is_signed_by(&self, key: &PublicKey, algorithm: Algorithm) -> bool {
        self.algorithm() == Some(algorithm)
            && key.verifies(algorithm, self.signed.as_bytes(), &self.signature)
    }

    /// The claims, if they carry the HMAC of `secret`. Source: RFC 7518 section 3.2.
    ///
    /// # Errors
    /// [`TokenFault`], for our log.
    pub fn verify_hs256(self, secret: &Secret) -> Result<Map<String, Value>, TokenFault> {
        if self.header_text("alg") != Some("HS256") {
            return Err(TokenFault("the algorithm is not allowed"));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
        hmac::verify(&key, self.signed.as_bytes(), &self.signature)
            .map_err(|_| TokenFault("the secret does not verify it"))?;
        Ok(self.unverified)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::base::entropy::OsEntropy;
    use crate::keys::pair::{Pair, generate};

    fn encode(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn signed(pair: &Pair, header: &Value) -> String {
        let body = format!("{}.{}", encode(header), encode(&json!({"sub": "app"})));
        let signature = pair.sign(body.as_bytes()).unwrap();
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn pair(algorithm: Algorithm) -> Pair {
        let der = generate(algorithm, 2048, &OsEntropy::default()).unwrap();
        Pair::parse(algorithm, &der).unwrap()
    }

    #[test]
    fn every_algorithm_verifies_with_the_key_of_its_set_and_no_other() {
        for algorithm in Algorithm::ALL {
            let (own, other) = (pair(algorithm), pair(algorithm));
            let set = KeySet::from_json(&json!({"keys": [own.jwk()]})).unwrap();
            let header = json!({"alg": algorithm.as_str(), "kid": own.kid()});

            let token = signed(&own, &header);
            let claims = Jws::parse(&token).unwrap().verify(&set, &Algorithm::ALL).unwrap();
            assert_eq!(claims["sub"], "app");
            assert!(Jws::parse(&token).unwrap().verify(&set, &[]).is_err());
            let stranger = signed(&other, &header);
            assert!(Jws::parse(&stranger).unwrap().verify(&set, &Algorithm::ALL).is_err());
            assert_eq!(PublicKey::from_jwk(own.jwk()).unwrap().thumbprint(), own.kid());
        }
    }

    #[test]
    fn case_35_no_other_algorithm_is_talked_into_a_key() {
        let own = pair(Algorithm::ES256);
        let set = KeySet::from_json(&json!({"keys": [own.jwk()]})).unwrap();
        for alg in ["none", "None", "nOnE", "", "HS256", "RS256", "ES384", "EdDSA"] {
            let token = signed(&own, &json!({"alg": alg}));
            assert!(Jws::parse(&token).unwrap().verify(&set, &Algorithm::ALL).is_err(), "{alg}");
        }
        for name in ["crit", "zip", "enc", "b64"] {
            let token = signed(&own, &json!({"alg": "ES256", name: ["x"]}));
            assert!(Jws::parse(&token).is_err(), "{name}");
        }
        let secret = Secret::presented("s");
        let token = signed(&own, &json!({"alg": "HS256"}));
        assert!(Jws::parse(&token).unwrap().verify_hs256(&secret).is_err());
    }

    #[test]
    fn case_40_private_and_strange_keys_are_refused() {
        let mut private = pair(Algorithm::ES256).jwk().clone();
        private["d"] = "AA".into();
        assert!(PublicKey::from_jwk(&private).is_err());
        assert!(KeySet::from_json(&json!({"keys": [private]})).is_err());
        for bad in [json!(1), json!({}), json!({"kty": "oct", "k": "AA"}), json!({"kty": "RSA"})] {
            assert!(PublicKey::from_jwk(&bad).is_err(), "{bad}");
        }
        let short = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB"});
        assert!(PublicKey::from_jwk(&short).is_err());
        let many = vec![json!({}); KEYS_MAX + 1];
        assert!(KeySet::from_json(&json!({ "keys": many })).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_jws_or_is_refused(text in "[A-Za-z0-9_.-]{0,120}") {
            let _ = Jws::parse(&text);
        }
    }
}
