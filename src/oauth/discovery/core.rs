//! What OpenID Connect adds. Source: OpenID Connect Discovery section 3.

use serde_json::{Value, json};

use crate::config::model::Issuer;
use crate::config::sign_up::SignUp;
use crate::keys::algorithm::Algorithm;
use crate::oauth::acr;
use crate::oauth::standard_claims::{CLAIMS, SCOPES};

/// What ID tokens say beside the claims of the user.
const OF_THE_TOKEN: [&str; 12] = [
    "sub",
    "iss",
    "aud",
    "azp",
    "exp",
    "iat",
    "auth_time",
    "amr",
    "acr",
    "nonce",
    "at_hash",
    "sid",
];

const KEY_MANAGEMENT: [&str; 2] = ["RSA-OAEP-256", "ECDH-ES"];
const CONTENT: [&str; 2] = ["A128GCM", "A256GCM"];

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer, sign_up: SignUp) -> Value {
    let mut prompts = vec!["none", "login", "consent", "select_account"];
    if sign_up == SignUp::Open {
        // Source: Initiating User Registration via OpenID Connect section 4.1.
        prompts.push("create");
    }
    let claims: Vec<&str> =
        OF_THE_TOKEN.into_iter().chain(CLAIMS.iter().map(|(name, _)| *name)).collect();
    json!({
        "userinfo_endpoint": issuer.url("/userinfo"),
        "scopes_supported": SCOPES,
        "subject_types_supported": ["public", "pairwise"],
        "id_token_encryption_alg_values_supported": KEY_MANAGEMENT,
        "id_token_encryption_enc_values_supported": CONTENT,
        "userinfo_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "userinfo_encryption_alg_values_supported": KEY_MANAGEMENT,
        "userinfo_encryption_enc_values_supported": CONTENT,
        "acr_values_supported": acr::KNOWN.map(|(value, _)| value),
        "display_values_supported": ["page"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "prompt_values_supported": prompts,
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "claims_parameter_supported": true,
    })
}
