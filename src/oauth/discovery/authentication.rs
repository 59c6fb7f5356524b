//! How apps show who they are. Source: RFC 8414 section 2.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    let known =
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];
    let or_none = [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    ];
    let algorithms = ["HS256", "RS256", "PS256", "ES256", "EdDSA"];
    json!({
        "token_endpoint_auth_methods_supported": or_none,
        "revocation_endpoint_auth_methods_supported": or_none,
        "introspection_endpoint_auth_methods_supported": known,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
    })
}
