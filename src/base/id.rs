//! Typed ids: never interchangeable, one spelling each.
//!
//! Ids are text. They are made as UUIDs of version 7 (RFC 9562 section 5.7), so that they sort by
//! birth, and may be chosen by whoever sets up a server, in the alphabet of a FHIR id.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::entropy::Entropy;

/// Text that is not an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id: {rule}")]
pub struct BadId {
    /// What it should have been an id of.
    pub kind: &'static str,
    /// The rule that the text breaks.
    pub rule: &'static str,
}

const FHIR_RULE: &str = "1 to 64 letters, digits, dots and hyphens";
const ACCOUNT_RULE: &str = "1 to 16 small letters and digits";
const PROVIDER_RULE: &str = "1 to 32 small letters, digits and hyphens";
const API_RULE: &str = "a letter, then up to 31 letters, digits and hyphens";
const APP_RULE: &str = "1 to 64 letters, digits, dots, hyphens, underscores and tildes";

fn is_fhir(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn is_account(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_provider(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_api(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_app(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~'))
}

/// A UUID of version 7 as text. Source: RFC 9562 section 5.7.
pub fn uuid_v7(now: DateTime<Utc>, entropy: &dyn Entropy) -> String {
    uuid_v7_of(now, u128::from_be_bytes(entropy.bytes()))
}

/// The same, where the low bits of `random` tell it from others of the same moment.
pub fn uuid_v7_of(now: DateTime<Utc>, random: u128) -> String {
    let millis = u128::from(now.timestamp_millis().unsigned_abs()) & 0xFFFF_FFFF_FFFF;
    let random = random & 0x0FFF_3FFF_FFFF_FFFF_FFFF;
    let bits = millis << 80 | 0x7 << 76 | random | 0x8 << 60;
    in_hex(bits)
}

/// 128 bits in the spelling of a UUID. Source: RFC 9562 section 4.
fn in_hex(bits: u128) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let mut text = String::with_capacity(36);
    for (at, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident: $kind:literal, $is:path, $rule:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                if $is(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(BadId { kind: $kind, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

macro_rules! generated {
    ($($name:ident),*) => {$(
        impl $name {
            /// A fresh id, which sorts after those made before it.
            pub fn generate(now: DateTime<Utc>, entropy: &dyn Entropy) -> Self {
                Self(Arc::from(uuid_v7(now, entropy)))
            }
        }
    )*};
}

ids! {
    /// An organization: the tenant that every other row belongs to. Chosen, never generated.
    AccountId: "account", is_account, ACCOUNT_RULE;
    /// A person who can sign in. Not owned by any account.
    UserId: "user", is_fhir, FHIR_RULE;
    /// A group of users in one account.
    GroupId: "group", is_fhir, FHIR_RULE;
    /// A project; the API also says "dataset".
    ProjectId: "project", is_fhir, FHIR_RULE;
    /// A key with which a user's own programs act for them.
    ApiKeyId: "API key", is_fhir, FHIR_RULE;
    /// An invitation into an account.
    InvitationId: "invitation", is_fhir, FHIR_RULE;
    /// A health record in a project, in a service of others.
    PatientId: "patient", is_fhir, FHIR_RULE;
    /// Where people sign in elsewhere. Chosen, never generated: it stands in URLs that the provider
    /// knows.
    ProviderId: "provider", is_provider, PROVIDER_RULE;
    /// An API of somebody else. Chosen, never generated: its scopes begin with it.
    ApiId: "API", is_api, API_RULE;
    /// A registered app: the `client_id` of OAuth.
    AppId: "app", is_app, APP_RULE;
}

generated!(UserId, GroupId, ProjectId, ApiKeyId, AppId, InvitationId);

/// One user's authorization of one app, from `/authorize` to the last refresh.
///
/// A number that the database gives: codes and refresh tokens begin with it, so that they are
/// found by primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantId(pub i64);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for GrantId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { kind: "grant", rule: "a positive number without leading zeros" };
        let number: i64 = text.parse().map_err(|_| bad)?;
        if number > 0 && number.to_string() == text { Ok(Self(number)) } else { Err(bad) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_micros;
    use crate::base::entropy::CountedEntropy;

    #[test]
    fn rfc9562_5_7_generated_ids_are_version_7_and_sort_by_birth() {
        let entropy = CountedEntropy::default();
        let first = UserId::generate(from_micros(1_000_000), &entropy);
        let second = UserId::generate(from_micros(2_000_000), &entropy);

        assert_eq!(first.as_str().len(), 36);
        assert_eq!(first.as_str().as_bytes()[14], b'7');
        assert!(matches!(first.as_str().as_bytes()[19], b'8'..=b'b'));
        assert!(first < second);
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert!("acme".parse::<AccountId>().is_ok());
        for bad in ["", "Acme", "a-b", "12345678901234567", "a b", "ä"] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
        for bad in ["", "a b", "a/b", "a_b", "a\0", &"x".repeat(65)] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
        for bad in ["0", "-1", "+1", "01", "1 ", "", "9223372036854775808"] {
            assert!(bad.parse::<GrantId>().is_err(), "{bad}");
        }
    }
}
