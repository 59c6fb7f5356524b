//! The table keeps its own rules.

use std::collections::BTreeSet;

use super::*;
use crate::gate::routes::asked::asked;

#[test]
fn each_line_is_there_once_and_has_a_scope_with_a_description() {
    let places: BTreeSet<_> = table().map(|route| (route.method.as_str(), route.path)).collect();
    let operations: Vec<_> = table().map(|route| route.operation).collect();
    let used: BTreeSet<_> = table().filter_map(|route| route.lock).map(|lock| lock.scope).collect();
    let known: BTreeSet<_> = scopes().map(|scope| scope.name).collect();

    assert_eq!(places.len(), table().count());
    assert!((1..operations.len()).all(|at| !operations[..at].contains(&operations[at])));
    assert_eq!(used, known);
    assert!(
        table().all(|route| ["/v1/", "/access/v1/"].iter().any(|at| route.path.starts_with(at)))
    );
    let reads = table().filter(|route| route.lock.is_some_and(|l| l.scope.contains(".read")));
    // A simulation is sent policies, and changes nothing.
    let is_read = |route: &Route| {
        route.method == Method::Get || route.operation == Operation::SimulatePolicies
    };
    assert!(reads.into_iter().all(is_read));
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
fn a_request_takes_the_route_of_its_path() {
    let taken = |method, path| asked(method, path).map(|asked| asked.route.operation);

    assert_eq!(taken("GET", "/v1/projects/p1"), Some(Operation::GetProject));
    assert_eq!(taken("HEAD", "/v1/policies/Nurse%20Access"), Some(Operation::GetPolicy));
    assert_eq!(taken("GET", "/v1/projects/"), None);
    assert_eq!(taken("GET", "/v1/projects/p1/x/y"), None);
    assert_eq!(taken("get", "/v1/projects"), None);
}

#[test]
fn nothing_but_the_table_itself_is_public() {
    let public: Vec<_> = table().filter(|route| route.lock.is_none()).collect();

    assert_eq!(public.len(), 1);
    assert_eq!(public[0].operation, Operation::ListScopes);
}
