//! What a file declares, parsed.

use serde_json::{Map, Value};

use crate::accounts::model::{NewAccount, NewGroup};
use crate::apis::model::NewApi;
use crate::apps::new_app::NewApp;
use crate::apps::secrets::GivenSecret;
use crate::base::id::{AccountId, AppId, GroupId, ProjectId};
use crate::base::secret::Secret;
use crate::projects::model::NewProject;
use crate::setup::fault::{Fault, Faults};
use crate::setup::read::{At, Notes, Object, Part};
use crate::setup::secret::Outside;
use crate::setup::tree::Node;
use crate::setup::{accounts, apis, apps, check, providers, users};
use crate::upstream::model::NewProvider;
use crate::users::model::NewUser;
use crate::users::password::PasswordInput;

/// Everything that a file declares.
#[derive(Debug, Default)]
pub struct Declaration {
    /// People.
    pub users: Vec<UserEntry>,
    /// Tenants, with what is in them.
    pub accounts: Vec<AccountEntry>,
    /// Apps.
    pub apps: Vec<AppEntry>,
    /// Providers of others.
    pub providers: Vec<ProviderEntry>,
    /// APIs of others.
    pub apis: Vec<ApiEntry>,
    /// The document, for the places of faults that are found later.
    pub(in crate::setup) node: Option<Node>,
}

/// A user.
#[derive(Debug)]
pub struct UserEntry {
    /// Who they are. The value is for places: `users[0]`.
    pub user: At<NewUser>,
    /// Their password, if the file says one.
    pub password: Option<At<PasswordInput>>,
    /// The secret of their second factor in base32, if the file says one.
    pub totp: Option<At<Secret>>,
}

/// An account.
#[derive(Debug)]
pub struct AccountEntry {
    /// What it is.
    pub account: At<NewAccount>,
    /// Whether it has the groups and policies that accounts made through the API begin with.
    pub default_groups: bool,
    /// Its groups.
    pub groups: Vec<GroupEntry>,
    /// What it knows of its members.
    pub members: Vec<MemberEntry>,
    /// Its policies.
    pub policies: Vec<PolicyEntry>,
    /// Its projects.
    pub projects: Vec<At<(ProjectId, NewProject)>>,
}

/// A group.
#[derive(Debug)]
pub struct GroupEntry {
    /// Its id.
    pub id: At<GroupId>,
    /// What it is.
    pub group: NewGroup,
    /// Names of all its members; `None` leaves them as they are.
    pub members: Option<Vec<At<String>>>,
}

/// What an account knows of a member.
#[derive(Debug)]
pub struct MemberEntry {
    /// The member's name.
    pub user: At<String>,
    /// `user.customAttributes` in policies.
    pub attributes: Map<String, Value>,
}

/// A policy.
#[derive(Debug)]
pub struct PolicyEntry {
    /// Its name.
    pub name: At<String>,
    /// `{"rules": …}`
    pub document: Value,
}

/// An app.
#[derive(Debug)]
pub struct AppEntry {
    /// Its id: the `client_id`.
    pub id: At<AppId>,
    /// Who owns it.
    pub account: At<AccountId>,
    /// The accounts on its allow-list.
    pub accounts: Vec<At<AccountId>>,
    /// What it is.
    pub app: NewApp,
    /// All its secrets; `None` leaves them as they are.
    pub secrets: Option<Vec<GivenSecret>>,
}

/// A provider of others.
#[derive(Debug)]
pub struct ProviderEntry {
    /// What it is.
    pub provider: At<NewProvider>,
    /// Whose it is.
    pub account: Option<At<AccountId>>,
    /// The groups that it names.
    pub groups: Vec<At<GroupId>>,
}

/// An API of others.
#[derive(Debug)]
pub struct ApiEntry {
    /// What it is.
    pub api: At<NewApi>,
    /// Whose it is.
    pub account: At<AccountId>,
}

impl Declaration {
    /// Reads a document.
    ///
    /// # Errors
    /// All faults that show without looking at the server.
    pub fn parse(text: &str, outside: &Outside<'_>) -> Result<Self, Faults> {
        let node = Node::parse(text).map_err(|fault| Faults(vec![fault]))?;
        let mut notes = Notes::default();
        let mut declaration = read(&node, outside, &mut notes).unwrap_or_default();
        check::check(&declaration, &mut notes);
        if !notes.0.is_empty() {
            return Err(Faults::sorted(notes.0));
        }
        declaration.node = Some(node);
        Ok(declaration)
    }

    /// A fault of `at`, at the place of the field that `field` names if it has one: `email`,
    /// `callback_urls[1]`.
    pub(in crate::setup) fn fault<T>(&self, at: &At<T>, field: &str, problem: &str) -> Fault {
        let dotted =
            if field.is_empty() { at.path.clone() } else { format!("{}.{field}", at.path) };
        let pointer = format!("/{dotted}").replace('.', "/").replace('[', "/").replace(']', "");
        let exact = self.node.as_ref().map(|node| node.locate(&pointer));
        // A path that leads nowhere is answered by what is around it, which may be too far around.
        let place = exact.filter(|place| *place > at.place).unwrap_or(at.place);
        Fault::new(place, &dotted, problem)
    }
}

fn read(node: &Node, outside: &Outside<'_>, notes: &mut Notes) -> Option<Declaration> {
    let object =
        Part::root(node).object(&["users", "accounts", "apis", "apps", "providers"], notes)?;
    let users = list(&object, "users", notes, |part, notes| users::read(part, outside, notes));
    let accounts = list(&object, "accounts", notes, |part, notes| accounts::read(part, notes));
    let apps = list(&object, "apps", notes, |part, notes| apps::read(part, outside, notes));
    let providers =
        list(&object, "providers", notes, |part, notes| providers::read(part, outside, notes));
    let outside = list(&object, "apis", notes, apis::read);
    Some(Declaration { users, accounts, apis: outside, apps, providers, node: None })
}

/// The entries of a list that can be read; the faults of the others are noted.
pub(in crate::setup) fn list<'a, T>(
    object: &Object<'a>,
    name: &str,
    notes: &mut Notes,
    mut read: impl FnMut(&Part<'a>, &mut Notes) -> Option<T>,
) -> Vec<T> {
    let parts = object.list(name, notes).unwrap_or_default();
    parts.iter().filter_map(|part| read(part, notes)).collect()
}
