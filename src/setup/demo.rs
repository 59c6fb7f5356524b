//! The declaration of `narthex demo`, and what the demo app is told about it.

use std::path::Path;

use serde_json::{Value, json};

use crate::base::secret::Secret;
use crate::setup::declaration::{Declaration, UserEntry};
use crate::setup::fault::Faults;
use crate::setup::service::Setup;
use crate::users::password::PasswordInput;

/// The file, with the address of the demo app as it stands there.
pub const TEXT: &str = include_str!("demo.yaml");

/// The account whose administrators decide which apps go live.
pub const PLATFORM: &str = "platform";

/// The address of the demo app as it stands in the file.
pub const APP_ORIGIN: &str = "http://127.0.0.1:8081";

/// The declaration for a demo app at `origin`.
///
/// # Errors
/// Never for an origin of scheme, host and port.
pub fn declaration(origin: &str) -> Result<Declaration, Faults> {
    Setup::read(&TEXT.replace(APP_ORIGIN, origin), Path::new("."))
}

/// What the demo app reads from `/config.json`.
pub fn app_settings(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "apps": {
            "live": {
                "client_id": "demo",
                "scope": "openid profile email account.read project.read project.write",
            },
            "developing": { "client_id": "demo-dev", "scope": "openid profile project.read" },
        },
        "accounts": {
            "main": "acme",
            "not_allowed": "globex",
            "plain": "initech",
            "stranger": "umbrella",
        },
    })
}

/// The password of a declared user, if it is given in clear.
pub fn clear_password(user: &UserEntry) -> Option<&Secret> {
    match &user.password.as_ref()?.value {
        PasswordInput::Plain(password) => Some(password),
        PasswordInput::Phc(_) => None,
    }
}

/// What the file says about a user, in a sentence.
pub fn about(user: &UserEntry) -> &str {
    user.user.value.attributes.get("about").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_a_valid_file_that_names_what_the_app_uses() {
        let declaration = declaration("http://127.0.0.1:4711").unwrap();

        let settings = app_settings("http://127.0.0.1:8080");
        for kind in ["live", "developing"] {
            let client = settings["apps"][kind]["client_id"].as_str().unwrap();
            let scope = settings["apps"][kind]["scope"].as_str().unwrap();
            let app = declaration.apps.iter().find(|app| app.id.value.as_str() == client).unwrap();
            assert_eq!(app.app.allowed_scopes, crate::base::scope::Scope::parse(scope).unwrap());
            assert_eq!(app.app.callback_urls[0].as_str(), "http://127.0.0.1:4711/callback");
        }
        for account in settings["accounts"].as_object().unwrap().values() {
            let named = |entry: &&crate::setup::declaration::AccountEntry| {
                entry.account.value.id.as_str() == account.as_str().unwrap()
            };
            assert!(declaration.accounts.iter().find(named).is_some());
        }
        for user in &declaration.users {
            assert!(clear_password(user).is_some() && !about(user).is_empty());
        }
    }
}
