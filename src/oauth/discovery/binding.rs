//! What tokens can be bound to, and the certificates of clients. Source: RFC 9449 section 5.1,
//! RFC 8705 sections 2, 3.3 and 5.

use serde_json::{Value, json};

use crate::config::model::Issuer;
use crate::keys::algorithm::Algorithm;

/// Where certificates of clients are looked at: the endpoints at which apps ask by themselves.
const ENDPOINTS: [(&str, &str); 7] = [
    ("token_endpoint", "/token"),
    ("revocation_endpoint", "/revoke"),
    ("introspection_endpoint", "/introspect"),
    ("pushed_authorization_request_endpoint", "/par"),
    ("device_authorization_endpoint", "/device_authorization"),
    ("backchannel_authentication_endpoint", "/bc-authorize"),
    ("userinfo_endpoint", "/userinfo"),
];

/// For a server that sees certificates of clients or not, and trusts authorities for them or not;
/// `url` is where clients with certificates come.
pub(in crate::oauth::discovery) fn metadata(
    (sees, trusts): (bool, bool),
    url: Option<&Issuer>,
) -> Value {
    if !sees {
        return json!({ "dpop_signing_alg_values_supported": Algorithm::ALL });
    }
    let methods = if trusts {
        &["self_signed_tls_client_auth", "tls_client_auth"][..]
    } else {
        &["self_signed_tls_client_auth"]
    };
    let mut metadata = json!({
        "dpop_signing_alg_values_supported": Algorithm::ALL,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "tls_client_certificate_bound_access_tokens": true,
    });
    if let (Some(url), Some(metadata)) = (url, metadata.as_object_mut()) {
        let aliases = ENDPOINTS.map(|(name, path)| (name.to_owned(), Value::from(url.url(path))));
        let aliases = Value::Object(aliases.into_iter().collect());
        metadata.insert("mtls_endpoint_aliases".to_owned(), aliases);
    }
    metadata
}
