//! A key pair, parsed and ready. Private operations run in AWS-LC.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::base::secret::Digest;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::KeyError;

/// A parsed key pair.
pub(in crate::keys) struct Pair {
    private: Private,
    public: ParsedPublicKey,
    algorithm: Algorithm,
    jwk: Value,
    kid: String,
}

enum Private {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pair({} {})", self.algorithm, self.kid)
    }
}

/// Lets the crate `rsa` draw from our source of randomness.
struct Draw<'a>(&'a dyn Entropy);

impl rsa::rand_core::RngCore for Draw<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_be_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        self.0.fill(target);
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(target);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Draw<'_> {}

/// A fresh private key in DER: PKCS#1 for RSA, PKCS#8 for the curves. Slow for RSA (about 100 ms
/// for 2,048 bits): call it on a thread that may block.
///
/// # Errors
/// [`KeyError::Unusable`] if the library refuses the size.
pub(in crate::keys) fn generate(
    algorithm: Algorithm,
    rsa_bits: u32,
    entropy: &dyn Entropy,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |_| KeyError::Unusable("it could not be made");
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => {
            let key = rsa::RsaPrivateKey::new(&mut Draw(entropy), rsa_bits as usize)
                .map_err(|_| KeyError::Unusable("RSA refuses this size"))?;
            let der = key.to_pkcs1_der().map_err(|_| KeyError::Unusable("RSA does not encode"))?;
            Ok(Zeroizing::new(der.as_bytes().to_vec()))
        }
        Algorithm::ES256 => {
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map_err(failed)?;
            Ok(Zeroizing::new(der.as_ref().to_vec()))
        }
        Algorithm::EdDSA => {
            let der = Ed25519KeyPair::generate_pkcs8v1(&random).map_err(failed)?;
            Ok(Zeroizing::new(der.as_ref().to_vec()))
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The `kid` of a public key: its thumbprint. Source: RFC 7638 section 3.
pub(in crate::keys) fn thumbprint(members: &Value) -> String {
    // serde_json writes the members of an object sorted by name, without white space: the
    // canonical form that the RFC asks for.
    base64(&Digest::of(members.to_string().as_bytes()).0)
}

impl Pair {
    /// Parses what [`generate`] made.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for anything else.
    pub(in crate::keys) fn parse(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Unusable("it does not parse");
        let (private, verifier, public, members): (_, &'static dyn VerificationAlgorithm, _, _) =
            match algorithm {
                Algorithm::RS256 | Algorithm::PS256 => {
                    let pair = RsaKeyPair::from_der(der).map_err(unusable)?;
                    let key = pair.public_key();
                    let members = json!({
                        "kty": "RSA",
                        "n": base64(key.modulus().big_endian_without_leading_zero()),
                        "e": base64(key.exponent().big_endian_without_leading_zero()),
                    });
                    let public = key.as_ref().to_vec();
                    if algorithm == Algorithm::RS256 {
                        let private = Private::Rsa(pair, &RSA_PKCS1_SHA256);
                        (private, &RSA_PKCS1_2048_8192_SHA256, public, members)
                    } else {
                        let private = Private::Rsa(pair, &RSA_PSS_SHA256);
                        (private, &RSA_PSS_2048_8192_SHA256, public, members)
                    }
                }
                Algorithm::ES256 => {
                    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                        .map_err(unusable)?;
                    let public = pair.public_key().as_ref().to_vec();
                    let (x, y) = point(&public).ok_or(KeyError::Unusable("no point of P-256"))?;
                    let members = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
                    (Private::Ec(pair), &ECDSA_P256_SHA256_FIXED, public, members)
                }
                Algorithm::EdDSA => {
                    let pair = Ed25519KeyPair::from_pkcs8(der).map_err(unusable)?;
                    let public = pair.public_key().as_ref().to_vec();
                    let members = json!({"kty": "OKP", "crv": "Ed25519", "x": base64(&public)});
                    (Private::Ed(pair), &ED25519, public, members)
                }
            };
        let kid = thumbprint(&members);
        let mut jwk = members;
        if let Some(jwk) = jwk.as_object_mut() {
            jwk.insert("kid".to_owned(), kid.clone().into());
            jwk.insert("use".to_owned(), "sig".into());
            jwk.insert("alg".to_owned(), algorithm.as_str().into());
        }
        let public = ParsedPublicKey::new(verifier, public).map_err(unusable)?;
        Ok(Self { private, public, algorithm, jwk, kid })
    }

    pub(in crate::keys) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(in crate::keys) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half as JWK. Source: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.
    pub(in crate::keys) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Signs; `None` only if the library fails.
    pub(in crate::keys) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.private {
            Private::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Private::Ec(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Private::Ed(pair) => Some(pair.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }

    /// Whether `signature` over `message` is by this key.
    pub(in crate::keys) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// The coordinates of an uncompressed point of P-256. Source: RFC 7518 section 6.2.1.
fn point(public: &[u8]) -> Option<(String, String)> {
    let (form, coordinates) = public.split_first()?;
    let (x, y) = coordinates.split_at_checked(32)?;
    (*form == 4 && y.len() == 32).then(|| (base64(x), base64(y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn rfc7638_3_1_thumbprint_of_the_example() {
        let members = json!({
            "e": "AQAB",
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });

        assert_eq!(thumbprint(&members), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn every_algorithm_signs_what_it_verifies() {
        for algorithm in Algorithm::ALL {
            let der = generate(algorithm, 2048, &OsEntropy::default()).unwrap();
            let pair = Pair::parse(algorithm, &der).unwrap();
            let signature = pair.sign(b"message").unwrap();

            assert!(pair.verify(b"message", &signature), "{algorithm}");
            assert!(!pair.verify(b"massage", &signature), "{algorithm}");
            assert!(!pair.verify(b"message", &[]), "{algorithm}");
            assert_eq!(pair.jwk()["kid"], pair.kid());
            assert!(Pair::parse(algorithm, b"nonsense").is_err());
        }
    }
}
