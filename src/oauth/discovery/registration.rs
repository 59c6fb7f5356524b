//! How apps are registered. Source: RFC 7591 section 3.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    json!({})
}
