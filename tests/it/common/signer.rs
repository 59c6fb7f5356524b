//! An app, or an attacker, with keys of its own: signs whatever it is told to.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narthex::base::secret::Digest;
use serde_json::{Value, json};

use crate::common::jwt::encode;

/// The assertion type of RFC 7523 section 2.2.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key pair with a name.
pub struct Signer {
    pub alg: &'static str,
    pub kid: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// A fresh key for `RS256`, `PS256`, `ES256` or `EdDSA`. RSA takes a while to make.
    pub fn new(alg: &'static str) -> Self {
        let random = SystemRandom::new();
        let key = match alg {
            "RS256" | "PS256" => {
                Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
            "ES256" => {
                let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let der = EcdsaKeyPair::generate_pkcs8(alg, &random).expect("a key");
                Key::Ec(EcdsaKeyPair::from_pkcs8(alg, der.as_ref()).expect("a key"))
            }
            "EdDSA" => {
                let der = Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key");
                Key::Ed(Ed25519KeyPair::from_pkcs8(der.as_ref()).expect("a key"))
            }
            _ => panic!("no such algorithm: {alg}"),
        };
        let mut signer = Self { alg, kid: String::new(), key };
        signer.kid = signer.thumbprint();
        signer
    }

    /// The same key under another name.
    #[must_use]
    pub fn named(mut self, kid: &str) -> Self {
        kid.clone_into(&mut self.kid);
        self
    }

    /// The public key with nothing beside it, as a DPoP proof carries it.
    pub fn bare_jwk(&self) -> Value {
        match &self.key {
            Key::Rsa(pair) => {
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Key::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Key::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
        }
    }

    /// Source: RFC 7638 section 3.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(self.bare_jwk().to_string().as_bytes()).0)
    }

    /// The public key as it stands in a set.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.bare_jwk();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.alg);
        jwk
    }

    /// A set with this key alone.
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }

    /// A good token with these claims: `alg`, `kid` and the given `typ` in its header.
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        let mut header = json!({"alg": self.alg, "kid": self.kid});
        if !typ.is_empty() {
            header["typ"] = json!(typ);
        }
        self.sign_with(&header, claims)
    }

    /// A token with exactly this header, whatever it says of the algorithm.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let body = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.signature(header["alg"].as_str().unwrap_or_default(), body.as_bytes());
        format!("{body}.{}", encode(signature))
    }

    fn signature(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair) => {
                let padding: &dyn RsaEncoding =
                    if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("a signature");
                signature
            }
            Key::Ec(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// A token under the HMAC of `secret`, with exactly this header.
pub fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let body = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body.as_bytes());
    format!("{body}.{}", encode(tag))
}

/// Claims with some changed; `null` leaves one out.
#[must_use]
pub fn bent(claims: &Value, changed: &[(&str, Value)]) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changed {
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(*name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// What a header can say to talk somebody out of a check, each with the claims of a good token:
/// the attack, and the token. `key` is whose key the attacker has, `public` the JWK that the
/// server trusts. Source: security cases 35, 36 and 39.
pub fn attacks(own: &Signer, public: &Value, typ: &str, claims: &Value) -> Vec<(String, String)> {
    let header = |alg: &str| json!({"alg": alg, "typ": typ, "kid": public["kid"]});
    let body = encode(claims.to_string());
    let mut all = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        for signature in ["", "x"] {
            let head = encode(header(none).to_string());
            all.push((format!("alg {none:?}"), format!("{head}.{body}.{signature}")));
        }
    }
    for secret in [public.to_string(), public["x"].to_string(), public["n"].to_string()] {
        for alg in ["HS256", "ES256", "RS256"] {
            let token = hs256(secret.trim_matches('"').as_bytes(), &header(alg), claims);
            all.push((format!("{alg} by HMAC with the public key"), token));
        }
    }
    let trap = "http://127.0.0.1:1/jwks";
    for (name, value) in [
        ("jwk", own.bare_jwk()),
        ("jku", json!(trap)),
        ("x5u", json!(trap)),
        ("x5c", json!(["MII"])),
        ("kid", json!("../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(3_000))),
        ("kid", json!(7)),
        ("alg", json!(own.alg)),
    ] {
        let mut head = header(own.alg);
        head[name] = value;
        all.push((format!("{name} of the attacker"), own.sign_with(&head, claims)));
        head.as_object_mut().expect("an object").remove("kid");
        all.push((format!("{name} without kid"), own.sign_with(&head, claims)));
    }
    let bomb = json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_647});
    all.push(("PBES2".into(), format!("{}.a.b.c.d", encode(bomb.to_string()))));
    for junk in ["", "x", "a.b", "a.b.c", "..", "a.b.c.d", "{}"] {
        all.push((format!("junk {junk:?}"), junk.to_owned()));
    }
    all.push(("oversized".into(), format!("{}.{}.x", encode("{}"), "A".repeat(17_000))));
    all
}

/// What the owner of the key must not be able to ask for either: `crit`, `b64`, `zip`.
pub fn strange_headers(own: &Signer, typ: &str, claims: &Value) -> Vec<(String, String)> {
    [("crit", json!(["b64"])), ("crit", json!(["x"])), ("b64", json!(false)), ("zip", json!("DEF"))]
        .into_iter()
        .map(|(name, value)| {
            let mut head = json!({"alg": own.alg, "typ": typ, "kid": own.kid});
            head[name] = value;
            (name.to_owned(), own.sign_with(&head, claims))
        })
        .collect()
}
