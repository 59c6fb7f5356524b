//! Forms that a script fills in with the answer of a passkey or security key.
//!
//! What is asked for stands in the page; without the script the form stays hidden, and all else
//! works. Source: `WebAuthn` Level 3 section 5.1.

use axum::response::Response;

use crate::http::assets::PASSKEYS;
use crate::http::security_headers::allow_script;
use crate::server::Server;
use crate::users::error::FactorError;
use crate::users::passkeys::{KEY_NAME_BYTES_MAX, KeyAsk};

/// A use of such a form.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::pages) struct Use {
    id: &'static str,
    action: &'static str,
    label: &'static str,
    creates: bool,
    autofill: bool,
}

/// In place of name and password.
pub(in crate::http::pages) const ALONE: Use = Use {
    id: "passkey",
    action: "/sign-in/passkey",
    label: "passkey-sign-in",
    creates: false,
    autofill: true,
};
/// After the first factor.
pub(in crate::http::pages) const SECOND: Use =
    Use { id: "key", action: "/sign-in/key", label: "key-use", creates: false, autofill: false };
/// A first one, because it is demanded.
pub(in crate::http::pages) const NEW_AT_SIGN_IN: Use = Use {
    id: "new-passkey",
    action: "/sign-in/enrol/key",
    label: "passkey-add",
    creates: true,
    autofill: false,
};

/// Another one that may stand for the password.
pub(in crate::http::pages) const NEW_PASSKEY: Use = Use {
    id: "new-passkey",
    action: "/account/factors/keys",
    label: "passkey-add",
    creates: true,
    autofill: false,
};
/// Another one for after the password.
pub(in crate::http::pages) const NEW_SECURITY_KEY: Use =
    Use { id: "new-key", label: "key-add", ..NEW_PASSKEY };

/// `templates/key_form.html`, a part of pages.
#[derive(Debug)]
pub struct KeyForm {
    /// The id of its button; the others begin with it.
    pub id: &'static str,
    /// Where it goes.
    pub action: &'static str,
    /// The word on its button.
    pub label: &'static str,
    /// Whether a key is added, which gets a name.
    pub creates: bool,
    /// Whether the browser may offer it in the field for the name, too.
    pub autofill: bool,
    /// Most letters of a name.
    pub name_max: usize,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
    /// What the browser is asked, as JSON.
    pub options: String,
    /// Comes back with the answer.
    pub state: String,
    /// Where the script is.
    pub script: String,
}

impl KeyForm {
    /// The form of a page with this token and this authorization.
    pub(in crate::http::pages) fn of(it: Use, (csrf, grant): (&str, &str), ask: KeyAsk) -> Self {
        Self {
            id: it.id,
            action: it.action,
            label: it.label,
            creates: it.creates,
            autofill: it.autofill,
            name_max: KEY_NAME_BYTES_MAX,
            csrf: csrf.to_owned(),
            grant: grant.to_owned(),
            options: ask.options,
            state: ask.state,
            script: script(),
        }
    }
}

/// Where the script is.
pub(in crate::http::pages) fn script() -> String {
    PASSKEYS.href()
}

/// Lets a page with such a form run its script.
pub(in crate::http::pages) fn scripted(server: &Server, mut answer: Response) -> Response {
    allow_script(answer.headers_mut(), server.config.issuer.origin(), &PASSKEYS);
    answer
}

/// The words for why a factor is not added, changed or taken away.
pub(in crate::http::pages) fn fault_of(error: &FactorError) -> &'static str {
    match error {
        FactorError::Wrong => "key-wrong",
        FactorError::Over | FactorError::HasOne => "factor-over",
        FactorError::Last => "factor-last",
        FactorError::Taken => "key-taken",
        FactorError::TooMany => "key-too-many",
        FactorError::Name(_) => "key-name-wrong",
        FactorError::Unknown => "factor-unknown",
        FactorError::Unavailable | FactorError::Internal(_) => "key-unavailable",
    }
}
