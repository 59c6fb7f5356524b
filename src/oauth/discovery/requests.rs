//! How authorization requests may come in. Source: RFC 9101, RFC 9126, RFC 9396.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer, details: &[String]) -> Value {
    let mut metadata = json!({
        "pushed_authorization_request_endpoint": issuer.url("/par"),
        "require_pushed_authorization_requests": false,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "require_signed_request_object": false,
        "request_object_signing_alg_values_supported": ["none", "RS256", "PS256", "ES256", "EdDSA"],
    });
    if let (false, Some(metadata)) = (details.is_empty(), metadata.as_object_mut()) {
        metadata.insert("authorization_details_types_supported".to_owned(), json!(details));
    }
    metadata
}
