//! What an account, a group and a membership are.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::id::{AccountId, GroupId, PatientId, UserId};
use crate::base::text::{BadText, line, optional_line};
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;
use crate::policy::subject::Subject;
use crate::users::model::User;

/// Longest name of an account or group, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 2000;
/// Longest e-mail address, in bytes. Source: RFC 5321 section 4.5.3.1.
pub const OWNER_BYTES_MAX: usize = 254;
/// Most groups of one account.
pub const GROUPS_MAX: i64 = 5000;
/// What an account is, as a resource that policies are about.
const ACCOUNT_TYPE: &str = "account";
/// What a group is, as a resource that policies are about.
const GROUP_TYPE: &str = "group";
/// What a member is, as a resource that policies are about.
const USER_TYPE: &str = "user";
/// Most custom attributes of one member, as bytes of JSON.
pub const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;

/// Text that names none of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {0}")]
pub struct BadVariant(pub &'static str);

/// An enumeration that is written as text.
macro_rules! variants {
    (
        $(#[$doc:meta])*
        $name:ident: $all:literal {
            $($(#[$vdoc:meta])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// As the API and the database write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl FromStr for $name {
            type Err = BadVariant;

            fn from_str(text: &str) -> Result<Self, BadVariant> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(BadVariant($all)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(in crate::accounts) use variants;

variants! {
    /// What an account pays for.
    AccountKind: "FREE, PAID, ENTERPRISE" {
        /// Nothing.
        #[default]
        Free = "FREE",
        /// By use.
        Paid = "PAID",
        /// By contract.
        Enterprise = "ENTERPRISE",
    }
}

variants! {
    /// Who may join a group.
    GroupKind: "OPEN, CLOSED" {
        /// Whoever likes, without being invited.
        Open = "OPEN",
        /// Whoever is added.
        #[default]
        Closed = "CLOSED",
    }
}

variants! {
    /// What a group is there for that every account has from the beginning.
    Purpose: "administrators, users, subjects" {
        /// Those who administer the account.
        #[default]
        Administrators = "administrators",
        /// Those who see its data.
        Users = "users",
        /// Those whom its data is about.
        Subjects = "subjects",
    }
}

/// An organization: the tenant that every other row belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Chosen, and never changed.
    pub id: AccountId,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The e-mail address that hears about deletion.
    pub owner: Option<String>,
    /// What it pays for.
    pub kind: AccountKind,
    /// What it uses of the platform, by name.
    pub products: Vec<String>,
    /// Whether its members sign in with two factors.
    pub requires_second_factor: bool,
    /// When it will be deleted, if deletion was asked for.
    pub deletion_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Users of one account who are given access together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What policies call it.
    pub id: GroupId,
    /// Where.
    pub account: AccountId,
    /// For people; unique in the account.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Who may join.
    pub kind: GroupKind,
    /// What it is there for from the beginning; such a group is never deleted.
    pub purpose: Option<Purpose>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A user's place in an account. Whoever is in no group has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Membership {
    /// The user's groups in this account; never empty.
    pub groups: Vec<GroupId>,
    /// What the account knows of the user: `user.customAttributes` in policies.
    pub attributes: Map<String, Value>,
    /// The Patients that the user is: `user.patients` in policies.
    pub patients: Vec<PatientId>,
}

impl Membership {
    /// What policies may ask of a member, apart from any request.
    pub fn facts(&self, user: &User, account: &Account) -> Attributes {
        let subject = Subject {
            id: &user.id,
            username: user.username.as_str(),
            email: user.proven_email(),
            groups: &self.groups,
            patients: &self.patients,
            attributes: &self.attributes,
        };
        subject.facts(&account.id, account.kind.as_str())
    }
}

/// An account as somebody declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Its id for ever.
    pub id: AccountId,
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// An e-mail address.
    pub owner: Option<String>,
    /// What it pays for.
    pub kind: AccountKind,
    /// What it uses of the platform, by name.
    pub products: Vec<String>,
    /// Whether its members sign in with two factors.
    pub requires_second_factor: bool,
}

/// A group as somebody declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// Its id, where policies of a file mention it. Without one the group is found by its name,
    /// and gets an id when it is made.
    pub id: Option<GroupId>,
    /// For people; unique in the account.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Who may join.
    pub kind: GroupKind,
}

/// Why a declaration about accounts is refused.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A text breaks a rule.
    #[error("{0} {1}")]
    BadText(&'static str, BadText),
    /// More attributes than an account may keep about one user.
    #[error("the attributes of a member may have at most {ATTRIBUTES_BYTES_MAX} bytes of JSON")]
    TooManyAttributes,
    /// There is no such account.
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
    /// There is no such group in this account.
    #[error("there is no group {0} in this account")]
    UnknownGroup(GroupId),
    /// There is no such user.
    #[error("there is no user {0}")]
    UnknownUser(UserId),
    /// Another group of the account has this name.
    #[error("another group of the account is called {0}")]
    NameTaken(String),
    /// The id is in use in another account.
    #[error("the group id {0} is in use")]
    IdTaken(GroupId),
    /// The group is one that every account has.
    #[error("a group that every account has is not deleted")]
    Protected,
    /// The policies allow it for other groups only.
    #[error("the policies of the account do not allow it for this group")]
    Denied,
    /// There is no such member in this account.
    #[error("there is no such member in this account")]
    NotAMember,
    /// The id was that of an account that was deleted, or is another's.
    #[error("the account id {0} is not free")]
    AccountTaken(AccountId),
    /// Nobody proved to receive mail at that address who belongs to the account.
    #[error("the owner must be the verified e-mail address of a member of the account")]
    Owner,
    /// Somebody has made as many accounts as they may.
    #[error("you have made as many accounts as you may")]
    TooManyAccounts,
    /// The account has as many groups as it may.
    #[error("an account may have at most {GROUPS_MAX} groups")]
    TooManyGroups,
    /// The rules about giving access away, and keeping it.
    #[error(transparent)]
    Policy(#[from] crate::policy::model::PolicyError),
    /// Our fault.
    #[error(transparent)]
    Internal(#[from] crate::db::error::DbError),
}

impl NewAccount {
    /// Checks every text of it.
    ///
    /// # Errors
    /// [`AccountError::BadText`] for the first that breaks a rule.
    pub fn check(&self) -> Result<(), AccountError> {
        check_texts(&self.name, self.description.as_deref())?;
        if let Some(owner) = &self.owner {
            line(owner, OWNER_BYTES_MAX).map_err(|fault| AccountError::BadText("owner", fault))?;
        }
        for product in &self.products {
            line(product, NAME_BYTES_MAX)
                .map_err(|fault| AccountError::BadText("products", fault))?;
        }
        Ok(())
    }
}

impl NewGroup {
    /// Checks every text of it.
    ///
    /// # Errors
    /// [`AccountError::BadText`] for the first that breaks a rule.
    pub fn check(&self) -> Result<(), AccountError> {
        check_texts(&self.name, self.description.as_deref())
    }
}

fn check_texts(name: &str, description: Option<&str>) -> Result<(), AccountError> {
    line(name, NAME_BYTES_MAX).map_err(|fault| AccountError::BadText("name", fault))?;
    optional_line(description.unwrap_or_default(), DESCRIPTION_BYTES_MAX)
        .map_err(|fault| AccountError::BadText("description", fault))?;
    Ok(())
}

/// Checks the custom attributes of a member.
///
/// # Errors
/// [`AccountError::TooManyAttributes`].
pub fn check_attributes(attributes: &Map<String, Value>) -> Result<String, AccountError> {
    let text = Value::Object(attributes.clone()).to_string();
    if text.len() > ATTRIBUTES_BYTES_MAX {
        return Err(AccountError::TooManyAttributes);
    }
    Ok(text)
}

impl Account {
    /// Whether its grace period is over: it is about to be purged, and nothing of it works.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.deletion_at.is_some_and(|at| at <= now)
    }
}

/// The attributes of an account as a resource.
pub fn account_resource(id: &AccountId) -> Attributes {
    let facts = Attributes::new().with(RESOURCE, "id", id.as_str());
    facts.with(RESOURCE, "type", ACCOUNT_TYPE)
}

/// The attributes of a group as a resource.
pub fn group_resource(id: &GroupId) -> Attributes {
    let facts = Attributes::new().with(RESOURCE, "id", id.as_str());
    facts.with(RESOURCE, "type", GROUP_TYPE)
}

/// The attributes of a member as a resource.
pub fn member_resource(id: &UserId) -> Attributes {
    let facts = Attributes::new().with(RESOURCE, "id", id.as_str());
    facts.with(RESOURCE, "type", USER_TYPE)
}
