//! The one table of the resource API: what is not in it does not exist.
//!
//! Routing, enforcement and the public documentation at `GET /v1/scopes` are made from it.

mod accounts;
mod apis;
mod apps;
pub mod asked;
mod audit;
mod decisions;
mod groups;
mod invitations;
mod policies;
mod programs;
mod projects;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use crate::base::method::Method;
pub(in crate::gate) use crate::gate::routes::decisions::ASK;
use crate::policy::privilege::{AccessAdmin, AccountAdmin, BillingAdmin, Privilege};

/// An operation of the resource API. Each has one line in [`table`] and one handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `GET /v1/accounts`
    ListAccounts,
    /// `POST /v1/accounts`
    CreateAccount,
    /// `GET /v1/accounts/{id}`
    GetAccount,
    /// `PATCH /v1/accounts/{id}`
    ChangeAccount,
    /// `PUT /v1/accounts/{id}`
    ReplaceAccount,
    /// `DELETE /v1/accounts/{id}`
    DeleteAccount,
    /// `GET /v1/account/groups`
    ListGroups,
    /// `POST /v1/account/groups`
    CreateGroup,
    /// `GET /v1/account/groups/{id}`
    GetGroup,
    /// `PUT /v1/account/groups/{id}`
    ChangeGroup,
    /// `DELETE /v1/account/groups/{id}`
    DeleteGroup,
    /// `GET /v1/account/groups/{id}/members`
    ListMembers,
    /// `PUT /v1/account/groups/{id}/members/{user}`
    AddMember,
    /// `DELETE /v1/account/groups/{id}/members/{user}`
    RemoveMember,
    /// `GET /v1/account/users`
    ListPeople,
    /// `GET /v1/account/users/{id}`
    GetPerson,
    /// `DELETE /v1/account/users/{id}`
    RemovePerson,
    /// `GET /v1/account/users/{id}/patients`
    ListPatients,
    /// `DELETE /v1/account/users/{id}/patients/{patient}`
    EndPatient,
    /// `GET /v1/user`
    GetOwnUser,
    /// `PATCH /v1/user`
    ChangeOwnUser,
    /// `GET /v1/account/invitations`
    ListInvitations,
    /// `POST /v1/account/invitations`
    CreateInvitation,
    /// `GET /v1/account/invitations/{id}`
    GetInvitation,
    /// `DELETE /v1/account/invitations/{id}`
    RevokeInvitation,
    /// `POST /v1/account/invitations/{id}/resend`
    ResendInvitation,
    /// `GET /v1/invitations`
    ListOwnInvitations,
    /// `GET /v1/invitations/{id}`
    GetOwnInvitation,
    /// `PATCH /v1/invitations/{id}`
    AnswerInvitation,
    /// `POST /v1/accounts/{id}/restore`
    RestoreAccount,
    /// `GET /v1/audit`
    ListAudit,
    /// `GET /v1/audit/fhir`
    ExportAudit,
    /// `GET /v1/api-keys`
    ListApiKeys,
    /// `POST /v1/api-keys`
    CreateApiKey,
    /// `DELETE /v1/api-keys/{id}`
    DeleteApiKey,
    /// `GET /v1/service-accounts`
    ListServiceAccounts,
    /// `POST /v1/service-accounts`
    CreateServiceAccount,
    /// `GET /v1/service-accounts/{id}`
    GetServiceAccount,
    /// `PATCH /v1/service-accounts/{id}`
    ChangeServiceAccount,
    /// `DELETE /v1/service-accounts/{id}`
    DeleteServiceAccount,
    /// `GET /v1/service-accounts/{id}/api-keys`
    ListServiceKeys,
    /// `POST /v1/service-accounts/{id}/api-keys`
    CreateServiceKey,
    /// `DELETE /v1/service-accounts/{id}/api-keys/{key}`
    DeleteServiceKey,
    /// `GET /v1/usage`
    ListUsage,
    /// `GET /v1/policies`
    ListPolicies,
    /// `POST /v1/policies`
    CreatePolicy,
    /// `GET /v1/policies/{name}`
    GetPolicy,
    /// `PUT /v1/policies/{name}`
    ReplacePolicy,
    /// `DELETE /v1/policies/{name}`
    DeletePolicy,
    /// `GET /v1/policies/{name}/versions`
    ListPolicyVersions,
    /// `POST /v1/policies/{name}/restore`
    RestorePolicy,
    /// `GET /v1/evaluated-policy`
    GetEvaluatedPolicy,
    /// `GET /v1/policy-attributes/users/{id}`
    GetPolicyAttributes,
    /// `PUT /v1/policy-attributes/users/{id}`
    PutPolicyAttributes,
    /// `GET /v1/policy-explanation`
    ExplainPolicy,
    /// `GET /v1/policy-holders`
    ListPolicyHolders,
    /// `POST /v1/policy-simulations`
    SimulatePolicies,
    /// `GET /v1/projects`
    ListProjects,
    /// `POST /v1/projects`
    CreateProject,
    /// `GET /v1/projects/{id}`
    GetProject,
    /// `GET /v1/apps`
    ListApps,
    /// `POST /v1/apps`
    CreateApp,
    /// `GET /v1/apps/{id}`
    GetApp,
    /// `PATCH /v1/apps/{id}`
    UpdateApp,
    /// `DELETE /v1/apps/{id}`
    DeleteApp,
    /// `PUT /v1/apps/{id}/status`
    SetAppStatus,
    /// `GET /v1/apps/{id}/secrets`
    ListAppSecrets,
    /// `POST /v1/apps/{id}/secrets`
    AddAppSecret,
    /// `DELETE /v1/apps/{id}/secrets/{name}`
    EndAppSecret,
    /// `PUT /v1/apps/{id}/logo`
    SetAppLogo,
    /// `DELETE /v1/apps/{id}/logo`
    RemoveAppLogo,
    /// `GET /v1/apps/{id}/review`
    GetAppReview,
    /// `PUT /v1/apps/{id}/review`
    DraftAppReview,
    /// `POST /v1/apps/{id}/review`
    SubmitAppReview,
    /// `DELETE /v1/apps/{id}/review`
    WithdrawAppReview,
    /// `GET /v1/reviews`
    ListReviews,
    /// `GET /v1/reviews/{id}`
    GetReview,
    /// `PATCH /v1/reviews/{id}`
    DecideReview,
    /// `GET /v1/account/apps`
    ListAccountApps,
    /// `PUT /v1/account/apps/{id}/block`
    BlockApp,
    /// `DELETE /v1/account/apps/{id}/block`
    UnblockApp,
    /// `GET /v1/consents`
    ListConsents,
    /// `DELETE /v1/consents/{id}`
    WithdrawConsent,
    /// `POST /v1/client-tokens`
    CreateClientToken,
    /// `GET /v1/apis`
    ListApis,
    /// `POST /v1/apis`
    CreateApi,
    /// `GET /v1/apis/{id}`
    GetApi,
    /// `PUT /v1/apis/{id}`
    ReplaceApi,
    /// `DELETE /v1/apis/{id}`
    DeleteApi,
    /// `POST /access/v1/evaluation`
    Evaluate,
    /// `POST /access/v1/evaluations`
    EvaluateAll,
    /// `POST /access/v1/search/subject`
    SearchSubjects,
    /// `POST /access/v1/search/resource`
    SearchResources,
    /// `POST /access/v1/search/action`
    SearchActions,
    /// `PATCH /v1/projects/{id}`
    ChangeProject,
    /// `DELETE /v1/projects/{id}`
    DeleteProject,
    /// `GET /v1/scopes`
    ListScopes,
}

/// Whether a request must say which account it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNeed {
    /// It must.
    Required,
    /// It may; if it does, the account is checked as everywhere.
    Optional,
}

/// What somebody is told about an object that they may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// That it does not exist: 404, as for one that does not.
    NotFound,
    /// That they may not: 403. For collections, whose existence is public.
    Forbidden,
}

/// What opens a route: everything but its method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The scope that the token needs.
    pub scope: &'static str,
    /// Whether the account header is needed.
    pub account: AccountNeed,
    /// The privilege that the account's policies must give; `None`: membership is enough.
    pub privilege: Option<&'static str>,
    /// Another privilege that opens it, too, perhaps for fewer objects.
    pub or: Option<&'static str>,
    /// What is said about one object that may not be seen.
    pub missing: Missing,
    /// Whether the operator may ask more of a sign-in here than elsewhere. Source: RFC 9470.
    pub sensitive: bool,
}

impl Lock {
    /// What a request has to show for it.
    pub fn demand(&self) -> Demand<'static> {
        Demand { scope: self.scope, account: self.account, sensitive: self.sensitive }
    }

    const fn or<P: Privilege>(self) -> Self {
        Self { or: Some(P::NAME), ..self }
    }

    const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }
}

/// What a request has to show, apart from what the policies say: of a line of the table, or of a
/// route of somebody else's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand<'d> {
    /// The scope that the token needs.
    pub scope: &'d str,
    /// Whether the account header is needed.
    pub account: AccountNeed,
    /// Whether the operator may ask more of a sign-in here. Source: RFC 9470.
    pub sensitive: bool,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which handler answers.
    pub operation: Operation,
    /// Its method.
    pub method: Method,
    /// Its path; a parameter is `{name}` and fills one segment.
    pub path: &'static str,
    /// What opens it; `None`: it is public.
    pub lock: Option<Lock>,
    /// What it does, for the documentation.
    pub summary: &'static str,
}

/// A scope of the resource API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeInfo {
    /// Its name.
    pub name: &'static str,
    /// What it lets an app do, for the consent page and the documentation.
    pub description: &'static str,
}

const fn member(scope: &'static str, account: AccountNeed, missing: Missing) -> Lock {
    Lock { scope, account, privilege: None, or: None, missing, sensitive: false }
}

const fn allowed<P: Privilege>(scope: &'static str, missing: Missing) -> Lock {
    let account = AccountNeed::Required;
    Lock { scope, account, privilege: Some(P::NAME), or: None, missing, sensitive: false }
}

const fn route(
    operation: Operation,
    method: Method,
    path: &'static str,
    lock: Lock,
    summary: &'static str,
) -> Route {
    Route { operation, method, path, lock: Some(lock), summary }
}

/// What belongs together: its scopes, and the lines that they open.
struct Area {
    scopes: &'static [ScopeInfo],
    routes: &'static [Route],
}

const AREAS: &[Area] = &[
    accounts::AREA,
    apps::AREA,
    audit::AREA,
    groups::AREA,
    invitations::AREA,
    policies::AREA,
    programs::AREA,
    projects::AREA,
    apis::AREA,
    decisions::AREA,
    DOCUMENTATION,
];

const DOCUMENTATION: Area = Area {
    scopes: &[],
    routes: &[Route {
        operation: Operation::ListScopes,
        method: Method::Get,
        path: "/v1/scopes",
        lock: None,
        summary: "This table",
    }],
};

/// The scopes of the resource API.
pub fn scopes() -> impl Iterator<Item = &'static ScopeInfo> {
    AREAS.iter().flat_map(|area| area.scopes)
}

/// Whether a scope is one with which accounts are administered: whoever registers apps without
/// administering the account does not choose it.
pub fn is_administrative(scope: &str) -> bool {
    let names = [AccessAdmin::NAME, AccountAdmin::NAME, BillingAdmin::NAME];
    let is_so = |lock: &Lock| {
        lock.scope == scope
            && lock.or.is_none()
            && lock.privilege.is_some_and(|privilege| names.contains(&privilege))
    };
    tells_of_others(scope) || table().any(|route| route.lock.as_ref().is_some_and(is_so))
}

/// Whether a machine with this scope is told about every member of its account: whoever does not
/// administer access does not choose it.
pub fn tells_of_others(scope: &str) -> bool {
    scope == ASK
}

/// All routes of the resource API.
pub fn table() -> impl Iterator<Item = &'static Route> {
    AREAS.iter().flat_map(|area| area.routes)
}

/// The route for a method, as HTTP writes it, and a path as it stands in the table.
pub fn find(method: &str, path: &str) -> Option<&'static Route> {
    static LINES: LazyLock<HashMap<(&str, &str), &Route>> = LazyLock::new(|| {
        table().map(|route| ((route.method.as_str(), route.path), route)).collect()
    });
    let method = if method == "HEAD" { "GET" } else { method };
    LINES.get(&(method, path)).copied()
}

#[cfg(test)]
mod tests;
