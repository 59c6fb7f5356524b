//! What the parts of a declaration say about each other. Pure.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::setup::declaration::Declaration;
use crate::setup::fault::{Fault, Place};
use crate::setup::read::{At, Notes};
use crate::users::username::UsernameKey;

/// Notes whatever is declared twice.
pub(in crate::setup) fn check(declaration: &Declaration, notes: &mut Notes) {
    let mut names = Seen::new("a user of this name");
    let mut ids = Seen::new("a user with this id");
    for entry in &declaration.users {
        let user = &entry.user;
        names.add(UsernameKey::of(&user.value.username).as_str(), user, notes);
        if let Some(id) = &user.value.id {
            ids.add(id, user, notes);
        }
    }
    check_accounts(declaration, notes);
    let mut apps = Seen::new("an app with this id");
    for entry in &declaration.apps {
        apps.add(&entry.id.value, &entry.id, notes);
    }
    let mut outside = Seen::new("an API with this id");
    for entry in &declaration.apis {
        outside.add(&entry.api.value.id, &entry.api, notes);
    }
    let mut providers = Seen::new("a provider with this id");
    for entry in &declaration.providers {
        providers.add(&entry.provider.value.id, &entry.provider, notes);
    }
}

fn check_accounts(declaration: &Declaration, notes: &mut Notes) {
    let mut accounts = Seen::new("an account with this id");
    // Ids of groups and projects are unique in the whole server.
    let mut groups = Seen::new("a group with this id");
    let mut projects = Seen::new("a project with this id");
    for entry in &declaration.accounts {
        accounts.add(&entry.account.value.id, &entry.account, notes);
        let mut group_names = Seen::new("a group of this name");
        for group in &entry.groups {
            groups.add(&group.id.value, &group.id, notes);
            group_names.add(&group.group.name, &group.id, notes);
            let mut members = Seen::new("this member");
            for member in group.members.iter().flatten() {
                members.add(UsernameKey::of(&member.value).as_str(), member, notes);
            }
        }
        let mut members = Seen::new("this member");
        for member in &entry.members {
            members.add(UsernameKey::of(&member.user.value).as_str(), &member.user, notes);
        }
        let mut policies = Seen::new("a policy of this name");
        for policy in &entry.policies {
            policies.add(&policy.name.value, &policy.name, notes);
        }
        let mut project_names = Seen::new("a project of this name");
        for project in &entry.projects {
            projects.add(&project.value.0, project, notes);
            project_names.add(&project.value.1.name, project, notes);
        }
    }
}

/// What was seen, and where first.
struct Seen {
    what: &'static str,
    places: BTreeMap<String, Place>,
}

impl Seen {
    fn new(what: &'static str) -> Self {
        Self { what, places: BTreeMap::new() }
    }

    fn add<T>(&mut self, key: impl Display, at: &At<T>, notes: &mut Notes) {
        match self.places.get(&key.to_string()) {
            Some(first) => {
                let problem = format!("{} is declared already, in line {}", self.what, first.line);
                notes.0.push(Fault::new(at.place, &at.path, problem));
            }
            None => {
                self.places.insert(key.to_string(), at.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::setup::secret::Outside;

    #[track_caller]
    fn refused(text: &str, expected: &[&str]) {
        let outside = Outside { variable: &|_| None, folder: PathBuf::from(".") };
        let shown: Vec<String> = match Declaration::parse(text, &outside) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_declared_twice_is_a_fault() {
        refused(
            "users:\n- username: ada\n- username: Ada\n",
            &["line 3, column 3: users[1]: a user of this name is declared already, in line 2"],
        );
        refused(
            "accounts:\n- {id: a, name: A, groups: [{id: g, name: G}]}\n- {id: b, name: B, groups: [{id: g, name: G}]}\n",
            &[
                "line 3, column 29: accounts[1].groups[0]: a group with this id is declared already, in line 2",
            ],
        );
        refused(
            "accounts:\n- id: a\n  name: A\n  groups:\n  - {id: g, name: G, members: [ada, ADA]}\n",
            &[
                "line 5, column 37: accounts[0].groups[0].members[1]: this member is declared already, in line 5",
            ],
        );
    }

    #[test]
    fn case_77_unknown_keys_are_fatal_everywhere() {
        refused(
            "user: []\nusers: [{username: ada, passwort: x}]\naccounts: [{id: a, name: A, groups: [{id: g, name: G, kind: x}]}]\n",
            &[
                "line 1, column 1: user: there is no such key; known are users, accounts, apis, apps, providers",
                "line 2, column 25: users[0].passwort: there is no such key; known are username, id, email, email_verified, name, given_name, family_name, profile, attributes, status, password, totp",
                "line 3, column 55: accounts[0].groups[0].kind: there is no such key; known are id, name, description, type, members",
            ],
        );
    }

    #[test]
    fn values_are_checked_with_their_places() {
        refused(
            "users:\n- username: a b\n- {username: ada, password: short, totp: '1', status: gone}\naccounts:\n- {id: Acme, name: ''}\n",
            &[
                "line 2, column 13: users[0].username: username must not contain white space or invisible characters",
                "line 3, column 29: users[1].password: a password must have at least 8 characters",
                "line 3, column 42: users[1].totp: not a TOTP secret: it must be base32: letters and the digits 2-7",
                "line 3, column 55: users[1].status: must be active or disabled",
                "line 5, column 8: accounts[0].id: not a valid account id: 1 to 16 small letters and digits",
                "line 5, column 20: accounts[0].name: must not be empty",
            ],
        );
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text: String) {
            let outside = Outside { variable: &|_| None, folder: PathBuf::from(".") };
            let _ = Declaration::parse(&text, &outside);
        }
    }
}
