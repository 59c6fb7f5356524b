//! The decision point, for services that ask before they act. Source: AuthZEN Authorization API 1.0.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, member, route,
};

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

pub(in crate::gate) const ASK: &str = "decision.ask";

const SCOPES: &[ScopeInfo] =
    &[ScopeInfo { name: ASK, description: "Ask what you, or those whom you administer, may do" }];

// A machine asks in its own account, without naming it.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::Evaluate, Method::Post, "/access/v1/evaluation",
        member(ASK, AccountNeed::Optional, Missing::Forbidden),
        "Whether a subject may do something to a resource"),
    route(Operation::EvaluateAll, Method::Post, "/access/v1/evaluations",
        member(ASK, AccountNeed::Optional, Missing::Forbidden),
        "Several such questions at once"),
    route(Operation::SearchSubjects, Method::Post, "/access/v1/search/subject",
        member(ASK, AccountNeed::Optional, Missing::Forbidden),
        "Who may do something to a resource"),
    route(Operation::SearchResources, Method::Post, "/access/v1/search/resource",
        member(ASK, AccountNeed::Optional, Missing::Forbidden),
        "To which resources a subject may do something"),
    route(Operation::SearchActions, Method::Post, "/access/v1/search/action",
        member(ASK, AccountNeed::Optional, Missing::Forbidden),
        "What a subject may do to a resource"),
];
