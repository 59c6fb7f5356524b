//! What an API of others is.

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

    /// The route of a request; `None`: there is none, and the request is refused.
    pub fn route(&self, method: Method, path: &RequestPath) -> Option<Found<'_>> {
        self.lines.iter().find_map(|(pattern, number)| {
            let route = self.definition().routes.get(*number)?;
            if route.method != method {
                return None;
            }
            pattern.matches(path).map(|params| Found { route, params })
        })
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
        assert_eq!(found(Method::Get, "/v1/F/x").as_deref(), Some("/{*rest}"));
        assert_eq!(found(Method::Get, "/v2/f/x"), None);
        assert_eq!(found(Method::Get, "/v1"), None);
        assert_eq!(found(Method::Post, "/v1/f/x"), None);
    }
}
