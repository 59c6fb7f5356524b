//! What tokens can be bound to, and the certificates of clients. Source: RFC 9449 section 5.1,
//! RFC 8705 sections 2 and 3.3.

use serde_json::{Value, json};

use crate::keys::algorithm::Algorithm;

/// For a server that sees certificates of clients or not, and trusts authorities for them or not.
pub(in crate::oauth::discovery) fn metadata((sees, trusts): (bool, bool)) -> Value {
    if !sees {
        return json!({ "dpop_signing_alg_values_supported": Algorithm::ALL });
    }
    let methods = if trusts {
        &["self_signed_tls_client_auth", "tls_client_auth"][..]
    } else {
        &["self_signed_tls_client_auth"]
    };
    json!({
        "dpop_signing_alg_values_supported": Algorithm::ALL,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "tls_client_certificate_bound_access_tokens": true,
    })
}
