//! Whom the load speaks to, and as whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::secret::Secret;
use crate::cli::bench::client::Site;

/// An app's id and secret.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `client_id`
    pub id: String,
    /// `client_secret`
    pub secret: Secret,
}

impl Credentials {
    /// The value of the `Authorization` header. Source: RFC 6749 section 2.3.1.
    pub fn basic(&self) -> String {
        let encoded =
            |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
        let pair = format!("{}:{}", encoded(&self.id), encoded(self.secret.reveal()));
        format!("Basic {}", STANDARD.encode(pair))
    }
}

/// A server, and what was set up on it for the load.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub site: Site,
    /// A project that the user may read.
    pub project: String,
    /// The account whose projects are listed.
    pub account: String,
    /// An app whose own access tokens are signed with ES256.
    pub es256: Credentials,
    /// An app whose own access tokens are signed with RS256.
    pub rs256: Credentials,
    /// An app for the code flow, with both tokens signed with ES256.
    pub code_app: Credentials,
    /// Where that app's codes go.
    pub redirect_uri: String,
    /// What that app asks for.
    pub scope: String,
    /// Who signs in.
    pub username: String,
    /// How.
    pub password: Secret,
}

impl Target {
    /// The query of an authorization request, but for state, nonce and challenge.
    pub fn authorization_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.code_app.id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.scope)
            .append_pair("code_challenge_method", "S256")
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_2_3_1_credentials_are_encoded_twice() {
        let credentials =
            Credentials { id: "my:app".to_owned(), secret: Secret::presented("p%w d") };

        let basic = credentials.basic();

        let decoded = STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(decoded, b"my%3Aapp:p%25w+d");
    }
}
