//! What an API of others is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::apis::path::{Pattern, RequestPath};
use crate::base::id::{AccountId, ApiId};
use crate::base::method::Method;

/// A scope of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiScope {
    /// Its name: the id of the API, a dot, and what it is for.
    pub name: String,
    /// What it lets an app do, for people.
    pub description: String,
}

/// A route of an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiRoute {
    /// Its method. HEAD follows GET.
    pub method: Method,
    /// Its path below the base path. Its parameters are attributes of the resource: `{dataset}` is
    /// `resource.dataset`.
    pub path: Pattern,
    /// The scope that opens it: one of the API's.
    pub scope: String,
    /// The privilege that the policies of the account must give; none: membership is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privilege: Option<String>,
    /// Whether the operator may ask more of a sign-in here than elsewhere. Source: RFC 9470.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// What it does, for the documentation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
}

/// The accounts whose people an API is for, besides the one that registered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Served {
    /// Every account.
    Everybody(Everybody),
    /// These.
    These(BTreeSet<AccountId>),
}

/// The word for every account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Everybody {
    /// `"all"`
    All,
}

impl Default for Served {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Served {
    fn is_nobody(&self) -> bool {
        *self == Self::default()
    }
}

/// All that an API says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Definition {
    /// What people read.
    pub title: String,
    /// The absolute URI that stands for it: the audience of tokens that are for it alone.
    /// Source: RFC 8707 section 2.
    pub identifier: String,
    /// What its paths begin with.
    pub base_path: Pattern,
    /// Whose policies decide about it, too.
    #[serde(default, skip_serializing_if = "Served::is_nobody")]
    pub allowed_accounts: Served,
    /// Its scopes.
    pub scopes: Vec<ApiScope>,
    /// Its routes. What is not among them does not exist.
    pub routes: Vec<ApiRoute>,
}

/// An API to be made so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApi {
    /// Its id. Chosen, never generated: its scopes begin with it.
    pub id: ApiId,
    /// Whose it is.
    pub account: AccountId,
    /// The rest.
    pub definition: Definition,
}

/// A registered API, ready to be asked.
#[derive(Clone, Debug)]
pub struct Api {
    /// What was registered.
    pub registered: NewApi,
    /// Whole paths and the numbers of their routes, in the order in which they are tried.
    lines: Vec<(Pattern, usize)>,
}

/// The route that a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Which one.
    pub route: &'a ApiRoute,
    /// What the path says of the resource.
    pub params: Vec<(&'a str, String)>,
}

impl Api {
    /// Makes it ready.
    pub fn new(registered: NewApi) -> Self {
        let definition = &registered.definition;
        let whole = |route: &ApiRoute| route.path.below(&definition.base_path);
        let mut lines: Vec<_> = definition.routes.iter().map(whole).zip(0..).collect();
        lines.sort_by_key(|(pattern, _)| pattern.rank());
        Self { registered, lines }
    }

    /// Its id.
    pub fn id(&self) -> &ApiId {
        &self.registered.id
    }

    /// What it says of itself.
    pub fn definition(&self) -> &Definition {
        &self.registered.definition
    }

    /// Whether requests about the account are let through to it: its policies decide about them.
    pub fn serves(&self, account: &AccountId) -> bool {
        *account == self.registered.account
            || match &self.definition().allowed_accounts {
                Served::Everybody(_) => true,
                Served::These(accounts) => accounts.contains(account),
            }
    }

    /// The route of a request; `None`: there is none, and the request is refused. So is one that a
    /// service would take to another route if it read over case or over a slash at the end.
    pub fn route(&self, method: Method, path: &RequestPath) -> Option<Found<'_>> {
        let of_method = || {
            let lines = self.lines.iter();
            let routes = lines.filter_map(|(pattern, number)| {
                Some((pattern, self.definition().routes.get(*number)?))
            });
            routes.filter(|(_, route)| route.method == method)
        };
        let (closest, found) = of_method().find_map(|(pattern, route)| {
            pattern.matches(path).map(|params| (pattern, Found { route, params }))
        })?;
        let loosely = of_method().find(|(pattern, _)| pattern.matches_loosely(path));
        let is_closer = |pattern: &Pattern| pattern.rank() < closest.rank();
        (!loosely.is_some_and(|(pattern, _)| is_closer(pattern))).then_some(found)
    }

    /// The whole path of each route, as documentation shows it.
    pub fn documented(&self) -> impl Iterator<Item = (&ApiRoute, String)> {
        let base = &self.definition().base_path;
        self.definition().routes.iter().map(|route| (route, route.path.below(base).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api() -> Api {
        let definition = json!({
            "title": "Files", "identifier": "https://files.example/", "basePath": "/v1",
            "scopes": [{"name": "files.read", "description": "See files"}],
            "routes": [
                {"method": "GET", "path": "/{*rest}", "scope": "files.read"},
                {"method": "GET", "path": "/f/{id}", "scope": "files.read", "privilege": "readData"},
                {"method": "GET", "path": "/f/new", "scope": "files.read"},
            ],
        });
        Api::new(NewApi {
            id: "files".parse().unwrap(),
            account: "acme".parse().unwrap(),
            definition: serde_json::from_value(definition).unwrap(),
        })
    }

    #[test]
    fn case_67_the_closest_route_decides_and_what_is_no_route_is_none() {
        let api = api();
        let found = |method, path: &str| {
            let path = RequestPath::parse(path).unwrap();
            api.route(method, &path).map(|found| found.route.path.to_string())
        };

        assert_eq!(found(Method::Get, "/v1/f/new").as_deref(), Some("/f/new"));
        assert_eq!(found(Method::Get, "/v1/f/x").as_deref(), Some("/f/{id}"));
        assert_eq!(found(Method::Get, "/v1/f/x/y").as_deref(), Some("/{*rest}"));
        assert_eq!(found(Method::Get, "/v1/g/").as_deref(), Some("/{*rest}"));
        assert_eq!(found(Method::Get, "/v1/F/x"), None, "a closer route, but for its case");
        assert_eq!(found(Method::Get, "/v1/f/x/"), None, "a closer route, but for the slash");
        assert_eq!(found(Method::Get, "/v1/f/NEW"), None);
        assert_eq!(found(Method::Get, "/v2/f/x"), None);
        assert_eq!(found(Method::Get, "/v1"), None);
        assert_eq!(found(Method::Post, "/v1/f/x"), None);
    }
}
