//! `/v1/evaluated-policy`, `/v1/policy-explanation`, `/v1/policy-holders`: who may what, and why.
//!
//! What policies say of others is shown to those who administer access; what they say of everybody,
//! to those who administer all of it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::base::id::UserId;
use crate::base::scope::Scope;
use crate::gate::explain::Question;
use crate::gate::refusal::Refusal;
use crate::gate::routes::asked::asked;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Passed, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::{Query, bad};
use crate::policy::attributes::Attributes;
use crate::policy::explain::RuleReport;
use crate::policy::fact::Fact;
use crate::policy::members::Holder;
use crate::policy::permit::Permit;
use crate::policy::privilege::{AccessAdmin, Privilege as _};
use crate::policy::service::LATER;
use crate::server::Server;

/// Attributes that are lists even with one thing in them.
const LISTS: [&str; 3] = ["amr", "cohorts", "tags"];
/// Longest name of an operation.
const OPERATION_BYTES_MAX: usize = 64;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HolderView {
    user: String,
    username: String,
    /// The rules that allow it, or that would if what is left were fulfilled.
    because: Vec<RuleReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_if: Option<Value>,
}

impl From<Holder> for HolderView {
    fn from(holder: Holder) -> Self {
        let because = if holder.only_if.is_some() { Vec::new() } else { holder.because.because };
        Self {
            user: holder.user.to_string(),
            username: holder.username,
            because,
            only_if: holder.only_if,
        }
    }
}

/// Lets only those pass who administer access to everything: what they are shown is about everybody.
pub(in crate::http::api) fn of_everybody(permit: &Permit<AccessAdmin>) -> Result<(), ApiError> {
    if permit.is_unconditional() {
        return Ok(());
    }
    Err(Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() }.into())
}

/// `GET /v1/evaluated-policy`: the caller's, or with `user=ID` another member's, for those who
/// administer access to that member.
pub(in crate::http::api) async fn evaluated(
    State(server): State<Server>,
    Passed(caller): Passed,
    query: Query,
) -> Result<Response, ApiError> {
    let user: Option<UserId> = match query.one("user")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| bad("user"))?),
    };
    let place = caller.place.as_ref().ok_or(Refusal::AccountRequired)?;
    let Some(user) = user.filter(|user| *user != caller.user) else {
        return Ok(answer(StatusCode::OK, place.reduced().to_json()));
    };
    let permit = caller.also::<AccessAdmin>()?;
    let resource =
        Attributes::new().with("resource", "id", user.as_str()).with("resource", "type", "user");
    if !permit.allows(&resource) {
        return Err(ApiError::NotFound);
    }
    let facts = server.policies.facts_of(&place.account, &user).await?;
    let facts = facts.ok_or(ApiError::NotFound)?;
    let policy = server.policies.merged(&place.account).await?;
    Ok(answer(StatusCode::OK, policy.reduce(&facts, LATER).to_json()))
}

/// `GET /v1/policy-explanation`: `user`, and `operation` or `method` and `path`; perhaps `app` and
/// `scope`; what is known of the resource and the sign-in as `resource.…` and `environment.…`.
pub(in crate::http::api) async fn explain(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    of_everybody(&permit)?;
    let policy = server.policies.merged(permit.account()).await?;
    let question = question(&query)?;
    Ok(answer(StatusCode::OK, server.gate.explain(permit.account(), &policy, &question).await?))
}

/// `GET /v1/policy-holders`: the members who may do `operation`, perhaps only to some resources.
pub(in crate::http::api) async fn holders(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    of_everybody(&permit)?;
    let operation = operation(&query)?.ok_or_else(|| bad("operation"))?;
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/policy-holders")?;
    let after: Option<UserId> = paging.after()?;
    let known = facts(&query)?;
    let page = (after.as_ref(), paging.size());
    let holders = server.policies.holders(&permit, (&operation, &known), page).await?;
    let items: Vec<HolderView> = holders.found.into_iter().map(HolderView::from).collect();
    let last = holders.last.as_ref().map(UserId::as_str);
    Ok(answer(StatusCode::OK, paging.list_until(items, last)))
}

fn operation(query: &Query) -> Result<Option<String>, ApiError> {
    let text = query.one("operation")?;
    match text.filter(|text| text.len() > OPERATION_BYTES_MAX) {
        Some(_) => Err(bad("operation")),
        None => Ok(text.map(str::to_owned)),
    }
}

fn question(query: &Query) -> Result<Question, ApiError> {
    let user = query.one("user")?.and_then(|text| text.parse().ok()).ok_or_else(|| bad("user"))?;
    let app = match query.one("app")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| bad("app"))?),
    };
    let scope = match query.one("scope")? {
        None => None,
        Some(text) => Some(Scope::parse(text).map_err(|_| bad("scope"))?),
    };
    let mut question = Question {
        user,
        operation: operation(query)?,
        lock: None,
        is_list: false,
        app,
        scope,
        facts: facts(query)?,
    };
    match (query.one("method")?, query.one("path")?, &question.operation) {
        (None, None, Some(_)) => {}
        (Some(method), Some(path), None) => {
            let none = || {
                let text = "there is no route of that `method` and `path`, or it is open to all";
                ApiError::BadQuery(text.into())
            };
            let asked = asked(method, path).ok_or_else(none)?;
            let lock = asked.route.lock.ok_or_else(none)?;
            question.operation = lock.privilege.map(str::to_owned);
            question.lock = Some(lock);
            question.is_list = asked.is_list;
            question.facts = asked.about.and(&question.facts);
        }
        _ => {
            let text = "ask about an `operation`, or about a `method` and a `path`";
            return Err(ApiError::BadQuery(text.into()));
        }
    }
    Ok(question)
}

/// What is known of the resource and the sign-in.
fn facts(query: &Query) -> Result<Attributes, ApiError> {
    let mut facts = Attributes::new();
    for root in ["resource", "environment"] {
        let prefix = format!("{root}.");
        for (name, value) in query.below(&prefix) {
            let fact = match facts.get(root, name) {
                None if LISTS.contains(&name) => Fact::texts([value.to_owned()]),
                None => Fact::from(value),
                Some(Fact::List(known)) if LISTS.contains(&name) => {
                    let mut all = known.clone();
                    all.push(Fact::from(value));
                    Fact::List(all)
                }
                Some(_) => return Err(bad(name)),
            };
            facts.put(root, name, fact);
        }
    }
    Ok(facts)
}
