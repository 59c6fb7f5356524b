//! Users in a declaration.

use crate::base::id::UserId;
use crate::base::text::line;
use crate::setup::declaration::UserEntry;
use crate::setup::read::{At, Notes, Object, Part};
use crate::setup::secret::{Declared, Outside, read as read_secret};
use crate::users::hash::StoredHash;
use crate::users::model::{NewUser, Status};
use crate::users::password::{DECLARED_PASSWORD_CHARS_MIN, PasswordInput, check_new};
use crate::users::profile::Profile;
use crate::users::totp::TotpSecret;
use crate::users::username;

const KEYS: &[&str] = &[
    "username",
    "id",
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "profile",
    "attributes",
    "status",
    "password",
    "totp",
];

/// Longest name or address, in bytes.
const TEXT_BYTES_MAX: usize = 254;

/// Reads a user.
pub(in crate::setup) fn read(
    part: &Part<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<UserEntry> {
    let object = part.object(KEYS, notes)?;
    let checked = |text: &str| username::check(text).map(|_| text.to_owned());
    let username = object.need_text("username", checked, notes);
    let text = |name: &str, notes: &mut Notes| {
        let checked = |text: &str| line(text, TEXT_BYTES_MAX).map(str::to_owned);
        object.text(name, checked, notes)
    };
    let mut user = NewUser {
        id: object.text("id", str::parse::<UserId>, notes),
        username: String::new(),
        email: text("email", notes),
        email_verified: object.flag("email_verified", notes).unwrap_or(false),
        name: text("name", notes),
        given_name: text("given_name", notes),
        family_name: text("family_name", notes),
        profile: profile(&object, notes).unwrap_or_default(),
        attributes: object.json_object("attributes", notes).unwrap_or_default(),
        status: object.text("status", str::parse::<Status>, notes).unwrap_or_default(),
    };
    let password = password(&object, outside, notes);
    let totp = totp(&object, outside, notes);
    user.username = username?.value;
    Some(UserEntry { user: part.at(user), password, totp })
}

/// The other standard claims, by their names. Source: OpenID Connect Core section 5.1.
fn profile(object: &Object<'_>, notes: &mut Notes) -> Option<Profile> {
    let part = object.get("profile")?;
    match serde_json::from_value::<Profile>(part.node().to_json()) {
        Ok(profile) => match profile.check() {
            Ok(()) => Some(profile),
            Err((field, rule)) => {
                part.fault_of(field, rule, notes);
                None
            }
        },
        Err(error) => {
            part.fault(notes, error.to_string());
            None
        }
    }
}

fn password(
    object: &Object<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<At<PasswordInput>> {
    let part = object.get("password")?;
    let checked = match read_secret(&part, outside, notes)? {
        Declared::Clear(secret) => {
            check_new(&secret, DECLARED_PASSWORD_CHARS_MIN).map(|()| PasswordInput::Plain(secret))
        }
        Declared::Hash(phc) => StoredHash::parse(&phc).map(|_| PasswordInput::Phc(phc)),
    };
    match checked {
        Ok(input) => Some(part.at(input)),
        Err(error) => {
            part.fault(notes, error.to_string());
            None
        }
    }
}

fn totp(
    object: &Object<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<At<crate::base::secret::Secret>> {
    let part = object.get("totp")?;
    match read_secret(&part, outside, notes)? {
        Declared::Hash(_) => {
            part.fault(notes, "cannot be a hash: codes are made from the secret itself");
            None
        }
        Declared::Clear(secret) => match TotpSecret::from_base32(&secret) {
            Ok(_) => Some(part.at(secret)),
            Err(error) => {
                part.fault(notes, error.to_string());
                None
            }
        },
    }
}
