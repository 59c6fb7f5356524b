//! Keys that clients hold, and the proofs that they make with them. Source: RFC 9449 section 4.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use narthex::base::secret::Digest;
use narthex::keys::foreign::PublicKey;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, basic};
use crate::common::answer::Answer;
use crate::common::jwt;
use crate::common::server::TestServer;

/// A key on P-256.
pub struct ProofKey {
    pair: EcdsaKeyPair,
    pub jwk: Value,
}

impl ProofKey {
    /// A fresh one.
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = pair.public_key().as_ref();
        let (x, y) = (jwt::encode(&point[1..33]), jwt::encode(&point[33..]));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        Self { pair, jwk }
    }

    /// `jkt`.
    pub fn thumbprint(&self) -> String {
        PublicKey::from_jwk(&self.jwk).expect("a public key").thumbprint().to_owned()
    }

    /// The header of a good proof.
    pub fn header(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk})
    }

    /// A compact JWS.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed =
            format!("{}.{}", jwt::encode(header.to_string()), jwt::encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed");
        format!("{signed}.{}", jwt::encode(signature))
    }

    /// A good proof for one request.
    pub fn proof(&self, server: &TestServer, method: &str, path: &str) -> String {
        self.sign(&self.header(), &claims(server, method, path))
    }

    /// A good proof for one request with an access token.
    pub fn proof_with(&self, server: &TestServer, method: &str, path: &str, token: &str) -> String {
        let mut claims = claims(server, method, path);
        claims["ath"] = json!(hash(token));
        self.sign(&self.header(), &claims)
    }
}

/// The claims of a good proof; each has a name of its own.
pub fn claims(server: &TestServer, method: &str, path: &str) -> Value {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    let name = format!("proof-{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let url = format!("{}{path}", server.url);
    json!({"jti": name, "htm": method, "htu": url, "iat": server.now()})
}

/// `ath`.
pub fn hash(token: &str) -> String {
    jwt::encode(Digest::of(token.as_bytes()).0)
}

impl ClientApp {
    /// Asks the token endpoint with proofs, each in a header field of its own.
    pub async fn prove(&self, proofs: &[&str], fields: &[(&str, &str)]) -> Answer {
        self.proven("/token", proofs, fields).await
    }

    /// Posts a form with proofs, authenticated as the app authenticates.
    pub async fn proven(&self, path: &str, proofs: &[&str], fields: &[(&str, &str)]) -> Answer {
        let mut headers: Vec<_> = proofs.iter().map(|proof| ("dpop", *proof)).collect();
        let basic = self.secret.map(|secret| basic(self.id, secret));
        if let Some(basic) = &basic {
            headers.push(("authorization", basic));
            return self.http.post_with(path, &headers, fields).await;
        }
        let fields = [&[("client_id", self.id)], fields].concat();
        self.http.post_with(path, &headers, &fields).await
    }
}

/// An RSA key.
pub struct RsaKey(aws_lc_rs::rsa::KeyPair);

impl RsaKey {
    /// A fresh one.
    pub fn new() -> Self {
        let size = aws_lc_rs::rsa::KeySize::Rsa2048;
        Self(aws_lc_rs::rsa::KeyPair::generate(size).expect("a key"))
    }

    /// A proof that is signed with RS256.
    pub fn sign_rs256(&self, claims: &Value) -> String {
        let public = self.0.public_key();
        let n = public.modulus().big_endian_without_leading_zero();
        let e = public.exponent().big_endian_without_leading_zero();
        let jwk = json!({"kty": "RSA", "n": jwt::encode(n), "e": jwt::encode(e)});
        let header = json!({"typ": "dpop+jwt", "alg": "RS256", "jwk": jwk});
        let signed =
            format!("{}.{}", jwt::encode(header.to_string()), jwt::encode(claims.to_string()));
        let mut signature = vec![0; self.0.public_modulus_len()];
        let scheme = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
        let random = SystemRandom::new();
        self.0.sign(scheme, &random, signed.as_bytes(), &mut signature).expect("signed");
        format!("{signed}.{}", jwt::encode(signature))
    }
}
