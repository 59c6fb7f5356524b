//! Accounts.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
use crate::policy::privilege::AccountAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "account.read", description: "See the accounts you are a member of" },
    ScopeInfo { name: "account.write", description: "Create, change and delete accounts" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListAccounts, Method::Get, "/v1/accounts",
        member("account.read", AccountNeed::Optional, Missing::Forbidden),
        "The accounts that the user is a member of and the app may be used for"),
    route(Operation::CreateAccount, Method::Post, "/v1/accounts",
        member("account.write", AccountNeed::Optional, Missing::Forbidden).sensitive(),
        "Makes an account, whose first administrator is the user; who may is configured"),
    route(Operation::GetAccount, Method::Get, "/v1/accounts/{id}",
        member("account.read", AccountNeed::Required, Missing::NotFound),
        "The account that the header names"),
    route(Operation::ChangeAccount, Method::Patch, "/v1/accounts/{id}",
        allowed::<AccountAdmin>("account.write", Missing::NotFound).sensitive(),
        "Changes name, description or owner; the status ACTIVE takes a deletion back"),
    route(Operation::ReplaceAccount, Method::Put, "/v1/accounts/{id}",
        allowed::<AccountAdmin>("account.write", Missing::NotFound).sensitive(),
        "Replaces name, description and owner"),
    route(Operation::DeleteAccount, Method::Delete, "/v1/accounts/{id}",
        allowed::<AccountAdmin>("account.write", Missing::NotFound).sensitive(),
        "Has the account deleted after 14 days, in which everything works and it can be kept"),
    route(Operation::RestoreAccount, Method::Post, "/v1/accounts/{id}/restore",
        allowed::<AccountAdmin>("account.write", Missing::NotFound).sensitive(),
        "Takes the deletion of the account back, within the 14 days"),
];
