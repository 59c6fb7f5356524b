//! What an app registers of itself beyond the platform's own fields: the client metadata of
//! OpenID Connect and its neighbours, under their registered names.
//!
//! Source: RFC 7591 section 2, OpenID Connect Dynamic Client Registration 1.0 section 2.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::apps::model::{BadVariant, variants};
use crate::base::id::AppId;
use crate::keys::algorithm::Algorithm;
use crate::words::Language;

variants! {
    /// How an app shows who it is. Source: RFC 7591 section 2, RFC 8705 section 2.
    AuthMethod: "none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth, self_signed_tls_client_auth" {
        /// Not at all: a public app.
        None = "none",
        /// Secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// Secret in the body.
        ClientSecretPost = "client_secret_post",
        /// An assertion by HMAC with the secret. Source: OpenID Connect Core section 9.
        ClientSecretJwt = "client_secret_jwt",
        /// An assertion signed by a key of the app. Source: OpenID Connect Core section 9.
        PrivateKeyJwt = "private_key_jwt",
        /// A certificate of a trusted authority. Source: RFC 8705 section 2.1.
        TlsClientAuth = "tls_client_auth",
        /// A certificate of the app's own. Source: RFC 8705 section 2.2.
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
    }
}

variants! {
    /// What `sub` an app sees. Source: OpenID Connect Core section 8.
    SubjectType: "public, pairwise" {
        /// The user's id.
        Public = "public",
        /// Another one for each sector.
        Pairwise = "pairwise",
    }
}

variants! {
    /// How a content encryption key reaches an app. Source: RFC 7518 section 4.1.
    KeyManagement: "RSA-OAEP-256, ECDH-ES" {
        /// RSAES-OAEP with SHA-256.
        RsaOaep256 = "RSA-OAEP-256",
        /// Direct agreement on a curve.
        EcdhEs = "ECDH-ES",
    }
}

variants! {
    /// How content is encrypted. Source: RFC 7518 section 5.1.
    ContentEncryption: "A128GCM, A256GCM" {
        /// AES-128 in Galois/Counter Mode.
        A128Gcm = "A128GCM",
        /// AES-256 in Galois/Counter Mode.
        A256Gcm = "A256GCM",
    }
}

variants! {
    /// A set of rules that an app lives by as a whole.
    Profile: "fapi2_security, fapi2_message_signing" {
        /// FAPI 2.0 Security Profile.
        Fapi2Security = "fapi2_security",
        /// FAPI 2.0 Message Signing: signed requests and signed responses besides.
        Fapi2MessageSigning = "fapi2_message_signing",
    }
}

variants! {
    /// How the tokens of CIBA reach an app. Source: OpenID Connect CIBA Core section 5.
    DeliveryMode: "poll, ping" {
        /// It asks for them.
        Poll = "poll",
        /// It is told when to ask.
        Ping = "ping",
    }
}

/// Client metadata, by their registered names. What is absent is as the standards say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names are those of the IANA registry of client metadata")]
#[expect(clippy::struct_excessive_bools, reason = "so the standards register them")]
pub struct ClientMetadata {
    /// Absent: `none` for a public app, either kind of secret for a confidential one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<AuthMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<SigningAlg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The one set of rules that the app lives by; ours, not registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    pub require_auth_time: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// Nobody gets in without two factors, whatever a request asks for; ours, and the operator's to
    /// say: `default_acr_values` is a wish.
    #[serde(skip_serializing_if = "is_false")]
    pub require_second_factor: bool,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<SigningAlg>,
    #[serde(skip_serializing_if = "is_false")]
    pub require_signed_request_object: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens: bool,
    /// Proofs of this app must hold a nonce of ours (RFC 9449 section 8); ours, not registered.
    #[serde(skip_serializing_if = "is_false")]
    pub require_dpop_nonce: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<String>,
    /// The resource servers, beside this one, that the app may have tokens for (RFC 8707); ours,
    /// and the operator's to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_token_delivery_mode: Option<DeliveryMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_client_notification_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_authentication_request_signing_alg: Option<SigningAlg>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,

    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// Names and links in other languages: `client_name#de`. Source: RFC 7591 section 2.2.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub localized: Map<String, Value>,
    /// Whom this app may act as without being asked by that user (RFC 8693); ours: token exchange
    /// without `act` is refused to everybody else.
    #[serde(skip_serializing_if = "is_false")]
    pub may_impersonate: bool,
    /// Whether the app takes what its users type to sign in, in place of our pages, and needs no
    /// consent of theirs; ours, and the operator's to say.
    #[serde(skip_serializing_if = "is_false")]
    pub may_take_passwords: bool,
    /// The apps whose users are let in here by a code of theirs, without our pages; ours, and the
    /// operator's to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embedded_in: Vec<AppId>,
}

impl ClientMetadata {
    /// The value of a name or link in a language: the one with the shortest tag, so that `#de`
    /// comes before `#de-CH`. Source: RFC 7591 section 2.2.
    pub fn localized_in(&self, name: &str, language: Language) -> Option<&str> {
        let tagged = self.localized.iter().filter_map(|(key, value)| {
            let (bare, tag) = key.split_once('#')?;
            let fits = bare == name && Language::of_tag(tag) == Some(language);
            fits.then_some((tag.len(), value.as_str()?))
        });
        tagged.min_by_key(|(length, _)| *length).map(|(_, value)| value)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// How apps sign what they send us: our own algorithms, HMAC with a secret, and nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlg {
    /// Not at all; only where a standard allows it.
    #[serde(rename = "none")]
    Unsigned,
    /// HMAC with SHA-256 and the client secret.
    HS256,
    /// See [`Algorithm::RS256`].
    RS256,
    /// See [`Algorithm::PS256`].
    PS256,
    /// See [`Algorithm::ES256`].
    ES256,
    /// See [`Algorithm::EdDSA`].
    EdDSA,
}

impl SigningAlg {
    /// The algorithm, if it is one with public keys.
    pub fn asymmetric(self) -> Option<Algorithm> {
        match self {
            Self::Unsigned | Self::HS256 => None,
            Self::RS256 => Some(Algorithm::RS256),
            Self::PS256 => Some(Algorithm::PS256),
            Self::ES256 => Some(Algorithm::ES256),
            Self::EdDSA => Some(Algorithm::EdDSA),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rfc7591_2_2_the_shortest_tag_of_a_language_is_shown() {
        let localized = json!({
            "client_name#de-CH": "Spital", "client_name#de": "Klinik", "client_name#fr": "Clinique",
            "tos_uri#DE-at": "https://clinic.example/agb",
        });
        let metadata: ClientMetadata =
            serde_json::from_value(json!({ "localized": localized })).unwrap();
        let german = |name| metadata.localized_in(name, Language::German);

        assert_eq!(german("client_name"), Some("Klinik"));
        assert_eq!(german("tos_uri"), Some("https://clinic.example/agb"));
        assert_eq!(german("policy_uri"), None);
        assert_eq!(metadata.localized_in("client_name", Language::English), None);
    }
}
