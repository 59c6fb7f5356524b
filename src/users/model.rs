//! A person, as storage and the other folders see one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::base::id::UserId;
use crate::users::profile::Profile;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// A person who can sign in. Belongs to no account; groups make members of people.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The id: `sub` in tokens.
    pub id: UserId,
    /// The name to sign in with, as it was typed when it was chosen.
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether somebody proved to receive mail there.
    pub email_verified: bool,
    /// Full name.
    pub name: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// The other standard claims.
    pub profile: Profile,
    /// What else is known, for custom claims.
    pub attributes: Map<String, Value>,
    /// Whether they may sign in.
    pub status: Status,
    /// When the grace period ends, if deletion was asked for.
    pub deletion_at: Option<DateTime<Utc>>,
    /// When the password last changed; `None` without a password.
    pub password_changed_at: Option<DateTime<Utc>>,
    /// When they were last signed out everywhere.
    pub signed_out_at: Option<DateTime<Utc>>,
    /// Whether they have an authenticator app.
    pub has_totp: bool,
    /// Whether they have a passkey or a security key.
    pub has_keys: bool,
    /// When the user was made.
    pub created_at: DateTime<Utc>,
    /// When something of the above last changed.
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// Whether they may sign in and use what they were given.
    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// Whether a password alone does not sign them in.
    pub fn has_second_factor(&self) -> bool {
        self.has_totp || self.has_keys
    }

    /// Whatever was signed in to or granted before this instant is void.
    pub fn void_before(&self) -> Option<DateTime<Utc>> {
        self.password_changed_at.max(self.signed_out_at)
    }

    /// The address where they proved to receive mail. Any other may be a stranger's.
    pub fn proven_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The language of letters to them.
    pub fn language(&self) -> Language {
        self.profile.locale.as_deref().and_then(Language::of_tags).unwrap_or_default()
    }

    /// Whether they proved to receive mail at this address, however it is written.
    pub fn proved(&self, email: &str) -> bool {
        self.proven_email().is_some_and(|own| UsernameKey::of(own) == UsernameKey::of(email))
    }

    /// What to call them: the full name, or the name that they sign in with.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.username)
    }
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Yes.
    #[default]
    Active,
    /// No, and nothing that they were given works any more.
    Disabled,
}

impl Status {
    /// Its name in the database and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for Status {
    type Err = BadStatus;

    fn from_str(text: &str) -> Result<Self, BadStatus> {
        match text {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            _ => Err(BadStatus),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is not a [`Status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be active or disabled")]
pub struct BadStatus;

/// What is said about a user when one is made, or changed as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewUser {
    /// The id; `None` for a fresh one. Not looked at by a change.
    pub id: Option<UserId>,
    /// See [`User::username`].
    pub username: String,
    /// See [`User::email`].
    pub email: Option<String>,
    /// See [`User::email_verified`].
    pub email_verified: bool,
    /// See [`User::name`].
    pub name: Option<String>,
    /// See [`User::given_name`].
    pub given_name: Option<String>,
    /// See [`User::family_name`].
    pub family_name: Option<String>,
    /// See [`User::profile`].
    pub profile: Profile,
    /// See [`User::attributes`].
    pub attributes: Map<String, Value>,
    /// See [`User::status`].
    pub status: Status,
}

impl From<&User> for NewUser {
    fn from(user: &User) -> Self {
        Self {
            id: Some(user.id.clone()),
            username: user.username.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            name: user.name.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            profile: user.profile.clone(),
            attributes: user.attributes.clone(),
            status: user.status,
        }
    }
}
