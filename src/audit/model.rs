//! What an entry says.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::base::id::{AccountId, ApiKeyId, AppId, UserId};
use crate::base::secret::Digest;
use crate::db::cause::{self, Means};

/// Who acts: a user, by an app or a key, or an app by itself. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user who acts, or for whom the app acts.
    pub user: Option<UserId>,
    /// The app that is used.
    pub app: Option<AppId>,
    /// The key that is used instead of an app.
    pub key: Option<ApiKeyId>,
    /// The number of the request, by which logs are searched.
    pub request: Option<Arc<str>>,
    /// Where the request comes from.
    pub ip: Option<IpAddr>,
}

impl Actor {
    /// Whoever runs the server: `narthex apply`, the command line, the server by itself.
    pub fn operator() -> Self {
        Self::default()
    }

    /// A user, without an app: at pages of our own.
    pub fn user(user: &UserId) -> Self {
        Self { user: Some(user.clone()), ..Self::default() }
    }

    /// An app that acts by itself.
    pub fn app(app: &AppId) -> Self {
        Self { app: Some(app.clone()), ..Self::default() }
    }

    /// The same, by this app.
    #[must_use]
    pub fn by(self, app: &AppId) -> Self {
        Self { app: Some(app.clone()), ..self }
    }

    /// The same, from this address.
    #[must_use]
    pub fn from(self, ip: Option<IpAddr>) -> Self {
        Self { ip, ..self }
    }

    /// The same, in the request that this task answers, where nothing else is known.
    #[must_use]
    pub(in crate::audit) fn caused(mut self) -> Self {
        if let Some(cause) = cause::current() {
            self.ip = self.ip.or(cause.ip);
            self.request = self.request.or_else(|| Some(Arc::clone(&cause.number)));
            if let (None, None, Some(means)) = (&self.app, &self.key, cause.means.get()) {
                match means {
                    Means::App(app) => self.app = Some(app.clone()),
                    Means::Key(key) => self.key = Some(key.clone()),
                }
            }
        }
        self
    }

    /// The same, in the request of this number.
    #[must_use]
    pub fn during(self, request: Option<Arc<str>>) -> Self {
        Self { request, ..self }
    }
}

/// What kind of act it is. Source: FHIR R4 AuditEvent.action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Something was made.
    Create,
    /// Something was looked at.
    Read,
    /// Something was changed.
    Update,
    /// Something was removed.
    Delete,
    /// Something was done: a sign-in, say.
    Execute,
}

impl Action {
    /// Its letter in FHIR, and in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Delete => "D",
            Self::Execute => "E",
        }
    }
}

/// What came of it. The text is a code for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// Whoever asked may not.
    Refused(&'static str),
    /// It did not work.
    Failed(&'static str),
}

impl Outcome {
    /// Its name in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it was not done.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Success => None,
            Self::Refused(reason) | Self::Failed(reason) => Some(reason),
        }
    }
}

/// Something that happened.
///
/// `before` and `after` hold no secret, ever, and of people only ids: what changed of a person is
/// told by the names of the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// In whose record it stands; `None` for what belongs to no account.
    pub account: Option<AccountId>,
    /// What kind of act.
    pub action: Action,
    /// What the target is: `group`, `policy`, `sign-in`.
    pub kind: &'static str,
    /// What it was done to: an id, or a name where that is the id.
    pub target: String,
    /// What of the target was so before.
    pub before: Option<Value>,
    /// What of the target is so now.
    pub after: Option<Value>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Event {
    /// Something that was done to `target`.
    pub fn new(action: Action, kind: &'static str, target: impl Into<String>) -> Self {
        Self {
            account: None,
            action,
            kind,
            target: target.into(),
            before: None,
            after: None,
            outcome: Outcome::Success,
        }
    }

    /// The same, in this account.
    #[must_use]
    pub fn of(self, account: &AccountId) -> Self {
        Self { account: Some(account.clone()), ..self }
    }

    /// The same, where this was so before.
    #[must_use]
    pub fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    /// The same, where this is so now.
    #[must_use]
    pub fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }

    /// The same, with this outcome.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }
}

/// An entry as it stands in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The account, or nothing.
    pub chain: String,
    /// Its number in the chain, from 1 on.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub user: Option<String>,
    /// By which app.
    pub app: Option<String>,
    /// By which key.
    pub key: Option<String>,
    /// In which request.
    pub request: Option<String>,
    /// The letter of the act.
    pub action: String,
    /// What the target is.
    pub kind: String,
    /// What it was done to.
    pub target: String,
    /// What came of it.
    pub outcome: String,
    /// Why it was not done.
    pub reason: Option<String>,
    /// How often it happened so.
    pub times: i64,
    /// What was so before, and after.
    pub detail: Erasable,
    /// Where it came from.
    pub origin: Erasable,
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only what this user did.
    pub user: Option<String>,
    /// Only what was done by this app.
    pub app: Option<String>,
    /// Only what was done to targets of this kind.
    pub kind: Option<String>,
    /// Only what was done to this target.
    pub target: Option<String>,
    /// Only what came out so.
    pub outcome: Option<String>,
    /// Only what was done by this key.
    pub key: Option<String>,
    /// Only what was done in this request.
    pub request: Option<String>,
    /// Only acts of this letter.
    pub action: Option<String>,
    /// Only what was refused or failed for this reason.
    pub reason: Option<String>,
    /// Only from this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Only before this instant.
    pub until: Option<DateTime<Utc>>,
    /// Only those before this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// A text that can be erased while its digest stays, so that the chain holds.
///
/// The text begins with a salt: nobody learns it from the digest by trying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasable {
    /// The text, unless there never was one, or it was erased.
    pub text: Option<String>,
    /// The digest of the text, if there ever was one.
    pub digest: Option<Digest>,
}

impl Erasable {
    /// With its digest.
    pub fn new(text: String) -> Self {
        Self { digest: Some(Digest::of(text.as_bytes())), text: Some(text) }
    }

    /// A member of the text, which is JSON.
    pub fn member(&self, name: &str) -> Option<Value> {
        let mut value: Value = serde_json::from_str(self.text.as_deref()?).ok()?;
        value.get_mut(name).map(Value::take)
    }

    /// Whether there was a text that is not there any more.
    pub(in crate::audit) fn is_blank(&self) -> bool {
        self.text.is_none() && self.digest.is_some()
    }

    /// Whether the text, if it is there, is the one whose digest is there.
    pub fn is_whole(&self) -> bool {
        self.text.as_ref().is_none_or(|text| Some(Digest::of(text.as_bytes())) == self.digest)
    }
}
