//! What the server says of itself. Source: OpenID Connect Discovery section 3, RFC 8414 section 2.

use serde_json::{Value, json};

use crate::base::document::Document;
use crate::config::model::Issuer;

/// The two metadata documents, ready to send.
#[derive(Clone, Debug)]
pub struct Metadata {
    openid: Document,
    oauth: Document,
}

impl Metadata {
    /// The documents of the server with this issuer.
    pub fn new(issuer: &Issuer) -> Self {
        let oauth = oauth_metadata(issuer);
        let mut openid = oauth.clone();
        if let (Value::Object(openid), Value::Object(more)) = (&mut openid, openid_metadata(issuer))
        {
            openid.extend(more);
        }
        Self { openid: Document::new(openid.to_string()), oauth: Document::new(oauth.to_string()) }
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

fn oauth_metadata(issuer: &Issuer) -> Value {
    let methods = ["client_secret_basic", "client_secret_post"];
    let or_none = ["client_secret_basic", "client_secret_post", "none"];
    json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.url("/authorize"),
        "token_endpoint": issuer.url("/token"),
        "revocation_endpoint": issuer.url("/revoke"),
        "introspection_endpoint": issuer.url("/introspect"),
        "jwks_uri": issuer.url("/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": or_none,
        "revocation_endpoint_auth_methods_supported": or_none,
        "introspection_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": true,
    })
}

fn openid_metadata(issuer: &Issuer) -> Value {
    json!({
        "userinfo_endpoint": issuer.url("/userinfo"),
        "end_session_endpoint": issuer.url("/logout"),
        "scopes_supported": ["openid", "profile", "email"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "sub", "iss", "aud", "azp", "exp", "iat", "auth_time", "amr", "nonce", "at_hash", "sid",
            "name", "given_name", "family_name", "preferred_username", "updated_at", "email",
            "email_verified",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_10_the_metadata_name_the_issuer_and_promise_iss() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let metadata = Metadata::new(&issuer);

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
