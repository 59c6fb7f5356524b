//! From what an app says of itself to the app that is registered. Without any I/O.
//!
//! Fields that are not known, or belong to what is not offered here, are passed over, as RFC 7591
//! section 2 asks; values that are not offered are refused. The names by which the operator rules
//! (status, allow-list, claims, profile, impersonation) are not looked at.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::apps::check;
use crate::apps::error::Fault;
use crate::apps::metadata::{AuthMethod, ClientMetadata};
use crate::apps::model::{GrantType, Kind};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::base::scope::Scope;
use crate::oauth::registration::RegistrationError;

/// What an app may register.
#[derive(Debug)]
pub(in crate::oauth::registration) struct Rules<'a> {
    /// What this server says of itself: the lists of what is offered.
    pub(in crate::oauth::registration) offered: &'a Value,
    /// The scopes that it may get at most.
    pub(in crate::oauth::registration) scopes: Scope,
}

/// Metadata that are kept by their own names.
const PLAIN: &[&str] = &[
    "jwks",
    "jwks_uri",
    "sector_identifier_uri",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "contacts",
    "policy_uri",
    "tos_uri",
    "software_id",
    "software_version",
    "application_type",
];

/// Metadata whose values are offered by a list: its name, and that of the list.
const LISTED: &[(&str, &str)] = &[
    ("token_endpoint_auth_method", "token_endpoint_auth_methods_supported"),
    ("token_endpoint_auth_signing_alg", "token_endpoint_auth_signing_alg_values_supported"),
    ("subject_type", "subject_types_supported"),
    ("id_token_encrypted_response_alg", "id_token_encryption_alg_values_supported"),
    ("id_token_encrypted_response_enc", "id_token_encryption_enc_values_supported"),
    ("userinfo_signed_response_alg", "userinfo_signing_alg_values_supported"),
    ("userinfo_encrypted_response_alg", "userinfo_encryption_alg_values_supported"),
    ("userinfo_encrypted_response_enc", "userinfo_encryption_enc_values_supported"),
    ("authorization_signed_response_alg", "authorization_signing_alg_values_supported"),
    ("introspection_signed_response_alg", "introspection_signing_alg_values_supported"),
    ("request_object_signing_alg", "request_object_signing_alg_values_supported"),
    ("authorization_details_types", "authorization_details_types_supported"),
    ("backchannel_token_delivery_mode", "backchannel_token_delivery_modes_supported"),
    (
        "backchannel_authentication_request_signing_alg",
        "backchannel_authentication_request_signing_alg_values_supported",
    ),
];

/// Metadata that mean something only where a feature is offered: its name, and what tells.
const FEATURES: &[(&str, &str)] = &[
    ("require_signed_request_object", "request_parameter_supported"),
    ("request_uris", "request_uri_parameter_supported"),
    ("require_pushed_authorization_requests", "pushed_authorization_request_endpoint"),
    ("dpop_bound_access_tokens", "dpop_signing_alg_values_supported"),
    ("tls_client_certificate_bound_access_tokens", "tls_client_certificate_bound_access_tokens"),
    ("tls_client_auth_subject_dn", "tls_client_certificate_bound_access_tokens"),
    ("tls_client_auth_san_dns", "tls_client_certificate_bound_access_tokens"),
    ("tls_client_auth_san_uri", "tls_client_certificate_bound_access_tokens"),
    ("tls_client_auth_san_ip", "tls_client_certificate_bound_access_tokens"),
    ("tls_client_auth_san_email", "tls_client_certificate_bound_access_tokens"),
    ("backchannel_client_notification_endpoint", "backchannel_authentication_endpoint"),
    ("backchannel_logout_uri", "backchannel_logout_supported"),
    ("backchannel_logout_session_required", "backchannel_logout_supported"),
    ("frontchannel_logout_uri", "frontchannel_logout_supported"),
    ("frontchannel_logout_session_required", "frontchannel_logout_supported"),
];

/// Texts and links that may come in several languages. Source: RFC 7591 section 2.2.
const LOCALIZED: [&str; 5] = ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"];

/// Grants by which an app gets tokens of users who never saw it.
const OPERATORS: [GrantType; 2] = [GrantType::TokenExchange, GrantType::JwtBearer];

type Read<T> = Result<T, Fault>;

/// Reads what an app says of itself over `start`, which is a fresh app or the one that it was.
///
/// # Errors
/// [`RegistrationError`] with the first fault; the rules between fields are for
/// [`NewApp::check`].
pub(in crate::oauth::registration) fn read(
    asked: &Map<String, Value>,
    rules: &Rules<'_>,
    start: NewApp,
) -> Result<NewApp, RegistrationError> {
    if let Some(statement) = asked.get("software_statement").filter(|value| !value.is_null()) {
        let parts = statement.as_str().map_or(0, |text| text.split('.').count());
        let unread = RegistrationError::BadStatement;
        return Err(if parts == 3 { RegistrationError::Statement } else { unread });
    }
    let asked: Map<String, Value> = asked
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    app(&asked, rules, start).map_err(|fault| refusal(&[fault]))
}

fn app(asked: &Map<String, Value>, rules: &Rules<'_>, start: NewApp) -> Read<NewApp> {
    let mut metadata = metadata(asked, rules, &start.metadata)?;
    metadata.token_endpoint_auth_method.get_or_insert(AuthMethod::ClientSecretBasic);
    let kind = match metadata.token_endpoint_auth_method {
        Some(AuthMethod::None) => Kind::Public,
        _ => Kind::Confidential,
    };
    let grant_types = grant_types(asked, rules)?;
    if grant_types.iter().any(|one| OPERATORS.contains(one) && !start.grant_types.contains(one)) {
        return Err(Fault::new("grant_types", "holds one that an operator has to allow"));
    }
    check_response_types(asked, rules, grant_types.contains(&GrantType::AuthorizationCode))?;
    let scopes = scopes(asked, rules)?;
    let name = one::<String>(asked, "client_name")?;
    let algorithm = listed(asked, rules, "id_token_signed_response_alg", ID_TOKEN_ALGS)?;
    let fresh = NewApp::new(start.id.clone(), start.account.clone(), start.id.as_str());
    let app = NewApp {
        title: name.unwrap_or(fresh.title),
        url: one(asked, "client_uri")?,
        icon_url: one(asked, "logo_uri")?,
        kind,
        default_scopes: scopes.intersection(&start.default_scopes.union(&openid())),
        allowed_scopes: scopes,
        callback_urls: urls(asked, "redirect_uris")?,
        logout_urls: urls(asked, "post_logout_redirect_uris")?,
        grant_types,
        // Source: RFC 9700 section 2.1.1: a confidential app of OpenID Connect may rely on its
        // nonce; a public one must not.
        require_pkce: kind == Kind::Public,
        id_token_algorithm: algorithm.unwrap_or(fresh.id_token_algorithm),
        metadata,
        ..start
    };
    check_schemes(&app)?;
    Ok(app)
}

const ID_TOKEN_ALGS: &str = "id_token_signing_alg_values_supported";

fn openid() -> Scope {
    Scope::parse("openid").unwrap_or_default()
}

/// A field of some type; its text is never repeated in the fault.
fn one<T: DeserializeOwned>(asked: &Map<String, Value>, name: &str) -> Read<Option<T>> {
    let Some(value) = asked.get(name) else { return Ok(None) };
    serde_json::from_value(value.clone())
        .map(Some)
        .map_err(|_| Fault::new(name, "is malformed or not supported"))
}

/// A field whose value, or whose every item, is among what a list offers; `None` if there is no
/// such list here.
fn listed<T: DeserializeOwned>(
    asked: &Map<String, Value>,
    rules: &Rules<'_>,
    name: &str,
    list: &str,
) -> Read<Option<T>> {
    let Some(value) = asked.get(name) else { return Ok(None) };
    let Some(offered) = rules.offered.get(list).and_then(Value::as_array) else { return Ok(None) };
    let is_offered = match value {
        Value::Array(items) => items.iter().all(|item| offered.contains(item)),
        item => offered.contains(item),
    };
    if is_offered { one(asked, name) } else { Err(Fault::new(name, "is not supported here")) }
}

/// The metadata that an app may tell of itself, by their names.
pub(in crate::oauth::registration) fn is_own(name: &str) -> bool {
    LISTED.iter().chain(FEATURES).any(|(own, _)| *own == name) || PLAIN.contains(&name)
}

/// What an app tells of itself, beside what its operator said of it.
fn metadata(
    asked: &Map<String, Value>,
    rules: &Rules<'_>,
    held: &ClientMetadata,
) -> Read<ClientMetadata> {
    let malformed = |_| Fault::new("metadata", "are malformed");
    let held: Map<String, Value> =
        serde_json::to_value(held).and_then(serde_json::from_value).map_err(malformed)?;
    let mut kept: Map<String, Value> = held.into_iter().filter(|(name, _)| !is_own(name)).collect();
    let mut keep = |name: &str, value: &Value| {
        let mut alone = Map::new();
        alone.insert(name.to_owned(), value.clone());
        serde_json::from_value::<ClientMetadata>(Value::Object(alone))
            .map_err(|_| Fault::new(name, "is malformed or not supported"))?;
        kept.insert(name.to_owned(), value.clone());
        Ok(())
    };
    for name in PLAIN {
        if let Some(value) = asked.get(*name) {
            keep(name, value)?;
        }
    }
    for (name, list) in LISTED {
        if let Some(value) = listed::<Value>(asked, rules, name, list)? {
            keep(name, &value)?;
        }
    }
    for (name, feature) in FEATURES {
        let is_offered =
            !matches!(rules.offered.get(feature), None | Some(Value::Null | Value::Bool(false)));
        if let Some(value) = asked.get(*name).filter(|_| is_offered) {
            keep(name, value)?;
        }
    }
    let mut metadata: ClientMetadata =
        serde_json::from_value(Value::Object(kept)).map_err(malformed)?;
    let is_localized =
        |name: &str| name.split_once('#').is_some_and(|(bare, _)| LOCALIZED.contains(&bare));
    metadata.localized = asked
        .iter()
        .filter(|(name, _)| is_localized(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(metadata)
}

/// Source: RFC 7591 section 2: the code flow, unless something else is asked for.
fn grant_types(asked: &Map<String, Value>, rules: &Rules<'_>) -> Read<BTreeSet<GrantType>> {
    let found = listed(asked, rules, "grant_types", "grant_types_supported")?;
    Ok(found.unwrap_or_else(|| BTreeSet::from([GrantType::AuthorizationCode])))
}

/// Source: RFC 7591 section 2.1: `code` goes with `authorization_code`.
fn check_response_types(asked: &Map<String, Value>, rules: &Rules<'_>, has_code: bool) -> Read<()> {
    let name = "response_types";
    let Some(types) = listed::<Vec<String>>(asked, rules, name, "response_types_supported")? else {
        return Ok(());
    };
    if types.is_empty() == has_code {
        return Err(Fault::new(name, "must be code with the grant type authorization_code"));
    }
    Ok(())
}

/// What of the scopes that are asked for the app may get; all that it may, if it asks for none.
fn scopes(asked: &Map<String, Value>, rules: &Rules<'_>) -> Read<Scope> {
    let Some(text) = one::<String>(asked, "scope")? else { return Ok(rules.scopes.clone()) };
    let wanted = Scope::parse(&text).map_err(|bad| Fault::new("scope", bad))?;
    let granted = wanted.intersection(&rules.scopes);
    if granted.is_empty() && !wanted.is_empty() {
        return Err(Fault::new("scope", "holds none that an app may register here"));
    }
    Ok(granted)
}

fn urls(asked: &Map<String, Value>, name: &str) -> Read<Vec<RedirectUri>> {
    let texts: Vec<String> = one(asked, name)?.unwrap_or_default();
    let parse = |(index, text): (usize, &String)| {
        RedirectUri::parse(text).map_err(|bad| Fault::new(format!("{name}[{index}]"), bad))
    };
    texts.iter().enumerate().map(parse).collect()
}

/// Source: OpenID Connect Registration section 2, `application_type`; RFC 8252 section 7.
fn check_schemes(app: &NewApp) -> Read<()> {
    let is_native = app.metadata.application_type.as_deref() == Some("native");
    let own_scheme = app.callback_urls.iter().position(|url| url.origin().is_none());
    match own_scheme {
        Some(index) if !is_native => Err(Fault::new(
            format!("redirect_uris[{index}]"),
            "an own scheme is for the application_type native",
        )),
        _ => Ok(()),
    }
}

/// The answer to a registration that breaks rules: the first of them, under its registered name.
pub(in crate::oauth::registration) fn refusal(faults: &[Fault]) -> RegistrationError {
    let fault = faults.first().cloned().unwrap_or_else(|| Fault::new("metadata", "are refused"));
    let field = fault.field.strip_prefix(&format!("{}.", check::FIELD)).unwrap_or(&fault.field);
    let (name, rest) = field.split_at(field.find('[').unwrap_or(field.len()));
    let name = match name {
        "callback_urls" => "redirect_uris",
        "logout_urls" => "post_logout_redirect_uris",
        "title" => "client_name",
        "url" => "client_uri",
        "icon_url" => "logo_uri",
        "allowed_scopes" | "default_scopes" => "scope",
        other => other,
    };
    let text = format!("{name}{rest}: {}", fault.problem);
    if name == "redirect_uris" {
        RegistrationError::RedirectUri(text)
    } else {
        RegistrationError::Metadata(text)
    }
}
