//! An app that speaks for the users of many accounts: tokens for all of them, and nobody signs in.

use anyhow::{Context as _, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::base::clock::{Clock as _, SystemClock, micros};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::cli::bench::client::Template;
use crate::cli::bench::target::Credentials;

/// The app, and the account that owns it.
const AGENT: &str = "bench-agent";
const HOME: &str = "bench";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Seconds that an assertion is good for.
const LIFE: i64 = 120;

/// The app, with its secrets.
pub struct Agent {
    key: EcdsaKeyPair,
    secret: Secret,
}

impl Agent {
    /// An agent whose secrets nobody else knows.
    ///
    /// # Errors
    /// The library makes no key.
    pub fn fresh(entropy: &dyn Entropy) -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { key, secret: Secret::generate(entropy) })
    }

    /// What it needs on a server, for `narthex apply`.
    pub fn text(&self) -> String {
        // An uncompressed point: 4, then both coordinates. Source: SEC 1 section 2.3.3.
        let point = self.key.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at_checked(point.len() / 2).unwrap_or_default();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "kid": "bench", "x": part(x), "y": part(y) });
        let app = json!({
            "id": AGENT,
            "account": HOME,
            "title": "Load (agent)",
            "status": "live",
            "type": "confidential",
            "allowed_accounts": "all",
            "allowed_scopes": ["project.read"],
            "grant_types": [GRANT],
            "access_token_algorithm": "ES256",
            "secrets": [self.secret.reveal()],
            "client_metadata": { "may_impersonate": true, "jwks": { "keys": [jwk] } },
        });
        json!({ "accounts": [{ "id": HOME, "name": "Load" }], "apps": [app] }).to_string()
    }

    /// What it asks at the token endpoint of `issuer`: a token for `user`.
    ///
    /// # Errors
    /// The library does not sign.
    pub fn request(&self, issuer: &str, user: &str) -> anyhow::Result<Template> {
        let at = SystemClock.now();
        let now = at.timestamp();
        let jti = format!("{user} {}", micros(at));
        let claims = json!({
            "iss": AGENT, "sub": user, "aud": issuer, "jti": jti, "iat": now, "exp": now + LIFE,
        });
        let assertion = self.sign(&claims)?;
        let form = [("grant_type", GRANT), ("assertion", &*assertion), ("scope", "project.read")];
        let credentials = Credentials { id: AGENT.to_owned(), secret: self.secret.clone() };
        Template::post("/token", &form)?.with("authorization", &credentials.basic())
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "bench" });
        let body = format!("{}.{}", part(&header), part(claims));
        let signed = self.key.sign(&SystemRandom::new(), body.as_bytes());
        let signature = signed.map_err(|_| anyhow!("the library")).context("cannot sign")?;
        Ok(format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
