//! What the token endpoint gives tokens for.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer) -> Value {
    json!({
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "urn:openid:params:grant-type:ciba",
        ],
        "backchannel_authentication_endpoint": issuer.url("/bc-authorize"),
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "backchannel_authentication_request_signing_alg_values_supported":
            ["RS256", "PS256", "ES256", "EdDSA"],
        "backchannel_user_code_parameter_supported": false,
        "device_authorization_endpoint": issuer.url("/device_authorization"),
    })
}
