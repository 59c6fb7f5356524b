//! What the token endpoint gives tokens for.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    json!({
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
    })
}
