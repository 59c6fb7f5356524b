//! The one table of the resource API: what is not in it does not exist.
//!
//! Routing, enforcement and the public documentation at `GET /v1/scopes` are made from it.

use crate::policy::privilege::{AccessAdmin, Privilege, ProjectAdmin, ReadData};

/// An operation of the resource API. Each has one line in [`TABLE`] and one handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `GET /v1/accounts`
    ListAccounts,
    /// `GET /v1/accounts/{id}`
    GetAccount,
    /// `GET /v1/account/groups`
    ListGroups,
    /// `GET /v1/policies`
    ListPolicies,
    /// `POST /v1/policies`
    CreatePolicy,
    /// `GET /v1/policies/{name}`
    GetPolicy,
    /// `GET /v1/projects`
    ListProjects,
    /// `POST /v1/projects`
    CreateProject,
    /// `GET /v1/projects/{id}`
    GetProject,
    /// `GET /v1/scopes`
    ListScopes,
}

/// The methods of the resource API. HEAD follows GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Adds.
    Post,
}

impl Method {
    /// As HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Whether a request must say which account it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNeed {
    /// It must.
    Required,
    /// It may; if it does, the account is checked as everywhere.
    Optional,
}

/// What somebody is told about an object that they may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// That it does not exist: 404, as for one that does not.
    NotFound,
    /// That they may not: 403. For collections, whose existence is public.
    Forbidden,
}

/// What opens a route: everything but its method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The scope that the token needs.
    pub scope: &'static str,
    /// Whether the account header is needed.
    pub account: AccountNeed,
    /// The privilege that the account's policies must give; `None`: membership is enough.
    pub privilege: Option<&'static str>,
    /// What is said about one object that may not be seen.
    pub missing: Missing,
    /// Whether the operator may ask more of a sign-in here than elsewhere. Source: RFC 9470.
    pub sensitive: bool,
}

impl Lock {
    const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which handler answers.
    pub operation: Operation,
    /// Its method.
    pub method: Method,
    /// Its path; a parameter is `{name}` and fills one segment.
    pub path: &'static str,
    /// What opens it; `None`: it is public.
    pub lock: Option<Lock>,
    /// What it does, for the documentation.
    pub summary: &'static str,
}

/// A scope of the resource API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeInfo {
    /// Its name.
    pub name: &'static str,
    /// What it lets an app do, for the consent page and the documentation.
    pub description: &'static str,
}

/// The scopes of the resource API.
pub const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "account.read", description: "See the accounts you are a member of" },
    ScopeInfo { name: "group.read", description: "See the groups of an account" },
    ScopeInfo { name: "policy.read", description: "See the access policies of an account" },
    ScopeInfo { name: "policy.write", description: "Change the access policies of an account" },
    ScopeInfo { name: "project.read", description: "See your projects" },
    ScopeInfo { name: "project.write", description: "Create and change projects" },
];

const fn member(scope: &'static str, account: AccountNeed, missing: Missing) -> Lock {
    Lock { scope, account, privilege: None, missing, sensitive: false }
}

const fn allowed<P: Privilege>(scope: &'static str, missing: Missing) -> Lock {
    let account = AccountNeed::Required;
    Lock { scope, account, privilege: Some(P::NAME), missing, sensitive: false }
}

const fn route(
    operation: Operation,
    method: Method,
    path: &'static str,
    lock: Lock,
    summary: &'static str,
) -> Route {
    Route { operation, method, path, lock: Some(lock), summary }
}

/// All routes of the resource API.
#[rustfmt::skip]
pub const TABLE: &[Route] = &[
    route(Operation::ListAccounts, Method::Get, "/v1/accounts",
        member("account.read", AccountNeed::Optional, Missing::Forbidden),
        "The accounts that the user is a member of and the app may be used for"),
    route(Operation::GetAccount, Method::Get, "/v1/accounts/{id}",
        member("account.read", AccountNeed::Required, Missing::NotFound),
        "The account that the header names"),
    route(Operation::ListGroups, Method::Get, "/v1/account/groups",
        allowed::<AccessAdmin>("group.read", Missing::Forbidden),
        "The groups of the account"),
    route(Operation::ListPolicies, Method::Get, "/v1/policies",
        allowed::<AccessAdmin>("policy.read", Missing::Forbidden),
        "The policies of the account"),
    route(Operation::CreatePolicy, Method::Post, "/v1/policies",
        allowed::<AccessAdmin>("policy.write", Missing::Forbidden).sensitive(),
        "Adds a policy to the account"),
    route(Operation::GetPolicy, Method::Get, "/v1/policies/{name}",
        allowed::<AccessAdmin>("policy.read", Missing::NotFound),
        "One policy of the account"),
    route(Operation::ListProjects, Method::Get, "/v1/projects",
        allowed::<ReadData>("project.read", Missing::Forbidden),
        "The projects of the account that the user may see"),
    route(Operation::CreateProject, Method::Post, "/v1/projects",
        allowed::<ProjectAdmin>("project.write", Missing::Forbidden),
        "Adds a project to the account"),
    route(Operation::GetProject, Method::Get, "/v1/projects/{id}",
        allowed::<ReadData>("project.read", Missing::NotFound),
        "One project of the account"),
    Route { operation: Operation::ListScopes, method: Method::Get, path: "/v1/scopes", lock: None,
        summary: "This table" },
];

/// The route for a method, as HTTP writes it, and a path as it stands in the table.
pub fn find(method: &str, path: &str) -> Option<&'static Route> {
    let method = if method == "HEAD" { "GET" } else { method };
    TABLE.iter().find(|route| route.path == path && route.method.as_str() == method)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_line_is_there_once_and_has_a_scope_with_a_description() {
        let places: BTreeSet<_> =
            TABLE.iter().map(|route| (route.method.as_str(), route.path)).collect();
        let operations: Vec<_> = TABLE.iter().map(|route| route.operation).collect();
        let used: BTreeSet<_> =
            TABLE.iter().filter_map(|route| route.lock).map(|lock| lock.scope).collect();
        let known: BTreeSet<_> = SCOPES.iter().map(|scope| scope.name).collect();

        assert_eq!(places.len(), TABLE.len());
        assert!((1..operations.len()).all(|at| !operations[..at].contains(&operations[at])));
        assert_eq!(used, known);
        assert!(TABLE.iter().all(|route| route.path.starts_with("/v1/")));
        let reads =
            TABLE.iter().filter(|route| route.lock.is_some_and(|l| !l.scope.contains(".write")));
        assert!(reads.into_iter().all(|route| route.method == Method::Get));
    }

    #[test]
    fn case_67_head_follows_get_and_nothing_else_is_found() {
        assert_eq!(find("HEAD", "/v1/projects"), find("GET", "/v1/projects"));
        for (method, path) in [
            ("get", "/v1/projects"),
            ("PUT", "/v1/projects"),
            ("GET", "/v1/projects/"),
            ("GET", "/V1/projects"),
            ("GET", "//v1/projects"),
            ("GET", "/v1/projects/p1"),
            ("GET", ""),
        ] {
            assert_eq!(find(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn nothing_but_the_table_itself_is_public() {
        let public: Vec<_> = TABLE.iter().filter(|route| route.lock.is_none()).collect();

        assert_eq!(public.len(), 1);
        assert_eq!(public[0].operation, Operation::ListScopes);
    }
}
