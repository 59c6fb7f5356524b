//! What the resource API says of itself. Source: RFC 9728 section 2.

use serde_json::json;

use crate::base::document::Document;
use crate::gate::routes::scopes;
use crate::keys::algorithm::Algorithm;
use crate::oauth::service::Parts;

/// The metadata of the resource that this server is, ready to send.
pub(in crate::gate) fn document(parts: &Parts) -> Document {
    let issuer = &parts.issuer;
    let scopes: Vec<&str> = scopes().map(|scope| scope.name).collect();
    let metadata = json!({
        "resource": issuer.as_str(),
        "resource_name": "Narthex resource API",
        "resource_documentation": issuer.url("/v1/scopes"),
        "authorization_servers": [issuer.as_str()],
        "scopes_supported": scopes,
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": Algorithm::ALL,
        "dpop_bound_access_tokens_required": false,
        "tls_client_certificate_bound_access_tokens": parts.sees_certificates,
    });
    Document::new(metadata.to_string())
}

/// `/.well-known/authzen-configuration`, ready to send. Source: AuthZEN Authorization API 1.0
/// section 9.
pub(in crate::gate) fn decision_point(parts: &Parts) -> Document {
    let issuer = &parts.issuer;
    let metadata = json!({
        "policy_decision_point": issuer.as_str(),
        "access_evaluation_endpoint": issuer.url("/access/v1/evaluation"),
        "access_evaluations_endpoint": issuer.url("/access/v1/evaluations"),
        "search_subject_endpoint": issuer.url("/access/v1/search/subject"),
        "search_resource_endpoint": issuer.url("/access/v1/search/resource"),
        "search_action_endpoint": issuer.url("/access/v1/search/action"),
    });
    Document::new(metadata.to_string())
}
