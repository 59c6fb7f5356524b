//! APIs of others.

use crate::gate::routes::{Area, Method, Missing, Operation, Route, ScopeInfo, allowed, route};
use crate::policy::privilege::AccountAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "api.read", description: "See the APIs that an account has registered" },
    ScopeInfo { name: "api.write", description: "Register and change APIs of an account" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListApis, Method::Get, "/v1/apis",
        allowed::<AccountAdmin>("api.read", Missing::Forbidden),
        "The APIs of the account, with their scopes and routes"),
    route(Operation::CreateApi, Method::Post, "/v1/apis",
        allowed::<AccountAdmin>("api.write", Missing::Forbidden).sensitive(),
        "Registers an API"),
    route(Operation::GetApi, Method::Get, "/v1/apis/{id}",
        allowed::<AccountAdmin>("api.read", Missing::NotFound),
        "One API of the account"),
    route(Operation::ReplaceApi, Method::Put, "/v1/apis/{id}",
        allowed::<AccountAdmin>("api.write", Missing::NotFound).sensitive(),
        "Changes an API"),
    route(Operation::DeleteApi, Method::Delete, "/v1/apis/{id}",
        allowed::<AccountAdmin>("api.write", Missing::NotFound).sensitive(),
        "Removes an API: its scopes open nothing any more"),
];
