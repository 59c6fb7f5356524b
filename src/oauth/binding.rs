//! What a token is bound to, so that a thief cannot use it.

use serde::{Deserialize, Serialize};

/// The confirmation of a bound token: `cnf`. Source: RFC 7800, RFC 9449 section 6.1, RFC 8705
/// section 3.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binding {
    /// The thumbprint of a DPoP key. Source: RFC 7638.
    #[serde(rename = "jkt")]
    Key(String),
    /// The thumbprint of a client certificate.
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Binding {
    /// `token_type` of tokens that are bound so, or not at all.
    pub fn token_type(binding: Option<&Self>) -> &'static str {
        match binding {
            Some(Self::Key(_)) => "DPoP",
            Some(Self::Certificate(_)) | None => "Bearer",
        }
    }
}
