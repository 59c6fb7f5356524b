//! Somebody who came from a provider, whatever it speaks. Without any I/O.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::upstream::model::{Name, Provider};

/// Longest text that is taken over, in bytes.
const TEXT_BYTES_MAX: usize = 254;
/// What we say of a sign-in elsewhere, of whose way we know nothing.
pub const FEDERATED: &str = "fed";
/// The methods that a trusted provider may name. Source: RFC 8176 section 2.
const METHODS: [&str; 18] = [
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba",
    "retina", "sc", "sms", "swk", "tel",
];

/// Somebody who came from a provider that proved who they are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Their name there.
    pub name: Name,
    /// An e-mail address, and whether it counts as theirs.
    pub email: Option<(String, bool)>,
    /// Full name.
    pub full_name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// How they signed in, as far as we may say so: never empty.
    pub amr: Vec<String>,
}

impl Arrival {
    /// The address that is theirs beyond doubt.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_ref().filter(|(_, verified)| *verified).map(|(email, _)| email.as_str())
    }

    /// What they know their identity by.
    pub fn shown(&self) -> &str {
        let email = self.email.as_ref().map(|(email, _)| email);
        email.or(self.full_name.as_ref()).unwrap_or(&self.name.subject)
    }
}

/// One line of text that somebody else wrote, cut to what it may be.
pub(in crate::upstream) fn tidy(text: &str) -> Option<String> {
    let text = text.trim();
    let is_good =
        !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    is_good.then(|| text.to_owned())
}

/// An address, and whether it counts as verified: if the operator said that this provider speaks
/// for its domain, or, of a provider of the whole server, if the provider says so. What an
/// account's own provider says of addresses elsewhere is the account's word, not the truth.
pub(in crate::upstream) fn email(
    provider: &Provider,
    address: &str,
    says_verified: bool,
) -> Option<(String, bool)> {
    let address = tidy(address)?;
    let (local, domain) = address.rsplit_once('@')?;
    if local.is_empty() || domain.is_empty() || address.contains(char::is_whitespace) {
        return None;
    }
    let domains = &provider.settings.email_domains;
    let speaks_for = domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
    let verified =
        speaks_for || (says_verified && provider.account.is_none() && domains.is_empty());
    Some((address, verified))
}

/// How somebody signed in there, as far as the operator trusts the provider to say so.
pub(in crate::upstream) fn amr(
    provider: &Provider,
    amr: &[&str],
    acr: Option<&str>,
) -> Vec<String> {
    let settings = &provider.settings;
    let mut methods: Vec<String> = vec![FEDERATED.to_owned()];
    if settings.trusts_amr {
        methods.extend(amr.iter().map(|method| (*method).to_owned()));
    }
    if let Some(means) = acr.and_then(|acr| settings.acr_means.get(acr)) {
        methods.extend(means.iter().cloned());
    }
    let mut kept: Vec<String> = Vec::new();
    for method in methods {
        let is_known = method == FEDERATED || METHODS.contains(&method.as_str());
        if is_known && !kept.contains(&method) {
            kept.push(method);
        }
    }
    kept
}

/// What the claims of an OpenID Provider say of somebody. Source: OpenID Connect Core section 5.1.
pub(in crate::upstream) fn of_claims(
    provider: &Provider,
    name: Name,
    claims: &Map<String, Value>,
    flags_are_text: bool,
) -> Arrival {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let line = |name: &str| text(name).and_then(tidy);
    let says_verified = match claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(verified)) => flags_are_text && verified == "true",
        _ => false,
    };
    let listed: Vec<&str> = match claims.get("amr") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    Arrival {
        name,
        email: text("email").and_then(|address| email(provider, address, says_verified)),
        full_name: line("name"),
        given_name: line("given_name"),
        family_name: line("family_name"),
        amr: amr(provider, &listed, text("acr")),
    }
}
