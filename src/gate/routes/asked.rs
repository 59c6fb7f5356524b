//! What the method and the path of a request tell before it is made.

use percent_encoding::percent_decode_str;

use crate::gate::routes::{Method, Route, table};
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;

/// Where the first parameter of a path names a resource, of which type it is.
const NAMED: &[(&str, &str)] = &[
    ("/v1/accounts/{id}", "account"),
    ("/v1/account/groups/{id}", "group"),
    ("/v1/account/users/{id}", "user"),
    ("/v1/account/invitations/{id}", "invitation"),
    ("/v1/policy-attributes/users/{id}", "user"),
    ("/v1/policies/{name}", "policy"),
    ("/v1/projects/{id}", PROJECT),
    ("/v1/apps/{id}", "app"),
    ("/v1/account/apps/{id}", "app"),
    ("/v1/apis/{id}", "api"),
];
/// What policies are asked about as a whole.
const WHOLE: &[(&str, &str)] = &[
    ("/v1/service-accounts", "serviceAccount"),
    ("/v1/api-keys", "apiKey"),
    ("/v1/usage", "usage"),
    ("/v1/audit", "audit"),
];
const PROJECT: &str = "project";

/// A request that could be made.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The line of the table.
    pub route: &'static Route,
    /// What is known of its resource: attributes under the root `resource`.
    pub about: Attributes,
    /// Whether it shows as much as the policies allow, be it nothing.
    pub is_list: bool,
}

/// The route that a request to `path` would take, and what it would be about.
pub fn asked(method: &str, path: &str) -> Option<Asked> {
    let method = if method == "HEAD" { "GET" } else { method };
    let is_it = |known: &str| {
        known.split('/').count() == path.split('/').count()
            && known.split('/').zip(path.split('/')).all(|(known, sent)| {
                if known.starts_with('{') { !sent.is_empty() } else { known == sent }
            })
    };
    let found = table().filter(|route| route.method.as_str() == method && is_it(route.path));
    // One without a parameter goes first.
    let route = found.min_by_key(|route| route.path.matches('{').count())?;
    let about = about(route.path, path);
    let is_list = route.method == Method::Get && about.is_empty();
    Some(Asked { route, about, is_list })
}

fn about(known: &str, sent: &str) -> Attributes {
    let is_below = |prefix: &str| {
        known.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let facts = Attributes::new();
    if let Some((_, kind)) = WHOLE.iter().find(|(prefix, _)| is_below(prefix)) {
        return facts.with(RESOURCE, "type", *kind);
    }
    let Some((prefix, kind)) = NAMED.iter().find(|(prefix, _)| is_below(prefix)) else {
        return facts;
    };
    let segment = sent.split('/').nth(prefix.matches('/').count()).unwrap_or_default();
    let id = percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let facts = facts.with(RESOURCE, "type", *kind);
    // Contract: the dataset of a resource is its project.
    let facts = if *kind == PROJECT { facts.with(RESOURCE, "dataset", id.clone()) } else { facts };
    facts.with(RESOURCE, "id", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_that_names_something_says_what() {
        for route in table().filter(|route| route.path.contains('{')) {
            let Some(privilege) = route.lock.as_ref().and_then(|lock| lock.privilege) else {
                continue;
            };
            // Reviews are decided for all apps or for none.
            if route.path.starts_with("/v1/reviews/") {
                continue;
            }
            let found = asked(route.method.as_str(), route.path).unwrap();
            assert!(found.about.get(RESOURCE, "type").is_some(), "{} {privilege}", route.path);
        }
    }

    #[test]
    fn the_path_names_the_resource() {
        let about = |method, path| asked(method, path).unwrap().about;
        let facts = Attributes::new().with(RESOURCE, "type", "policy");

        assert_eq!(
            about("GET", "/v1/policies/User%20Access/versions"),
            facts.with(RESOURCE, "id", "User Access")
        );
        assert!(asked("HEAD", "/v1/projects").unwrap().is_list);
        assert!(!asked("POST", "/v1/projects").unwrap().is_list);
        assert!(asked("GET", "/v1/projects/").is_none());
        assert!(asked("GET", "/v1/nothing").is_none());
    }
}
