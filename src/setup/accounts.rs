//! Accounts in a declaration, with their groups, members, policies and projects.

use serde_json::{Value, json};

use crate::accounts::model::{
    AccountKind, DESCRIPTION_BYTES_MAX, GroupKind, NAME_BYTES_MAX, NewAccount, NewGroup,
    OWNER_BYTES_MAX, check_attributes,
};
use crate::base::id::{AccountId, GroupId, ProjectId};
use crate::base::text::{BadText, line, optional_line};
use crate::policy::document::Document;
use crate::projects::model::NewProject;
use crate::setup::declaration::{AccountEntry, GroupEntry, MemberEntry, PolicyEntry, list};
use crate::setup::fault::Fault;
use crate::setup::read::{At, Notes, Object, Part, any};

const KEYS: &[&str] = &[
    "id",
    "name",
    "description",
    "owner",
    "type",
    "products",
    "requires_second_factor",
    "default_groups",
    "groups",
    "members",
    "policies",
    "projects",
];

fn name(text: &str) -> Result<String, BadText> {
    line(text, NAME_BYTES_MAX).map(str::to_owned)
}

fn description(object: &Object<'_>, notes: &mut Notes) -> Option<String> {
    let checked = |text: &str| optional_line(text, DESCRIPTION_BYTES_MAX).map(str::to_owned);
    object.text("description", checked, notes)
}

/// Reads an account.
pub(in crate::setup) fn read(part: &Part<'_>, notes: &mut Notes) -> Option<AccountEntry> {
    let object = part.object(KEYS, notes)?;
    let id = object.need_text("id", str::parse::<AccountId>, notes);
    let called = object.need_text("name", name, notes);
    let description = description(&object, notes);
    let owner = |text: &str| line(text, OWNER_BYTES_MAX).map(str::to_owned);
    let owner = object.text("owner", owner, notes);
    let kind = object.text("type", str::parse::<AccountKind>, notes).unwrap_or_default();
    let products = object.texts("products", name, notes).unwrap_or_default();
    let products = products.into_iter().map(|product| product.value).collect();
    let default_groups = object.flag("default_groups", notes).unwrap_or(false);
    let requires_second_factor = object.flag("requires_second_factor", notes).unwrap_or(false);
    let groups = list(&object, "groups", notes, read_group);
    let members = list(&object, "members", notes, read_member);
    let policies = list(&object, "policies", notes, read_policy);
    let projects = list(&object, "projects", notes, read_project);
    let account = NewAccount {
        id: id?.value,
        name: called?.value,
        description,
        owner,
        kind,
        products,
        requires_second_factor,
    };
    let account = part.at(account);
    Some(AccountEntry { account, default_groups, groups, members, policies, projects })
}

fn read_group(part: &Part<'_>, notes: &mut Notes) -> Option<GroupEntry> {
    let object = part.object(&["id", "name", "description", "type", "members"], notes)?;
    let id = object.need_text("id", str::parse::<GroupId>, notes);
    let called = object.need_text("name", name, notes);
    let description = description(&object, notes);
    let kind = object.text("type", str::parse::<GroupKind>, notes).unwrap_or_default();
    // Whether there are such users is looked up later.
    let members = object.texts("members", any, notes);
    let id = At { value: id?.value, place: part.place(), path: part.path().to_owned() };
    let group = NewGroup { id: Some(id.value.clone()), name: called?.value, description, kind };
    Some(GroupEntry { id, group, members })
}

fn read_member(part: &Part<'_>, notes: &mut Notes) -> Option<MemberEntry> {
    let object = part.object(&["user", "attributes"], notes)?;
    let user = object.need_text("user", any, notes);
    let attributes = object.json_object("attributes", notes).unwrap_or_default();
    if let Err(error) = check_attributes(&attributes) {
        part.fault(notes, error.to_string());
    }
    Some(MemberEntry { user: user?, attributes })
}

/// A policy stands as `{name, rules}`, or as the API writes it, `{name, policy: {rules}}`.
fn read_policy(part: &Part<'_>, notes: &mut Notes) -> Option<PolicyEntry> {
    let object = part.object(&["name", "rules", "policy"], notes)?;
    let called = object.need_text("name", name, notes);
    let (inner, pointer_shift) = match (object.get("rules"), object.get("policy")) {
        (Some(rules), None) => (rules, "/rules"),
        (None, Some(policy)) => (policy, ""),
        _ => {
            part.fault(notes, "must have either rules or policy");
            return None;
        }
    };
    let value = inner.node().to_json();
    let document: Value = if pointer_shift.is_empty() { value } else { json!({ "rules": value }) };
    if let Err(faults) = Document::parse(&document) {
        for fault in faults {
            let pointer = fault.pointer.strip_prefix(pointer_shift).unwrap_or_default();
            let path = format!("{}{}", inner.path(), pointer.replace('/', "."));
            notes.0.push(Fault::new(inner.node().locate(pointer), &path, fault.message));
        }
    }
    Some(PolicyEntry { name: called?, document })
}

fn read_project(part: &Part<'_>, notes: &mut Notes) -> Option<At<(ProjectId, NewProject)>> {
    let object = part.object(&["id", "name", "description"], notes)?;
    let id = object.need_text("id", str::parse::<ProjectId>, notes);
    let called = object.need_text("name", name, notes);
    let description = description(&object, notes);
    let id = id?.value;
    let project = NewProject { id: Some(id.clone()), name: called?.value, description };
    Some(part.at((id, project)))
}
