//! How apps show who they are. Source: RFC 8414 section 2.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    let secrets = ["client_secret_basic", "client_secret_post"];
    let or_none = ["client_secret_basic", "client_secret_post", "none"];
    json!({
        "token_endpoint_auth_methods_supported": or_none,
        "revocation_endpoint_auth_methods_supported": or_none,
        "introspection_endpoint_auth_methods_supported": secrets,
    })
}
