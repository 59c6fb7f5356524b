//! The rules for APIs of others. Pure.

use std::collections::BTreeSet;

use url::{Host, Url};

use crate::apis::model::{Definition, NewApi, Served};
use crate::base::id::ApiId;
use crate::base::text::{line, optional_line};

/// Longest title, in bytes.
const TITLE_BYTES_MAX: usize = 200;
/// Longest description or summary, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 500;
/// Longest identifier, in bytes.
const IDENTIFIER_BYTES_MAX: usize = 500;
/// Most scopes of an API.
const SCOPES_MAX: usize = 50;
/// Most routes of an API.
const ROUTES_MAX: usize = 200;

/// Most accounts that an API names.
const ACCOUNTS_MAX: usize = 1000;

/// One thing that is wrong with an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `routes[1].scope`.
    pub field: String,
    /// What.
    pub problem: String,
}

/// Everything that is wrong with an API, on a server called `issuer` whose own scopes begin with
/// one of `reserved`.
pub fn check(api: &NewApi, issuer: &str, reserved: &BTreeSet<&str>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut note = |field: String, problem: String| faults.push(Fault { field, problem });
    let Definition { title, identifier, base_path, scopes, routes, allowed_accounts } =
        &api.definition;
    if reserved.contains(api.id.as_str()) {
        note("id".into(), "is that of a part of this server".into());
    }
    if let Err(bad) = line(title, TITLE_BYTES_MAX) {
        note("title".into(), bad.to_string());
    }
    if let Err(problem) = check_identifier(identifier, issuer) {
        note("identifier".into(), problem.into());
    }
    if !base_path.is_base() {
        note("base_path".into(), "has no parameters, and does not end with a slash".into());
    }
    let accounts = match allowed_accounts {
        Served::Everybody(_) => 0,
        Served::These(accounts) => accounts.len(),
    };
    for (name, count, max) in [
        ("scopes", scopes.len(), SCOPES_MAX),
        ("routes", routes.len(), ROUTES_MAX),
        ("allowed_accounts", accounts, ACCOUNTS_MAX),
    ] {
        if count > max {
            note(name.into(), format!("has at most {max} items"));
        }
    }
    for (at, scope) in scopes.iter().enumerate().take(SCOPES_MAX) {
        if !is_scope_of(&api.id, &scope.name) {
            let rule = format!("begins with {}. and goes on with letters and digits", api.id);
            note(format!("scopes[{at}].name"), rule);
        }
        if scopes.iter().take(at).any(|other| other.name == scope.name) {
            note(format!("scopes[{at}].name"), "is declared already".into());
        }
        if let Err(bad) = line(&scope.description, DESCRIPTION_BYTES_MAX) {
            note(format!("scopes[{at}].description"), bad.to_string());
        }
    }
    check_routes(&api.definition, &mut note);
    faults
}

fn check_routes(definition: &Definition, note: &mut impl FnMut(String, String)) {
    for (at, route) in definition.routes.iter().enumerate().take(ROUTES_MAX) {
        if definition.scopes.iter().all(|scope| scope.name != route.scope) {
            note(format!("routes[{at}].scope"), "is not one of the API's scopes".into());
        }
        if route.privilege.as_deref().is_some_and(|name| !is_operation(name)) {
            let rule = "has 2 to 64 letters, digits and underscores, and begins with a letter";
            note(format!("routes[{at}].privilege"), rule.into());
        }
        if let Err(bad) = optional_line(&route.summary, DESCRIPTION_BYTES_MAX) {
            note(format!("routes[{at}].summary"), bad.to_string());
        }
        let mut before = definition.routes.iter().take(at);
        if before.any(|other| other.method == route.method && other.path.is_like(&route.path)) {
            note(format!("routes[{at}].path"), "is declared already for this method".into());
        }
    }
}

/// An absolute URI without query and fragment. Source: RFC 8707 section 2.
fn check_identifier(text: &str, issuer: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is an absolute URL")?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if text.len() > IDENTIFIER_BYTES_MAX {
        Err("has at most 500 bytes")
    } else if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        Err("begins with https://")
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("has neither query nor fragment")
    } else if !url.username().is_empty() || url.password().is_some() {
        Err("names no user")
    } else if text.trim_end_matches('/') == issuer.trim_end_matches('/') {
        Err("is that of this server")
    } else {
        Ok(())
    }
}

/// The identifier in a form that two spellings of one URL share. Source: RFC 3986 section 6.2.
pub(in crate::apis) fn normal(identifier: &str) -> String {
    let url = Url::parse(identifier);
    let text = url.map_or_else(|_| identifier.to_owned(), |url| url.to_string());
    text.trim_end_matches('/').to_owned()
}

/// Whether a text could be a scope of that API.
pub fn is_scope_of(id: &ApiId, scope: &str) -> bool {
    let verb = scope.strip_prefix(id.as_str()).and_then(|rest| rest.strip_prefix('.'));
    verb.is_some_and(is_verb)
}

/// The API that a scope is of, if it could be of one.
pub fn api_of(scope: &str) -> Option<ApiId> {
    let (id, verb) = scope.split_once('.')?;
    id.parse().ok().filter(|_| is_verb(verb))
}

fn is_verb(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The name of an operation in policies.
pub fn is_operation(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(id: &str, bend: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut definition = json!({
            "title": "Files", "identifier": "https://files.example", "basePath": "/",
            "scopes": [{"name": "files.read", "description": "See files"}],
            "routes": [{"method": "GET", "path": "/f/{id}", "scope": "files.read"}],
        });
        bend(&mut definition);
        let api = NewApi {
            id: id.parse().unwrap(),
            account: "acme".parse().unwrap(),
            definition: serde_json::from_value(definition).unwrap(),
        };
        let reserved = ["project"].into();
        check(&api, "https://id.example", &reserved).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn case_64_an_api_takes_nothing_that_is_not_its_own() {
        assert_eq!(faults("files", |_| ()), [""; 0]);
        assert!(faults("project", |_| ()).contains(&"id".to_owned()));
        for scope in ["project.read", "files", "files.", "openid", "files.a b", "filesx.read"] {
            let found = faults("files", |api| {
                api["scopes"][0]["name"] = scope.into();
                api["routes"][0]["scope"] = scope.into();
            });
            assert_eq!(found, ["scopes[0].name"], "{scope}");
        }
        for identifier in ["https://id.example/", "http://a.example", "x", "https://a.example/?q"] {
            let found = faults("files", |api| api["identifier"] = identifier.into());
            assert_eq!(found, ["identifier"], "{identifier}");
        }
    }

    #[test]
    fn routes_have_known_scopes_and_no_twins() {
        let found = faults("files", |api| {
            api["basePath"] = "/a/".into();
            api["routes"] = json!([
                {"method": "GET", "path": "/f/{id}", "scope": "files.write"},
                {"method": "GET", "path": "/f/{other}", "scope": "files.read", "privilege": "r"},
            ]);
        });

        assert_eq!(
            found,
            ["base_path", "routes[0].scope", "routes[1].privilege", "routes[1].path"]
        );
    }
}
