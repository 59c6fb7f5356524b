//! What an app must do beyond the plain protocol, because it registered so or lives by a profile.
//!
//! One place for each rule: who asks does not look at the profile. Source: FAPI 2.0 Security
//! Profile section 5.3.2, FAPI 2.0 Message Signing sections 5.3 to 5.5.

use crate::apps::check::{FIELD, ITEMS_MAX};
use crate::apps::error::Fault;
use crate::apps::metadata::{AuthMethod, Profile, SigningAlg};
use crate::apps::model::{App, GrantType, Kind};
use crate::apps::new_app::NewApp;
use crate::keys::algorithm::Algorithm;

impl App {
    /// Whether it lives by FAPI 2.0, with or without signed messages.
    pub fn is_fapi(&self) -> bool {
        self.metadata.profile.is_some()
    }

    /// Whether its authorization requests must be pushed. Source: RFC 9126 section 6.
    pub fn must_push_requests(&self) -> bool {
        self.metadata.require_pushed_authorization_requests || self.is_fapi()
    }

    /// Whether its authorization requests must be signed. Source: RFC 9101 section 10.5.
    pub fn must_sign_requests(&self) -> bool {
        self.metadata.require_signed_request_object || self.lives_by_message_signing()
    }

    /// Whether only what stands inside its request objects counts, and has to say for whom and
    /// how long it is.
    pub fn has_strict_requests(&self) -> bool {
        self.is_fapi() || self.must_sign_requests()
    }

    /// Whether its authorization responses must be signed. Source: FAPI 2.0 Message Signing
    /// section 5.4.
    pub fn needs_signed_responses(&self) -> bool {
        self.lives_by_message_signing()
    }

    /// Whether its tokens must be bound to a key. Source: FAPI 2.0 Security Profile
    /// section 5.3.2.1.
    pub fn needs_bound_tokens(&self) -> bool {
        self.is_fapi()
    }

    /// Whether a code challenge is demanded of it.
    pub fn needs_pkce(&self) -> bool {
        self.require_pkce || self.is_fapi()
    }

    /// Whether each use of a refresh token gives a new one. FAPI 2.0 forbids it: what is bound to
    /// a key need not be replaced, and a lost answer must not lock the app out. Source: FAPI 2.0
    /// Security Profile section 5.3.2.1.
    pub fn rotates(&self) -> bool {
        self.rotate_refresh_tokens && !self.is_fapi()
    }

    /// The algorithms by which it may sign what it sends us, within what it registered.
    pub fn signing_algorithms(&self, registered: Option<SigningAlg>) -> Vec<Algorithm> {
        let registered = registered.map(SigningAlg::asymmetric);
        let is_allowed = |algorithm: &Algorithm| {
            registered.is_none_or(|only| only == Some(*algorithm))
                && !(self.is_fapi() && *algorithm == Algorithm::RS256)
        };
        Algorithm::ALL.into_iter().filter(is_allowed).collect()
    }

    /// The algorithm of what is signed for it, if it `registered` none: that of OpenID Connect, or
    /// one that FAPI 2.0 allows.
    pub fn answers_with(&self, registered: Option<Algorithm>) -> Algorithm {
        registered.unwrap_or(if self.is_fapi() { Algorithm::ES256 } else { Algorithm::RS256 })
    }

    fn lives_by_message_signing(&self) -> bool {
        self.metadata.profile == Some(Profile::Fapi2MessageSigning)
    }
}

impl NewApp {
    /// What stands against an app that signs people in without our pages: nobody shows who it is
    /// there, and no key binds what it gets.
    pub(in crate::apps) fn check_direct(&self, faults: &mut Vec<Fault>) {
        let metadata = &self.metadata;
        let field = match (metadata.may_take_passwords, metadata.embedded_in.is_empty()) {
            (true, _) => format!("{FIELD}.may_take_passwords"),
            (false, false) => format!("{FIELD}.embedded_in"),
            (false, true) => return,
        };
        if self.kind != Kind::Public {
            faults.push(Fault::new(&field, "is for public apps"));
        }
        if metadata.dpop_bound_access_tokens || metadata.tls_client_certificate_bound_access_tokens
        {
            faults.push(Fault::new(&field, "does not go with bound tokens"));
        }
        if !self.grant_types.contains(&GrantType::AuthorizationCode) {
            faults.push(Fault::new(&field, "needs the grant type authorization_code"));
        }
        if metadata.embedded_in.len() > ITEMS_MAX {
            faults.push(Fault::new(&field, format!("must be at most {ITEMS_MAX}")));
        }
    }

    /// What stands against the profile that the app is to live by.
    pub(in crate::apps) fn check_profile(&self, faults: &mut Vec<Fault>) {
        let metadata = &self.metadata;
        let Some(profile) = metadata.profile else { return };
        let of_metadata = |name: &str| format!("{FIELD}.{name}");
        if self.kind == Kind::Public {
            faults.push(Fault::new("type", "must be confidential for this profile"));
        }
        let by_keys = matches!(
            metadata.token_endpoint_auth_method,
            Some(
                AuthMethod::PrivateKeyJwt
                    | AuthMethod::TlsClientAuth
                    | AuthMethod::SelfSignedTlsClientAuth
            )
        );
        if !by_keys {
            let problem = "must be private_key_jwt or one of mutual TLS for this profile";
            faults.push(Fault::new(of_metadata("token_endpoint_auth_method"), problem));
        }
        if !self.require_pkce {
            faults.push(Fault::new("require_pkce", "must not be off for this profile"));
        }
        if profile == Profile::Fapi2MessageSigning
            && metadata.jwks.is_none()
            && metadata.jwks_uri.is_none()
        {
            let problem = "needs jwks or jwks_uri: requests are to be signed";
            faults.push(Fault::new(of_metadata("profile"), problem));
        }
        self.check_strength(faults);
    }

    /// Source: FAPI 2.0 Security Profile section 5.4.1: PS256, ES256 and `EdDSA`, nothing else.
    fn check_strength(&self, faults: &mut Vec<Fault>) {
        const PROBLEM: &str = "must be PS256, ES256 or EdDSA for this profile";
        let metadata = &self.metadata;
        let ours = [
            ("id_token_algorithm".to_owned(), Some(self.id_token_algorithm)),
            ("access_token_algorithm".to_owned(), Some(self.access_token_algorithm)),
        ];
        let answers = [
            ("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg),
            ("authorization_signed_response_alg", metadata.authorization_signed_response_alg),
            ("introspection_signed_response_alg", metadata.introspection_signed_response_alg),
        ]
        .map(|(name, algorithm)| (format!("{FIELD}.{name}"), algorithm));
        for (field, algorithm) in ours.into_iter().chain(answers) {
            if algorithm == Some(Algorithm::RS256) {
                faults.push(Fault::new(field, PROBLEM));
            }
        }
        for (name, algorithm) in [
            ("token_endpoint_auth_signing_alg", metadata.token_endpoint_auth_signing_alg),
            ("request_object_signing_alg", metadata.request_object_signing_alg),
            (
                "backchannel_authentication_request_signing_alg",
                metadata.backchannel_authentication_request_signing_alg,
            ),
        ] {
            let asymmetric = algorithm.map(SigningAlg::asymmetric);
            if matches!(asymmetric, Some(None | Some(Algorithm::RS256))) {
                faults.push(Fault::new(format!("{FIELD}.{name}"), PROBLEM));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::apps::redirect::RedirectUri;

    /// A good app of the profile, bent by `bend`, must be refused for `field`, and nothing else.
    #[track_caller]
    fn refused(bend: impl FnOnce(&mut NewApp), field: &str) {
        let mut app = NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A");
        app.callback_urls = vec![RedirectUri::parse("https://a.example/cb").unwrap()];
        app.kind = Kind::Confidential;
        app.id_token_algorithm = Algorithm::ES256;
        app.metadata.profile = Some(Profile::Fapi2MessageSigning);
        app.metadata.token_endpoint_auth_method = Some(AuthMethod::PrivateKeyJwt);
        app.metadata.jwks_uri = Some("https://a.example/jwks".to_owned());
        assert_eq!(app.check(), Ok(()));
        bend(&mut app);
        let faults = app.check().expect_err(field);
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, [field], "{faults:?}");
    }

    #[test]
    fn what_breaks_the_profile_is_refused_by_its_field() {
        refused(|app| app.require_pkce = false, "require_pkce");
        refused(|app| app.id_token_algorithm = Algorithm::RS256, "id_token_algorithm");
        refused(|app| app.access_token_algorithm = Algorithm::RS256, "access_token_algorithm");
        refused(
            |app| app.metadata.token_endpoint_auth_method = Some(AuthMethod::ClientSecretBasic),
            "client_metadata.token_endpoint_auth_method",
        );
        refused(
            |app| app.metadata.token_endpoint_auth_signing_alg = Some(SigningAlg::RS256),
            "client_metadata.token_endpoint_auth_signing_alg",
        );
        refused(
            |app| app.metadata.request_object_signing_alg = Some(SigningAlg::RS256),
            "client_metadata.request_object_signing_alg",
        );
        refused(
            |app| app.metadata.authorization_signed_response_alg = Some(Algorithm::RS256),
            "client_metadata.authorization_signed_response_alg",
        );
    }

    #[test]
    fn an_app_without_a_profile_is_asked_nothing_more() {
        let plain = NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A");
        let plain = plain.with_secrets(Vec::new());
        assert!(!plain.must_push_requests() && !plain.must_sign_requests() && plain.rotates());
        assert_eq!(plain.signing_algorithms(None), Algorithm::ALL);
        assert_eq!(plain.signing_algorithms(Some(SigningAlg::HS256)), []);

        let mut fapi = plain;
        fapi.metadata.profile = Some(Profile::Fapi2Security);
        fapi.metadata.jwks = Some(json!({"keys": []}));
        assert!(fapi.must_push_requests() && !fapi.must_sign_requests() && !fapi.rotates());
        assert!(!fapi.signing_algorithms(None).contains(&Algorithm::RS256));
        assert!(fapi.signing_algorithms(Some(SigningAlg::RS256)).is_empty());
    }
}
