//! Keys, service accounts, and what an account uses.

use crate::gate::routes::{Area, Method, Missing, Operation, Route, ScopeInfo, allowed, route};
use crate::policy::privilege::{AccessAdmin, ApiKeyUser, BillingAdmin};

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "apiKey.read", description: "See your API keys" },
    ScopeInfo { name: "apiKey.write", description: "Make and revoke API keys that act for you" },
    ScopeInfo {
        name: "serviceAccount.read",
        description: "See the service accounts of an account",
    },
    ScopeInfo {
        name: "serviceAccount.write",
        description: "Make and change service accounts, and their keys",
    },
    ScopeInfo { name: "usage.read", description: "See what an account uses" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListApiKeys, Method::Get, "/v1/api-keys",
        allowed::<ApiKeyUser>("apiKey.read", Missing::Forbidden),
        "Your API keys in the account"),
    route(Operation::CreateApiKey, Method::Post, "/v1/api-keys",
        allowed::<ApiKeyUser>("apiKey.write", Missing::Forbidden).sensitive(),
        "Makes an API key that acts for you in the account"),
    route(Operation::DeleteApiKey, Method::Delete, "/v1/api-keys/{id}",
        allowed::<ApiKeyUser>("apiKey.write", Missing::NotFound),
        "Revokes one of your API keys"),
    route(Operation::ListServiceAccounts, Method::Get, "/v1/service-accounts",
        allowed::<AccessAdmin>("serviceAccount.read", Missing::Forbidden),
        "The service accounts of the account"),
    route(Operation::CreateServiceAccount, Method::Post, "/v1/service-accounts",
        allowed::<AccessAdmin>("serviceAccount.write", Missing::Forbidden).sensitive(),
        "Adds a service account"),
    route(Operation::GetServiceAccount, Method::Get, "/v1/service-accounts/{id}",
        allowed::<AccessAdmin>("serviceAccount.read", Missing::NotFound),
        "One service account"),
    route(Operation::ChangeServiceAccount, Method::Patch, "/v1/service-accounts/{id}",
        allowed::<AccessAdmin>("serviceAccount.write", Missing::NotFound).sensitive(),
        "Renames, disables or binds a service account to an app"),
    route(Operation::DeleteServiceAccount, Method::Delete, "/v1/service-accounts/{id}",
        allowed::<AccessAdmin>("serviceAccount.write", Missing::NotFound).sensitive(),
        "Removes a service account with its keys"),
    route(Operation::ListServiceKeys, Method::Get, "/v1/service-accounts/{id}/api-keys",
        allowed::<AccessAdmin>("serviceAccount.read", Missing::NotFound),
        "The API keys of a service account"),
    route(Operation::CreateServiceKey, Method::Post, "/v1/service-accounts/{id}/api-keys",
        allowed::<AccessAdmin>("serviceAccount.write", Missing::NotFound).sensitive(),
        "Makes an API key that acts for a service account"),
    route(Operation::DeleteServiceKey, Method::Delete, "/v1/service-accounts/{id}/api-keys/{key}",
        allowed::<AccessAdmin>("serviceAccount.write", Missing::NotFound),
        "Revokes an API key of a service account"),
    route(Operation::ListUsage, Method::Get, "/v1/usage",
        allowed::<BillingAdmin>("usage.read", Missing::Forbidden),
        "What the account uses, by day or by app"),
];
