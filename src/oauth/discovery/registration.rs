//! How apps are registered. Source: RFC 7591 section 3.

use serde_json::{Value, json};

use crate::config::model::Issuer;
use crate::config::registration::{Registration, RegistrationMode};

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer, rules: &Registration) -> Value {
    match rules.mode {
        RegistrationMode::Closed => json!({}),
        RegistrationMode::Token | RegistrationMode::Open => {
            json!({ "registration_endpoint": issuer.url("/register") })
        }
    }
}
