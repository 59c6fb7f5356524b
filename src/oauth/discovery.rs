//! What the server says of itself. Source: OpenID Connect Discovery section 3, RFC 8414 section 2.

mod authentication;
mod binding;
mod core;
mod grants;
mod logout;
mod registration;
mod requests;

use serde_json::{Map, Value, json};

use crate::base::document::Document;
use crate::config::model::Issuer;
use crate::config::registration::Registration;
use crate::config::sign_up::SignUp;
use crate::keys::algorithm::Algorithm;
use crate::oauth::response::ResponseMode;
use crate::oauth::service::Parts;

/// The two metadata documents, ready to send.
#[derive(Clone, Debug)]
pub struct Metadata {
    openid: Document,
    oauth: Document,
}

/// What the documents depend on beside the issuer.
#[derive(Clone, Debug, Default)]
struct Facts {
    registration: Registration,
    /// Whether clients can show certificates, and whether authorities name apps by them.
    certificates: (bool, bool),
    /// Where clients with certificates come.
    mtls_url: Option<Issuer>,
    /// Who may sign up.
    sign_up: SignUp,
    /// The types of details that apps of this server may ask for.
    details: Vec<String>,
}

impl Metadata {
    /// The documents of the server with these parts, whose apps may ask for `details` of these
    /// types.
    pub fn new(parts: &Parts, details: Vec<String>) -> Self {
        let (oauth, openid) = documents(&parts.issuer, &facts(parts, details));
        Self { openid: Document::new(openid.to_string()), oauth: Document::new(oauth.to_string()) }
    }

    /// What is offered to everybody who asks, and so to apps that register themselves.
    pub fn offered(parts: &Parts) -> Value {
        documents(&parts.issuer, &facts(parts, Vec::new())).1
    }

    /// `/.well-known/openid-configuration`, as JSON.
    pub fn openid(&self) -> &Document {
        &self.openid
    }

    /// `/.well-known/oauth-authorization-server`, as JSON.
    pub fn oauth(&self) -> &Document {
        &self.oauth
    }
}

fn facts(parts: &Parts, details: Vec<String>) -> Facts {
    Facts {
        registration: parts.registration.clone(),
        certificates: (parts.sees_certificates, parts.authorities.is_some()),
        mtls_url: parts.mtls_url.clone(),
        sign_up: parts.sign_up,
        details,
    }
}

/// That of OAuth, and that of OpenID Connect.
fn documents(issuer: &Issuer, facts: &Facts) -> (Value, Value) {
    let oauth = merged(&[
        basics(issuer),
        authentication::metadata(issuer),
        binding::metadata(facts.certificates, facts.mtls_url.as_ref()),
        grants::metadata(issuer),
        requests::metadata(issuer, &facts.details),
        registration::metadata(issuer, &facts.registration),
    ]);
    let openid =
        merged(&[oauth.clone(), core::metadata(issuer, facts.sign_up), logout::metadata(issuer)]);
    (oauth, openid)
}

/// One document of several; lists of the same name are put together.
fn merged(parts: &[Value]) -> Value {
    let mut whole = Map::new();
    for (name, value) in parts.iter().filter_map(Value::as_object).flatten() {
        match (whole.get_mut(name), value) {
            (Some(Value::Array(held)), Value::Array(more)) => held.extend(more.iter().cloned()),
            _ => {
                whole.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(whole)
}

fn basics(issuer: &Issuer) -> Value {
    json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.url("/authorize"),
        "token_endpoint": issuer.url("/token"),
        "revocation_endpoint": issuer.url("/revoke"),
        "introspection_endpoint": issuer.url("/introspect"),
        "jwks_uri": issuer.url("/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES.map(|(name, _)| name),
        "authorization_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "introspection_signing_alg_values_supported": Algorithm::ALL,
        "protected_resources": [issuer.as_str()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_10_the_metadata_name_the_issuer_and_promise_iss() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let (oauth, openid) = documents(&issuer, &Facts::default());

        for document in [&oauth, &openid] {
            assert_eq!(document["issuer"], "https://id.example");
            assert_eq!(document["authorization_response_iss_parameter_supported"], true);
            assert_eq!(document["token_endpoint"], "https://id.example/token");
            assert!(document.get("authorization_details_types_supported").is_none());
            assert!(document.get("mtls_endpoint_aliases").is_none());
        }
        assert!(openid["userinfo_endpoint"].is_string());
        assert!(oauth.get("userinfo_endpoint").is_none());
    }
}
