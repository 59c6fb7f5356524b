//! What OpenID Connect adds. Source: OpenID Connect Discovery section 3.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer) -> Value {
    json!({
        "userinfo_endpoint": issuer.url("/userinfo"),
        "scopes_supported": ["openid", "profile", "email"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "sub", "iss", "aud", "azp", "exp", "iat", "auth_time", "amr", "nonce", "at_hash", "sid",
            "name", "given_name", "family_name", "preferred_username", "updated_at", "email",
            "email_verified",
        ],
        "claims_parameter_supported": false,
    })
}
