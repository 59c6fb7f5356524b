//! Accounts and their groups.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
use crate::policy::privilege::AccessAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "account.read", description: "See the accounts you are a member of" },
    ScopeInfo { name: "group.read", description: "See the groups of an account" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListAccounts, Method::Get, "/v1/accounts",
        member("account.read", AccountNeed::Optional, Missing::Forbidden),
        "The accounts that the user is a member of and the app may be used for"),
    route(Operation::GetAccount, Method::Get, "/v1/accounts/{id}",
        member("account.read", AccountNeed::Required, Missing::NotFound),
        "The account that the header names"),
    route(Operation::ListGroups, Method::Get, "/v1/account/groups",
        allowed::<AccessAdmin>("group.read", Missing::Forbidden),
        "The groups of the account"),
];
