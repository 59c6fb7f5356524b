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
use crate::keys::algorithm::Algorithm;
use crate::oauth::response::ResponseMode;
use crate::oauth::service::Parts;

/// The two metadata documents, ready to send.
#[derive(Clone, Debug)]
pub struct Metadata {
    openid: Document,
    oauth: Document,
    values: Value,
}

impl Metadata {
    /// The documents of the server with these parts.
    pub fn new(parts: &Parts) -> Self {
        let certificates = (parts.sees_certificates, parts.authorities.is_some());
        Self::of(&parts.issuer, &parts.registration, certificates)
    }

    fn of(issuer: &Issuer, rules: &Registration, certificates: (bool, bool)) -> Self {
        let oauth = merged(&[
            basics(issuer),
            authentication::metadata(issuer),
            binding::metadata(certificates),
            grants::metadata(issuer),
            requests::metadata(issuer),
            registration::metadata(issuer, rules),
        ]);
        let openid = merged(&[oauth.clone(), core::metadata(issuer), logout::metadata(issuer)]);
        Self {
            openid: Document::new(openid.to_string()),
            oauth: Document::new(oauth.to_string()),
            values: openid,
        }
    }

    /// `/.well-known/openid-configuration`, as values: what is offered here, and what is not.
    pub fn values(&self) -> &Value {
        &self.values
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
        let metadata = Metadata::of(&issuer, &Registration::default(), (false, false));

        for text in [metadata.openid(), metadata.oauth()] {
            let document: Value = serde_json::from_slice(&text.text()).unwrap();
            assert_eq!(document["issuer"], "https://id.example");
            assert_eq!(document["authorization_response_iss_parameter_supported"], true);
            assert_eq!(document["token_endpoint"], "https://id.example/token");
        }
        let says = |document: &Document| {
            String::from_utf8_lossy(&document.text()).contains("userinfo_endpoint")
        };
        assert!(says(metadata.openid()));
        assert!(!says(metadata.oauth()));
    }
}
