//! Policies.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
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
    route(Operation::ReplacePolicy, Method::Put, "/v1/policies/{name}",
        allowed::<AccessAdmin>("policy.write", Missing::NotFound).sensitive(),
        "Writes a policy over; another name in the body renames it"),
    route(Operation::DeletePolicy, Method::Delete, "/v1/policies/{name}",
        allowed::<AccessAdmin>("policy.write", Missing::NotFound).sensitive(),
        "Removes a policy"),
    route(Operation::ListPolicyVersions, Method::Get, "/v1/policies/{name}/versions",
        allowed::<AccessAdmin>("policy.read", Missing::NotFound),
        "What a policy was before, and who changed it"),
    route(Operation::RestorePolicy, Method::Post, "/v1/policies/{name}/restore",
        allowed::<AccessAdmin>("policy.write", Missing::NotFound).sensitive(),
        "Makes a policy again what it was, even one that was removed"),
    route(Operation::GetEvaluatedPolicy, Method::Get, "/v1/evaluated-policy",
        member("policy.read", AccountNeed::Required, Missing::NotFound),
        "What the policies leave to be said about resources: of the caller, or of another member"),
    route(Operation::GetPolicyAttributes, Method::Get, "/v1/policy-attributes/users/{id}",
        allowed::<AccessAdmin>("policy.read", Missing::NotFound),
        "What the account's policies know of a member: user.customAttributes"),
    route(Operation::PutPolicyAttributes, Method::Put, "/v1/policy-attributes/users/{id}",
        allowed::<AccessAdmin>("policy.write", Missing::NotFound).sensitive(),
        "Makes this what the account's policies know of a member"),
    route(Operation::ExplainPolicy, Method::Get, "/v1/policy-explanation",
        allowed::<AccessAdmin>("policy.read", Missing::Forbidden),
        "Why a member may do something, or is refused: the gate, policy, rule and condition"),
    route(Operation::ListPolicyHolders, Method::Get, "/v1/policy-holders",
        allowed::<AccessAdmin>("policy.read", Missing::Forbidden),
        "Which members may do something, and why"),
    route(Operation::SimulatePolicies, Method::Post, "/v1/policy-simulations",
        allowed::<AccessAdmin>("policy.read", Missing::Forbidden),
        "What policies would allow if they were so; changes nothing"),
];
