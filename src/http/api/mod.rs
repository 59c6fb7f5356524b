//! The resource API. Everything below `/v1` is made from the one table in `gate/routes`.
//!
//! Shapes are those that the platform's public clients expect: lists are
//! `{"items": […], "links": {"self", "next"?}}`, faults `{"error": "text", "reason": "code"}`.

mod accounts;
mod api_keys;
mod apis;
mod apps;
mod audit;
mod body;
mod decisions;
mod direct;
pub(in crate::http) mod error;
mod groups;
pub(in crate::http) mod guard;
mod invitations;
mod paging;
mod patients;
mod people;
mod policies;
mod policy_attributes;
mod policy_insight;
mod policy_simulations;
mod policy_versions;
mod projects;
mod query;
pub(in crate::http) mod refused;
mod scopes;
mod service_accounts;
mod unrepeated;
pub(in crate::http) mod usage;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, delete, get, patch, post, put};

use crate::gate::routes::{Operation, table};
use crate::http::api::error::ApiError;
use crate::http::cors;
use crate::http::interaction;
use crate::server::Server;

/// What scripts of registered apps may do.
const CORS: cors::Rule = cors::Rule {
    methods: "GET, HEAD, POST, PUT, PATCH, DELETE",
    headers: "authorization, content-type, dpop, lifeomic-account, x-fapi-interaction-id",
    expose: "www-authenticate, dpop-nonce, x-fapi-interaction-id",
};

/// All routes of the table, and an answer in JSON for everything else below `/v1`.
pub fn routes(server: &Server) -> Router<Server> {
    let mut router = Router::new();
    for route in table() {
        // Lines of one path merge; axum answers HEAD by GET, and lists the methods in `Allow`.
        let handler = handler(route.operation).unwrap_or_else(|| any(not_found));
        router = router.route(route.path, handler);
    }
    ["/v1", "/v1/", "/v1/{*rest}", "/access/{*rest}", "/auth/v1/api/{*rest}"]
        .iter()
        .fold(router, |router, path| router.route(path, any(not_found)))
        .merge(direct::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(interaction::state(server), interaction::echo))
        .layer(from_fn_with_state((CORS, server.clone()), cors::guard))
}

/// The handler of an operation; every operation has one.
fn handler(operation: Operation) -> Option<MethodRouter<Server>> {
    tenancy(operation).or_else(|| resources(operation)).or_else(|| apps::handler(operation))
}

/// Accounts, their people, and what acts in them.
fn tenancy(operation: Operation) -> Option<MethodRouter<Server>> {
    Some(match operation {
        Operation::ListAccounts => get(accounts::list),
        Operation::CreateAccount => post(accounts::create),
        Operation::GetAccount => get(accounts::get_one),
        Operation::ChangeAccount => patch(accounts::change),
        Operation::ReplaceAccount => put(accounts::replace),
        Operation::DeleteAccount => delete(accounts::delete),
        Operation::ListGroups => get(groups::list),
        Operation::CreateGroup => post(groups::create),
        Operation::GetGroup => get(groups::get_one),
        Operation::ChangeGroup => put(groups::change),
        Operation::DeleteGroup => delete(groups::delete),
        Operation::ListMembers => get(groups::members),
        Operation::AddMember => put(groups::add_member),
        Operation::RemoveMember => delete(groups::remove_member),
        Operation::ListPeople => get(people::list),
        Operation::GetPerson => get(people::get_one),
        Operation::RemovePerson => delete(people::remove),
        Operation::ListPatients => get(patients::list),
        Operation::EndPatient => delete(patients::end),
        Operation::ListInvitations => get(invitations::list),
        Operation::CreateInvitation => post(invitations::create),
        Operation::GetInvitation => get(invitations::get_one),
        Operation::RevokeInvitation => delete(invitations::revoke),
        Operation::ResendInvitation => post(invitations::resend),
        Operation::ListOwnInvitations => get(invitations::list_own),
        Operation::GetOwnInvitation => get(invitations::get_own),
        Operation::AnswerInvitation => patch(invitations::answer_own),
        Operation::RestoreAccount => post(accounts::restore),
        Operation::GetOwnUser => get(people::get_own),
        Operation::ChangeOwnUser => patch(people::change_own),
        Operation::ListAudit => get(audit::list),
        Operation::ExportAudit => get(audit::export),
        Operation::ListApiKeys => get(api_keys::list),
        Operation::CreateApiKey => post(api_keys::create),
        Operation::DeleteApiKey => delete(api_keys::delete),
        Operation::ListServiceAccounts => get(service_accounts::list),
        Operation::CreateServiceAccount => post(service_accounts::create),
        Operation::GetServiceAccount => get(service_accounts::get_one),
        Operation::ChangeServiceAccount => patch(service_accounts::change),
        Operation::DeleteServiceAccount => delete(service_accounts::delete),
        Operation::ListServiceKeys => get(service_accounts::keys),
        Operation::CreateServiceKey => post(service_accounts::create_key),
        Operation::DeleteServiceKey => delete(service_accounts::delete_key),
        Operation::ListUsage => get(usage::list),
        _ => return None,
    })
}

/// Policies, projects, APIs of others, and decisions.
fn resources(operation: Operation) -> Option<MethodRouter<Server>> {
    Some(match operation {
        Operation::ListPolicies => get(policies::list),
        Operation::CreatePolicy => post(policies::create),
        Operation::GetPolicy => get(policies::get_one),
        Operation::ReplacePolicy => put(policies::replace),
        Operation::DeletePolicy => delete(policies::remove),
        Operation::ListPolicyVersions => get(policy_versions::list),
        Operation::RestorePolicy => post(policy_versions::restore),
        Operation::GetEvaluatedPolicy => get(policy_insight::evaluated),
        Operation::GetPolicyAttributes => get(policy_attributes::get_one),
        Operation::PutPolicyAttributes => put(policy_attributes::put),
        Operation::ExplainPolicy => get(policy_insight::explain),
        Operation::ListPolicyHolders => get(policy_insight::holders),
        Operation::SimulatePolicies => post(policy_simulations::run),
        Operation::ListProjects => get(projects::list),
        Operation::CreateProject => post(projects::create),
        Operation::GetProject => get(projects::get_one),
        Operation::ListApis => get(apis::list),
        Operation::CreateApi => post(apis::create),
        Operation::GetApi => get(apis::get_one),
        Operation::ReplaceApi => put(apis::replace),
        Operation::DeleteApi => delete(apis::delete),
        Operation::Evaluate => post(decisions::evaluation),
        Operation::EvaluateAll => post(decisions::evaluations),
        Operation::SearchSubjects => post(decisions::subjects),
        Operation::SearchResources => post(decisions::resources),
        Operation::SearchActions => post(decisions::actions),
        Operation::ChangeProject => patch(projects::change),
        Operation::DeleteProject => delete(projects::remove),
        Operation::ListScopes => get(scopes::list),
        _ => return None,
    })
}

async fn not_found() -> ApiError {
    ApiError::NotFound
}

async fn method_not_allowed() -> ApiError {
    ApiError::MethodNotAllowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::refusal::ACCOUNT_HEADER;

    #[test]
    fn every_line_of_the_table_has_a_handler() {
        let without: Vec<_> =
            table().map(|it| it.operation).filter(|it| handler(*it).is_none()).collect();

        assert_eq!(without, []);
    }

    #[test]
    fn case_73_scripts_may_use_the_methods_and_headers_of_the_table() {
        for route in table() {
            assert!(CORS.methods.split(", ").any(|method| method == route.method.as_str()));
        }
        assert!(CORS.headers.contains(&ACCOUNT_HEADER.to_lowercase()));
    }
}
