//! Providers in a declaration.

use std::collections::BTreeMap;

use crate::base::id::{AccountId, GroupId, ProviderId};
use crate::base::text::line;
use crate::keys::algorithm::Algorithm;
use crate::setup::declaration::ProviderEntry;
use crate::setup::read::{Notes, Object, Part, any};
use crate::setup::saml_settings;
use crate::setup::secret::{Declared, Outside, read as read_secret};
use crate::upstream::model::{NewProvider, Secrets, Zeroized};
use crate::upstream::settings::{ClientAuth, Oidc, Protocol, ResponseMode, Settings, TENANT};

const KEYS: &[&str] = &[
    "id",
    "account",
    "title",
    "enabled",
    "kind",
    "creates_users",
    "groups",
    "required_for_members",
    "email_domains",
    "trusts_amr",
    "acr_means",
    "preset",
    "tenant",
    "tenants",
    "issuer",
    "discovery_url",
    "client_id",
    "client_auth",
    "client_secret",
    "client_key",
    "team_id",
    "key_id",
    "scopes",
    "response_mode",
    "userinfo",
    "algorithms",
    "metadata",
    "entity_id",
    "sso_url",
    "request_binding",
    "certificates",
    "own_entity_id",
    "own_certificate",
    "name_id",
    "subject_attribute",
    "attributes",
];

/// Longest title, in bytes: it stands on a button.
const TITLE_BYTES_MAX: usize = 80;
/// Longest text of a setting, in bytes.
const TEXT_BYTES_MAX: usize = 1_000;

/// A provider that many know, with its ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preset {
    Google,
    Microsoft,
    Apple,
}

fn preset(text: &str) -> Result<Preset, &'static str> {
    match text {
        "google" => Ok(Preset::Google),
        "microsoft" => Ok(Preset::Microsoft),
        "apple" => Ok(Preset::Apple),
        _ => Err("must be google, microsoft or apple"),
    }
}

pub(in crate::setup) fn text(given: &str) -> Result<String, crate::base::text::BadText> {
    line(given, TEXT_BYTES_MAX).map(str::to_owned)
}

/// Reads a provider.
pub(in crate::setup) fn read(
    part: &Part<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<ProviderEntry> {
    let object = part.object(KEYS, notes)?;
    let id = object.need_text("id", str::parse::<ProviderId>, notes);
    let account = object.get("account").map(|part| part.parse(str::parse::<AccountId>, notes));
    let title = |given: &str| line(given, TITLE_BYTES_MAX).map(str::to_owned);
    let title = object.need_text("title", title, notes);
    let protocol = match object.need_text("kind", any, notes)?.value.as_str() {
        "oidc" => oidc(&object, notes).map(Protocol::Oidc),
        "saml" => saml_settings::read(&object, outside, notes).map(Protocol::Saml),
        _ => {
            part.fault_of("kind", "must be oidc or saml", notes);
            None
        }
    };
    let secrets = Secrets {
        client_secret: secret(&object, "client_secret", outside, notes),
        client_key: secret(&object, "client_key", outside, notes),
    };
    let groups = object.texts("groups", str::parse::<GroupId>, notes).unwrap_or_default();
    let account = match account {
        Some(read) => Some(read?),
        None => None,
    };
    let settings = Settings {
        creates_users: object.flag("creates_users", notes).unwrap_or(false),
        groups: groups.iter().map(|at| at.value.clone()).collect(),
        required_for_members: object.flag("required_for_members", notes).unwrap_or(false),
        email_domains: domains(&object, notes),
        trusts_amr: object.flag("trusts_amr", notes).unwrap_or(false),
        acr_means: acr_means(&object, notes),
        protocol: protocol?,
    };
    if account.is_none() && !settings.groups.is_empty() {
        part.fault_of("groups", "belong to an account, and this provider to none", notes);
    }
    if account.is_none() && settings.required_for_members {
        part.fault_of("required_for_members", "needs an account whose members they are", notes);
    }
    let provider = NewProvider {
        id: id?.value,
        account: account.as_ref().map(|at| at.value.clone()),
        title: title?.value,
        enabled: object.flag("enabled", notes).unwrap_or(true),
        settings,
        secrets,
    };
    check_secrets(part, &provider, notes);
    Some(ProviderEntry { provider: part.at(provider), account, groups })
}

fn secret(
    object: &Object<'_>,
    name: &str,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<Zeroized> {
    let part = object.get(name)?;
    match read_secret(&part, outside, notes)? {
        Declared::Clear(secret) => Some(Zeroized::from(secret.reveal().to_owned())),
        Declared::Hash(_) => {
            part.fault(notes, "cannot be a hash: the provider wants the secret itself");
            None
        }
    }
}

/// Domains of e-mail addresses, in small letters.
fn domains(object: &Object<'_>, notes: &mut Notes) -> Vec<String> {
    let domain = |given: &str| {
        let good = given.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        let is_domain = good && given.contains('.') && given.len() <= 253;
        is_domain.then(|| given.to_ascii_lowercase()).ok_or("must be a domain: example.org")
    };
    let found = object.texts("email_domains", domain, notes).unwrap_or_default();
    found.into_iter().map(|at| at.value).collect()
}

fn acr_means(object: &Object<'_>, notes: &mut Notes) -> BTreeMap<String, Vec<String>> {
    let Some(part) = object.get("acr_means") else { return BTreeMap::new() };
    let read = serde_json::from_value(part.node().to_json());
    read.unwrap_or_else(|_| {
        part.fault(notes, "must name lists of methods: { context: [pwd, otp] }");
        BTreeMap::new()
    })
}

pub(in crate::setup) fn texts(
    object: &Object<'_>,
    name: &str,
    notes: &mut Notes,
) -> Option<Vec<String>> {
    Some(object.texts(name, text, notes)?.into_iter().map(|at| at.value).collect())
}

/// An issuer or an endpoint: https, or http where the outbound client allows it.
pub(in crate::setup) fn web_address(given: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(&given.replace(TENANT, "tenant")).map_err(|_| "must be a URL")?;
    if !matches!(url.scheme(), "https" | "http") || url.fragment().is_some() {
        return Err("must be an https URL without fragment");
    }
    Ok(given.to_owned())
}

fn oidc(object: &Object<'_>, notes: &mut Notes) -> Option<Oidc> {
    let preset = object.text("preset", preset, notes);
    let (issuer, discovery_url) = places(object, preset, notes)?;
    let client_id = object.need_text("client_id", text, notes);
    let client_auth = client_auth(object, preset, notes);
    let scopes = texts(object, "scopes", notes).unwrap_or_else(|| {
        let usual: &[&str] = match preset {
            Some(Preset::Apple) => &["openid", "email", "name"],
            _ => &["openid", "email", "profile"],
        };
        usual.iter().map(|scope| (*scope).to_owned()).collect()
    });
    if !scopes.iter().any(|scope| scope == "openid") {
        object.part().fault_of("scopes", "must have openid among them", notes);
    }
    let response_mode = object.text(
        "response_mode",
        |given| match given {
            "query" => Ok(ResponseMode::Query),
            "form_post" => Ok(ResponseMode::FormPost),
            _ => Err("must be query or form_post"),
        },
        notes,
    );
    let usual_mode = match preset {
        Some(Preset::Apple) => ResponseMode::FormPost,
        _ => ResponseMode::Query,
    };
    let algorithms = object.texts("algorithms", str::parse::<Algorithm>, notes);
    let usual_algorithms = match preset {
        Some(_) => vec![Algorithm::RS256],
        None => Algorithm::ALL.to_vec(),
    };
    Some(Oidc {
        issuer,
        discovery_url,
        tenants: texts(object, "tenants", notes).unwrap_or_default(),
        client_id: client_id?.value,
        client_auth: client_auth?,
        scopes,
        response_mode: response_mode.unwrap_or(usual_mode),
        userinfo: object.flag("userinfo", notes).unwrap_or(false),
        algorithms: algorithms
            .map_or(usual_algorithms, |all| all.into_iter().map(|at| at.value).collect()),
        flags_are_text: preset == Some(Preset::Apple),
    })
}

/// The issuer, and where its metadata is if not there.
fn places(
    object: &Object<'_>,
    preset: Option<Preset>,
    notes: &mut Notes,
) -> Option<(String, Option<String>)> {
    let discovery_url = object.text("discovery_url", web_address, notes);
    let given = object.text("issuer", web_address, notes);
    let own = match preset {
        Some(Preset::Google) => Some(("https://accounts.google.com".to_owned(), None)),
        Some(Preset::Apple) => Some(("https://appleid.apple.com".to_owned(), None)),
        Some(Preset::Microsoft) => microsoft(object, notes),
        None => None,
    };
    let issuer = given.or_else(|| own.as_ref().map(|(issuer, _)| issuer.clone()));
    let Some(issuer) = issuer else {
        object.part().fault(notes, "issuer is missing");
        return None;
    };
    let usual = own.and_then(|(_, discovery_url)| discovery_url);
    let discovery_url = discovery_url.or(usual);
    if issuer.contains(TENANT) && discovery_url.is_none() {
        object.part().fault(notes, "discovery_url is missing: the issuer names no tenant");
    }
    Some((issuer, discovery_url))
}

/// Microsoft signs in the people of one tenant, or of many, which all share their metadata.
fn microsoft(object: &Object<'_>, notes: &mut Notes) -> Option<(String, Option<String>)> {
    let tenant = object.text("tenant", text, notes);
    let Some(tenant) = tenant else {
        object.part().fault(notes, "tenant is missing: the id of yours, organizations or common");
        return None;
    };
    let host = "https://login.microsoftonline.com";
    Some(match tenant.as_str() {
        "common" | "organizations" => (
            format!("{host}/{TENANT}/v2.0"),
            Some(format!("{host}/{tenant}/v2.0/.well-known/openid-configuration")),
        ),
        one => (format!("{host}/{one}/v2.0"), None),
    })
}

fn client_auth(
    object: &Object<'_>,
    preset: Option<Preset>,
    notes: &mut Notes,
) -> Option<ClientAuth> {
    let usual = match preset {
        Some(Preset::Apple) => "signed_secret",
        _ => "client_secret_basic",
    };
    let given = object.text("client_auth", any, notes);
    match given.as_deref().unwrap_or(usual) {
        "none" => Some(ClientAuth::None),
        "client_secret_basic" => Some(ClientAuth::ClientSecretBasic),
        "client_secret_post" => Some(ClientAuth::ClientSecretPost),
        "private_key_jwt" => Some(ClientAuth::PrivateKeyJwt { algorithm: Algorithm::RS256 }),
        "private_key_jwt_es256" => Some(ClientAuth::PrivateKeyJwt { algorithm: Algorithm::ES256 }),
        "signed_secret" => Some(ClientAuth::SignedSecret {
            team_id: object.need_text("team_id", text, notes)?.value,
            key_id: object.need_text("key_id", text, notes)?.value,
        }),
        _ => {
            let problem = "must be none, client_secret_basic, client_secret_post, \
                           private_key_jwt, private_key_jwt_es256 or signed_secret";
            object.part().fault_of("client_auth", problem, notes);
            None
        }
    }
}

/// Whoever is to show a secret needs one.
fn check_secrets(part: &Part<'_>, provider: &NewProvider, notes: &mut Notes) {
    let secrets = &provider.secrets;
    let oidc = match &provider.settings.protocol {
        Protocol::Oidc(oidc) => oidc,
        Protocol::Saml(saml) => return saml_settings::check_key(part, saml, secrets, notes),
    };
    match &oidc.client_auth {
        ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost => {
            if secrets.client_secret.is_none() {
                part.fault(notes, "client_secret is missing");
            }
        }
        ClientAuth::SignedSecret { .. } => match &secrets.client_key {
            None => part.fault(notes, "client_key is missing"),
            Some(key) if crate::keys::given::GivenKey::from_pem(key.reveal()).is_err() => {
                part.fault_of("client_key", "must be a P-256 key in PEM (PKCS#8)", notes);
            }
            Some(_) => {}
        },
        ClientAuth::None | ClientAuth::PrivateKeyJwt { .. } => {}
    }
}
