//! Policies.

use crate::gate::routes::{Area, Method, Missing, Operation, Route, ScopeInfo, allowed, route};
use crate::policy::privilege::AccessAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "policy.read", description: "See the access policies of an account" },
    ScopeInfo { name: "policy.write", description: "Change the access policies of an account" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListPolicies, Method::Get, "/v1/policies",
        allowed::<AccessAdmin>("policy.read", Missing::Forbidden),
        "The policies of the account"),
    route(Operation::CreatePolicy, Method::Post, "/v1/policies",
        allowed::<AccessAdmin>("policy.write", Missing::Forbidden).sensitive(),
        "Adds a policy to the account"),
    route(Operation::GetPolicy, Method::Get, "/v1/policies/{name}",
        allowed::<AccessAdmin>("policy.read", Missing::NotFound),
        "One policy of the account"),
];
