//! A member of an account, as policies see one.

use serde_json::{Map, Value};

use crate::base::id::{AccountId, GroupId, PatientId, UserId};
use crate::policy::attributes::Attributes;
use crate::policy::fact::Fact;

/// What is known of a member, wherever it was read.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// Who.
    pub id: &'s UserId,
    /// The name to sign in with.
    pub username: &'s str,
    /// The address, if it was proven to be the user's.
    pub email: Option<&'s str>,
    /// The groups in the account.
    pub groups: &'s [GroupId],
    /// The Patients that the user is, in projects of the account.
    pub patients: &'s [PatientId],
    /// What the account knows of the user.
    pub attributes: &'s Map<String, Value>,
}

impl Subject<'_> {
    /// The attributes under the roots `user` and `account`. What is not known is left out, so that
    /// no condition on it is met.
    pub fn facts(&self, account: &AccountId, account_kind: &str) -> Attributes {
        let groups = self.groups.iter().map(|id| id.as_str().to_owned());
        let mut facts = Attributes::new()
            .with("user", "id", self.id.as_str())
            .with("user", "username", self.username)
            .with("user", "groups", Fact::texts(groups))
            .with("user", "customAttributes", self.attributes)
            .with("account", "id", account.as_str())
            .with("account", "type", account_kind);
        if !self.patients.is_empty() {
            let patients = self.patients.iter().map(|id| id.as_str().to_owned());
            facts.put("user", "patients", Fact::texts(patients));
        }
        if let Some(email) = self.email {
            facts.put("user", "email", email);
        }
        facts
    }
}

/// Whether an account can count on a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody who signs in, and stays.
    Stays,
    /// Somebody who signs in, and asked to be deleted.
    Leaves,
    /// Nobody who signs in: disabled, or a service account.
    Absent,
}

/// A member, on their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Who.
    pub id: UserId,
    /// The name to sign in with.
    pub username: String,
    /// The address, if it was proven to be the user's.
    pub email: Option<String>,
    /// Whether the account can count on them.
    pub standing: Standing,
    /// The groups in the account; never empty.
    pub groups: Vec<GroupId>,
    /// The Patients that the user is.
    pub patients: Vec<PatientId>,
    /// What the account knows of the user.
    pub attributes: Map<String, Value>,
}

impl Member {
    /// As policies see them.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            id: &self.id,
            username: &self.username,
            email: self.email.as_deref(),
            groups: &self.groups,
            patients: &self.patients,
            attributes: &self.attributes,
        }
    }
}
