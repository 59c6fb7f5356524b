//! How authorization requests may come in. Source: RFC 9101, RFC 9126, RFC 9396.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    json!({
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}
