//! The rules that client metadata must keep, each fault with its field. Without any I/O.
//!
//! Source: RFC 7591 section 2, OpenID Connect Dynamic Client Registration 1.0 section 2, and the
//! standards that registered the fields.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use crate::apps::error::Fault;
use crate::apps::metadata::{AuthMethod, ClientMetadata, DeliveryMode, SigningAlg, SubjectType};
use crate::apps::model::Kind;
use crate::apps::redirect::RedirectUri;
use crate::apps::url::{self, Schemes};
use crate::base::text;
use crate::keys::foreign::KeySet;

/// Where faults of metadata are found in a file.
pub const FIELD: &str = "client_metadata";
/// Longest JWK set that is registered by value, in bytes of JSON.
pub const JWKS_BYTES_MAX: usize = 32 * 1024;
/// Most items of one list.
pub const ITEMS_MAX: usize = 32;
/// Longest name, address or other short text, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;
/// Most texts and links in other languages.
pub const LOCALIZED_MAX: usize = 64;

/// The members of a JWK that nobody else may know. Source: RFC 7518 section 6.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What the rest of a registration says that metadata have to agree with.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Whether the app can keep a secret.
    pub kind: Kind,
    /// Where users may be sent with a code.
    pub callback_urls: &'a [RedirectUri],
}

impl ClientMetadata {
    /// Checks every rule, by itself and against the rest of the registration.
    ///
    /// # Errors
    /// All rules that it breaks, each with its field.
    pub fn check(&self, around: Around<'_>) -> Result<(), Vec<Fault>> {
        let mut faults = Faults(Vec::new());
        self.check_authentication(around.kind, &mut faults);
        self.check_keys(&mut faults);
        self.check_certificates(&mut faults);
        self.check_encryption(&mut faults);
        self.check_requests(&mut faults);
        self.check_ciba(&mut faults);
        self.check_resources(&mut faults);
        self.check_urls(around.callback_urls, &mut faults);
        self.check_sector(around.callback_urls, &mut faults);
        self.check_texts(&mut faults);
        self.check_localized(&mut faults);
        if faults.0.is_empty() { Ok(()) } else { Err(faults.0) }
    }

    /// Whether the app told its public keys, or where they are.
    fn has_keys(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }

    /// Source: RFC 7591 section 2, OpenID Connect Core section 9.
    fn check_authentication(&self, kind: Kind, faults: &mut Faults) {
        const METHOD: &str = "token_endpoint_auth_method";
        const ALG: &str = "token_endpoint_auth_signing_alg";
        let method = self.token_endpoint_auth_method;
        match (method, kind) {
            (None | Some(AuthMethod::None), Kind::Public) => {}
            (Some(_), Kind::Public) => faults.add(METHOD, "a public app has none"),
            (Some(AuthMethod::None), Kind::Confidential) => {
                faults.add(METHOD, "a confidential app must show who it is");
            }
            (_, Kind::Confidential) => {}
        }
        let by_keys =
            matches!(method, Some(AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth));
        if by_keys && !self.has_keys() {
            faults.add(METHOD, "needs jwks or jwks_uri");
        }
        let Some(alg) = self.token_endpoint_auth_signing_alg else { return };
        match (method, alg) {
            (Some(AuthMethod::PrivateKeyJwt), alg) if alg.asymmetric().is_some() => {}
            (Some(AuthMethod::ClientSecretJwt), SigningAlg::HS256) => {}
            (Some(AuthMethod::PrivateKeyJwt | AuthMethod::ClientSecretJwt), _) => {
                faults.add(ALG, "does not go with token_endpoint_auth_method");
            }
            _ => faults.add(ALG, "is for private_key_jwt and client_secret_jwt"),
        }
    }

    /// Source: RFC 7591 section 2: never both.
    fn check_keys(&self, faults: &mut Faults) {
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            faults.add("jwks", "must not stand beside jwks_uri");
        }
        let Some(jwks) = &self.jwks else { return };
        if jwks.to_string().len() > JWKS_BYTES_MAX {
            faults.add("jwks", "must have at most 32768 bytes");
            return;
        }
        let keys = jwks.get("keys").and_then(Value::as_array).into_iter().flatten();
        let tells = |key: &Value| PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some());
        if keys.clone().any(tells) {
            faults.add("jwks", "must not hold a private key");
            return;
        }
        if !keys.clone().all(Value::is_object) {
            faults.add("jwks", "must hold JSON Web Keys");
            return;
        }
        match KeySet::from_json(jwks) {
            Err(bad) => faults.add("jwks", bad),
            Ok(set) => {
                let signs = self.token_endpoint_auth_method == Some(AuthMethod::PrivateKeyJwt);
                if signs && set.is_empty() {
                    faults.add("jwks", "holds no key that this server can verify with");
                }
            }
        }
    }

    /// Source: RFC 8705 section 2.1.2: exactly one of them.
    fn check_certificates(&self, faults: &mut Faults) {
        let names = [
            ("tls_client_auth_subject_dn", &self.tls_client_auth_subject_dn),
            ("tls_client_auth_san_dns", &self.tls_client_auth_san_dns),
            ("tls_client_auth_san_uri", &self.tls_client_auth_san_uri),
            ("tls_client_auth_san_ip", &self.tls_client_auth_san_ip),
            ("tls_client_auth_san_email", &self.tls_client_auth_san_email),
        ];
        let given = names.iter().filter(|(_, name)| name.is_some()).count();
        let wanted = self.token_endpoint_auth_method == Some(AuthMethod::TlsClientAuth);
        match (wanted, given) {
            (true, 1) | (false, 0) => {}
            (true, _) => faults.add(
                "token_endpoint_auth_method",
                "tls_client_auth needs exactly one of the fields tls_client_auth_…",
            ),
            (false, _) => {
                for (field, _) in names.iter().filter(|(_, name)| name.is_some()) {
                    faults.add(field, "is for tls_client_auth");
                }
            }
        }
        for (field, name) in names {
            faults.line(field, name.as_deref());
        }
        let ip = self.tls_client_auth_san_ip.as_deref();
        if ip.is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
            faults.add("tls_client_auth_san_ip", "must be an IP address");
        }
    }

    /// Source: OpenID Connect Registration section 2. Its default for the content is one that is
    /// not offered here, so it has to be said.
    fn check_encryption(&self, faults: &mut Faults) {
        let id_token = (
            "id_token_encrypted_response_alg",
            self.id_token_encrypted_response_alg.is_some(),
            "id_token_encrypted_response_enc",
            self.id_token_encrypted_response_enc.is_some(),
        );
        let userinfo = (
            "userinfo_encrypted_response_alg",
            self.userinfo_encrypted_response_alg.is_some(),
            "userinfo_encrypted_response_enc",
            self.userinfo_encrypted_response_enc.is_some(),
        );
        for (alg_field, has_alg, enc_field, has_enc) in [id_token, userinfo] {
            match (has_alg, has_enc) {
                (true, false) => faults.add(enc_field, "is missing: the default is not offered"),
                (false, true) => faults.add(enc_field, "needs the field for the algorithm, too"),
                (true, true) if !self.has_keys() => {
                    faults.add(alg_field, "needs jwks or jwks_uri");
                }
                _ => {}
            }
        }
    }

    /// Source: RFC 9101 section 10.5, OpenID Connect Registration section 2.
    fn check_requests(&self, faults: &mut Faults) {
        let alg = self.request_object_signing_alg;
        let signs = alg.is_some_and(|alg| alg.asymmetric().is_some());
        if signs && !self.has_keys() {
            faults.add("request_object_signing_alg", "needs jwks or jwks_uri");
        }
        if alg == Some(SigningAlg::HS256) {
            faults.add("request_object_signing_alg", "must be one with public keys, or none");
        }
        if self.require_signed_request_object && alg == Some(SigningAlg::Unsigned) {
            faults.add("request_object_signing_alg", "must not be none: they are to be signed");
        }
        if self.require_signed_request_object && !self.has_keys() {
            faults.add("require_signed_request_object", "needs jwks or jwks_uri");
        }
        if self.request_uris.len() > ITEMS_MAX {
            faults.add("request_uris", "must be at most 32");
        }
        for (index, uri) in self.request_uris.iter().take(ITEMS_MAX).enumerate() {
            // A hash of the request may follow, for caches. Source: RFC 9101 section 5.2.
            let (bare, hash) = uri.split_once('#').unwrap_or((uri, ""));
            let is_hash = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=');
            if let Err(bad) = url::check(bare, Schemes::Web) {
                faults.add(format!("request_uris[{index}]"), bad);
            } else if !hash.bytes().all(is_hash) || uri.ends_with('#') || hash.len() > 100 {
                faults.add(format!("request_uris[{index}]"), "the fragment must be a hash");
            }
        }
    }

    /// Source: OpenID Connect CIBA Core section 4.
    fn check_ciba(&self, faults: &mut Faults) {
        const ENDPOINT: &str = "backchannel_client_notification_endpoint";
        const ALG: &str = "backchannel_authentication_request_signing_alg";
        let endpoint = self.backchannel_client_notification_endpoint.as_deref();
        if self.backchannel_token_delivery_mode == Some(DeliveryMode::Ping) && endpoint.is_none() {
            faults.add(ENDPOINT, "is missing: ping needs it");
        }
        faults.url(ENDPOINT, endpoint);
        match self.backchannel_authentication_request_signing_alg.map(SigningAlg::asymmetric) {
            Some(None) => faults.add(ALG, "must be one with public keys"),
            Some(Some(_)) if !self.has_keys() => faults.add(ALG, "needs jwks or jwks_uri"),
            None | Some(Some(_)) => {}
        }
    }

    /// Source: RFC 8707 section 2: absolute, without a fragment.
    fn check_resources(&self, faults: &mut Faults) {
        if self.resources.len() > ITEMS_MAX {
            faults.add("resources", "must be at most 32");
        }
        for (index, uri) in self.resources.iter().take(ITEMS_MAX).enumerate() {
            let is_absolute = ::url::Url::parse(uri).is_ok_and(|url| url.fragment().is_none());
            if !is_absolute || uri.len() > TEXT_BYTES_MAX || !uri.bytes().all(is_visible) {
                faults.add(format!("resources[{index}]"), "must be a URI without a fragment");
            }
        }
    }

    fn check_urls(&self, callback_urls: &[RedirectUri], faults: &mut Faults) {
        for (field, url) in [
            ("jwks_uri", &self.jwks_uri),
            ("sector_identifier_uri", &self.sector_identifier_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
            ("frontchannel_logout_uri", &self.frontchannel_logout_uri),
            ("initiate_login_uri", &self.initiate_login_uri),
            ("policy_uri", &self.policy_uri),
            ("tos_uri", &self.tos_uri),
        ] {
            faults.url(field, url.as_deref());
        }
        // Source: OpenID Connect Core section 4.
        let initiate = self.initiate_login_uri.as_deref();
        let is_plain =
            |url: &str| url.starts_with("http:") && url::check(url, Schemes::Web).is_ok();
        if initiate.is_some_and(is_plain) {
            faults.add("initiate_login_uri", "must begin with https://");
        }
        // Source: OpenID Connect Front-Channel Logout section 2.
        let front = self.frontchannel_logout_uri.as_deref();
        let front = front.filter(|url| url::check(url, Schemes::Web).is_ok()).and_then(url::origin);
        let is_own = |origin: &str| callback_urls.iter().any(|url| is_origin(url, origin));
        if front.is_some_and(|origin| !is_own(&origin)) {
            let problem = "must have the scheme, host and port of a redirect URI";
            faults.add("frontchannel_logout_uri", problem);
        }
        for (field, required, uri) in [
            (
                "backchannel_logout_session_required",
                self.backchannel_logout_session_required,
                &self.backchannel_logout_uri,
            ),
            (
                "frontchannel_logout_session_required",
                self.frontchannel_logout_session_required,
                &self.frontchannel_logout_uri,
            ),
        ] {
            if required && uri.is_none() {
                faults.add(field, "needs the URI for it");
            }
        }
    }

    /// Source: OpenID Connect Core section 8.1.
    fn check_sector(&self, callback_urls: &[RedirectUri], faults: &mut Faults) {
        if self.subject_type != Some(SubjectType::Pairwise) || self.sector_identifier_uri.is_some()
        {
            return;
        }
        let hosts: BTreeSet<Option<String>> =
            callback_urls.iter().map(|url| url::host(url.as_str())).collect();
        if hosts.len() > 1 || hosts.contains(&None) {
            let problem = "is missing: the redirect URIs have no one host that names the sector";
            faults.add("sector_identifier_uri", problem);
        }
    }

    fn check_texts(&self, faults: &mut Faults) {
        if let Some(kind) = self.application_type.as_deref()
            && !matches!(kind, "web" | "native")
        {
            faults.add("application_type", "must be web or native");
        }
        faults.line("software_id", self.software_id.as_deref());
        faults.line("software_version", self.software_version.as_deref());
        for (field, items) in [
            ("contacts", &self.contacts),
            ("default_acr_values", &self.default_acr_values),
            ("authorization_details_types", &self.authorization_details_types),
        ] {
            if items.len() > ITEMS_MAX {
                faults.add(field, "must be at most 32");
            }
            for (index, item) in items.iter().take(ITEMS_MAX).enumerate() {
                faults.line(&format!("{field}[{index}]"), Some(item));
            }
        }
    }

    /// Source: RFC 7591 section 2.2.
    fn check_localized(&self, faults: &mut Faults) {
        if self.localized.len() > LOCALIZED_MAX {
            faults.add("localized", "must be at most 64");
        }
        for (index, (name, value)) in self.localized.iter().take(LOCALIZED_MAX).enumerate() {
            let field = format!("localized[{index}]");
            let (bare, tag) = name.split_once('#').unwrap_or((name, ""));
            if !is_language_tag(tag) {
                faults.add(field, "must be a name, # and a language tag");
                continue;
            }
            let Some(value) = value.as_str() else {
                faults.add(field, "must be text");
                continue;
            };
            match bare {
                "client_name" => faults.line(&field, Some(value)),
                "client_uri" | "logo_uri" | "policy_uri" | "tos_uri" => {
                    faults.url(&field, Some(value));
                }
                _ => faults.add(field, "is not a text for people"),
            }
        }
    }
}

fn is_origin(url: &RedirectUri, origin: &str) -> bool {
    url.origin().as_deref() == Some(origin)
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

/// The shape of a language tag. Source: RFC 5646 section 2.1.
pub fn is_language_tag(tag: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.len() <= 35
        && tag.split('-').all(is_part)
        && tag.split('-').next().is_some_and(|part| part.bytes().all(|b| b.is_ascii_alphabetic()))
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: impl AsRef<str>, problem: impl std::fmt::Display) {
        self.0.push(Fault::new(format!("{FIELD}.{}", field.as_ref()), problem));
    }

    fn line(&mut self, field: &str, value: Option<&str>) {
        if let Some(Err(bad)) = value.map(|value| text::line(value, TEXT_BYTES_MAX)) {
            self.add(field, bad);
        }
    }

    fn url(&mut self, field: &str, value: Option<&str>) {
        if let Some(Err(bad)) = value.map(|value| url::check(value, Schemes::Web)) {
            self.add(field, bad);
        }
    }
}

#[cfg(test)]
mod tests;
