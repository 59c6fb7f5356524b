//! Apps in a declaration.

use std::collections::BTreeSet;

use crate::apis::check::api_of;
use crate::apps::claims::{ClaimSource, CustomClaim};
use crate::apps::metadata::{AuthMethod, ClientMetadata};
use crate::apps::model::{AllowedAccounts, GrantType, Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::secrets::GivenSecret;
use crate::base::id::{AccountId, AppId};
use crate::base::scope::Scope;
use crate::gate::routes;
use crate::keys::algorithm::Algorithm;
use crate::oauth::standard_claims::SCOPES as OPENID_SCOPES;
use crate::setup::declaration::AppEntry;
use crate::setup::read::{At, Notes, Object, Part, any};
use crate::setup::secret::{Outside, client_secret};
use crate::setup::tree::Item;

const KEYS: &[&str] = &[
    "id",
    "account",
    "title",
    "description",
    "icon_url",
    "url",
    "status",
    "type",
    "allowed_scopes",
    "default_scopes",
    "allowed_accounts",
    "callback_urls",
    "logout_urls",
    "grant_types",
    "require_pkce",
    "access_token_seconds",
    "refresh_token_seconds",
    "rotate_refresh_tokens",
    "access_token_algorithm",
    "id_token_algorithm",
    "custom_claims",
    "client_metadata",
    "secrets",
];

/// Reads an app. What the file leaves out is as [`NewApp::new`] says, and the default scopes are
/// the allowed ones.
pub(in crate::setup) fn read(
    part: &Part<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<AppEntry> {
    let faults_before = notes.0.len();
    let object = part.object(KEYS, notes)?;
    let id = object.need_text("id", str::parse::<AppId>, notes);
    let account = object.need_text("account", str::parse::<AccountId>, notes);
    let title = object.need_text("title", any, notes);
    let (id, account) = (id?, account?);
    let mut app = NewApp::new(id.value.clone(), account.value.clone(), title?.value);
    let accounts = read_accounts(&object, &mut app, notes);
    read_texts(&object, &mut app, notes);
    read_protocol(&object, &mut app, notes);
    let secrets: Option<Vec<GivenSecret>> = object
        .list("secrets", notes)
        .map(|parts| parts.iter().filter_map(|part| client_secret(part, outside, notes)).collect());
    // The rules look at the app as a whole, which it is only when every field was understood.
    if notes.0.len() == faults_before {
        for fault in app.check().err().unwrap_or_default() {
            part.fault_of(&fault.field, &fault.problem, notes);
        }
        if app.kind == Kind::Public && secrets.as_ref().is_some_and(|list| !list.is_empty()) {
            part.fault_of("secrets", "a public app has none: it could not keep them", notes);
        }
        let is_hashed = |list: &Vec<GivenSecret>| list.iter().any(|one| one.clear.is_none());
        if app.metadata.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt)
            && secrets.as_ref().is_some_and(is_hashed)
        {
            part.fault_of("secrets", "client_secret_jwt needs the secret, not its hash", notes);
        }
    }
    Some(AppEntry { id: part.at(id.value), account, accounts, app, secrets })
}

/// `all`, or a list; what the list names is answered with its places.
fn read_accounts(object: &Object<'_>, app: &mut NewApp, notes: &mut Notes) -> Vec<At<AccountId>> {
    let Some(part) = object.get("allowed_accounts") else { return Vec::new() };
    match &part.node().item {
        Item::Text(text) if text == "all" => {
            app.allowed_accounts = AllowedAccounts::All;
            Vec::new()
        }
        Item::List(_) => {
            let named = object.texts("allowed_accounts", str::parse::<AccountId>, notes);
            let named = named.unwrap_or_default();
            let ids = named.iter().map(|at| at.value.clone()).collect();
            app.allowed_accounts = AllowedAccounts::These(ids);
            named
        }
        _ => {
            part.fault(notes, "must be a list of accounts, or the word all");
            Vec::new()
        }
    }
}

fn read_texts(object: &Object<'_>, app: &mut NewApp, notes: &mut Notes) {
    app.description = object.text("description", any, notes);
    app.icon_url = object.text("icon_url", any, notes);
    app.url = object.text("url", any, notes);
    app.callback_urls = urls(object, "callback_urls", notes);
    app.logout_urls = urls(object, "logout_urls", notes);
    app.custom_claims = claims(object, notes);
    app.metadata = client_metadata(object, notes).unwrap_or_default();
}

/// What an app registers beyond the platform's own fields, by the names of RFC 7591.
fn client_metadata(object: &Object<'_>, notes: &mut Notes) -> Option<ClientMetadata> {
    let part = object.get("client_metadata")?;
    match serde_json::from_value(part.node().to_json()) {
        Ok(metadata) => Some(metadata),
        Err(error) => {
            part.fault(notes, error.to_string());
            None
        }
    }
}

fn read_protocol(object: &Object<'_>, app: &mut NewApp, notes: &mut Notes) {
    /// Overwrites a default with what was given.
    fn set<T>(field: &mut T, given: Option<T>) {
        if let Some(value) = given {
            *field = value;
        }
    }
    set(&mut app.status, object.text("status", str::parse::<Status>, notes));
    set(&mut app.kind, object.text("type", str::parse::<Kind>, notes));
    set(&mut app.allowed_scopes, scopes(object, "allowed_scopes", notes));
    app.default_scopes = app.allowed_scopes.clone();
    set(&mut app.default_scopes, scopes(object, "default_scopes", notes));
    set(&mut app.grant_types, grant_types(object, notes));
    set(&mut app.require_pkce, object.flag("require_pkce", notes));
    set(&mut app.access_token_seconds, object.number("access_token_seconds", notes));
    set(&mut app.refresh_token_seconds, object.number("refresh_token_seconds", notes));
    set(&mut app.rotate_refresh_tokens, object.flag("rotate_refresh_tokens", notes));
    if app.metadata.profile.is_some() {
        app.id_token_algorithm = Algorithm::ES256;
    }
    let algorithm =
        |name: &str, notes: &mut Notes| object.text(name, str::parse::<Algorithm>, notes);
    set(&mut app.access_token_algorithm, algorithm("access_token_algorithm", notes));
    set(&mut app.id_token_algorithm, algorithm("id_token_algorithm", notes));
}

fn grant_types(object: &Object<'_>, notes: &mut Notes) -> Option<BTreeSet<GrantType>> {
    let types = object.texts("grant_types", str::parse::<GrantType>, notes)?;
    Some(types.into_iter().map(|at| at.value).collect())
}

fn urls(object: &Object<'_>, name: &str, notes: &mut Notes) -> Vec<RedirectUri> {
    let found = object.texts(name, RedirectUri::parse, notes).unwrap_or_default();
    found.into_iter().map(|at| at.value).collect()
}

/// A list of scopes, each known.
fn scopes(object: &Object<'_>, name: &str, notes: &mut Notes) -> Option<Scope> {
    let parts = object.list(name, notes)?;
    let mut all = Vec::new();
    for part in &parts {
        all.extend(part.parse(scope, notes).map(|at| at.value));
    }
    Scope::parse(&all.join(" ")).ok()
}

/// A scope that this server knows.
///
/// # Errors
/// In words, with all that are known.
pub fn scope(text: &str) -> Result<String, String> {
    let known = OPENID_SCOPES.contains(&text) || routes::scopes().any(|scope| scope.name == text);
    // Whether an API of others has it is looked up later.
    if known || is_of_others(text) {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> =
        OPENID_SCOPES.iter().copied().chain(routes::scopes().map(|scope| scope.name)).collect();
    Err(format!("there is no such scope; known are {}", names.join(", ")))
}

/// Whether a scope could be one of somebody else's API: none of ours begins so.
fn is_of_others(text: &str) -> bool {
    let thing = |scope: &str| scope.split('.').next().map(str::to_owned);
    api_of(text).is_some() && routes::scopes().all(|scope| thing(scope.name) != thing(text))
}

fn claims(object: &Object<'_>, notes: &mut Notes) -> Vec<CustomClaim> {
    let parts = object.list("custom_claims", notes).unwrap_or_default();
    parts.iter().filter_map(|part| claim(part, notes)).collect()
}

fn claim(part: &Part<'_>, notes: &mut Notes) -> Option<CustomClaim> {
    let known = &["name", "value", "user_attribute", "member_attribute", "in"];
    let object = part.object(known, notes)?;
    let name = object.need_text("name", any, notes);
    let sources = ["value", "user_attribute", "member_attribute"].map(|key| object.get(key));
    let source = match sources {
        [Some(value), None, None] => Some(ClaimSource::Constant(value.node().to_json())),
        [None, Some(name), None] => {
            name.parse(any, notes).map(|at| ClaimSource::UserAttribute(at.value))
        }
        [None, None, Some(member)] => member_attribute(&member, notes),
        _ => {
            part.fault(notes, "must have one of value, user_attribute and member_attribute");
            None
        }
    };
    let token = |text: &str| match text {
        "access_token" | "id_token" => Ok(text.to_owned()),
        _ => Err("must be access_token or id_token"),
    };
    let tokens = object.texts("in", token, notes);
    let is_in = |name: &str| {
        tokens.as_ref().is_none_or(|tokens| tokens.iter().any(|token| token.value == name))
    };
    Some(CustomClaim {
        name: name?.value,
        source: source?,
        in_access_token: is_in("access_token"),
        in_id_token: is_in("id_token"),
    })
}

fn member_attribute(part: &Part<'_>, notes: &mut Notes) -> Option<ClaimSource> {
    let object = part.object(&["account", "attribute"], notes)?;
    let account = object.need_text("account", str::parse::<AccountId>, notes);
    let attribute = object.need_text("attribute", any, notes);
    Some(ClaimSource::MemberAttribute { account: account?.value, attribute: attribute?.value })
}
