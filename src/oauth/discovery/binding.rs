//! What tokens can be bound to. Source: RFC 9449 section 5.1, RFC 8705 section 3.3.

use serde_json::{Value, json};

use crate::config::model::Issuer;
use crate::keys::algorithm::Algorithm;

pub(in crate::oauth::discovery) fn metadata(_: &Issuer) -> Value {
    json!({ "dpop_signing_alg_values_supported": Algorithm::ALL })
}
