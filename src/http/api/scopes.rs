//! `GET /v1/scopes`: the one table, for whoever writes an app. Public.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::apis::model::{Api, ApiScope, Definition};
use crate::gate::routes::{AccountNeed, Lock, Route, ScopeInfo, scopes, table};
use crate::http::api::error::{ApiError, answer};
use crate::server::Server;

#[derive(Debug, Serialize)]
struct ScopeList<'a> {
    scopes: Vec<Listed<'a>>,
    /// What needs no token.
    public: Vec<RouteView>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Listed<'a> {
    Own(ScopeView),
    Outside(OutsideScope<'a>),
}

#[derive(Debug, Serialize)]
struct ScopeView {
    name: &'static str,
    description: &'static str,
    opens: Vec<RouteView>,
}

#[derive(Debug, Serialize)]
struct RouteView {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    /// Whether the account header is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'static str>,
    /// What the policies of the account must allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    privilege: Option<&'static str>,
}

impl From<&Route> for RouteView {
    fn from(route: &Route) -> Self {
        let account = |lock: &Lock| match lock.account {
            AccountNeed::Required => "required",
            AccountNeed::Optional => "optional",
        };
        Self {
            method: route.method.as_str(),
            path: route.path,
            summary: route.summary,
            account: route.lock.as_ref().map(account),
            privilege: route.lock.and_then(|lock| lock.privilege),
        }
    }
}

/// A scope of an API of others.
#[derive(Debug, Serialize)]
struct OutsideScope<'a> {
    name: &'a str,
    description: &'a str,
    /// Whose it is.
    api: OutsideApi<'a>,
    opens: Vec<OutsideRoute<'a>>,
}

#[derive(Debug, Serialize)]
struct OutsideApi<'a> {
    id: &'a str,
    title: &'a str,
    identifier: &'a str,
}

#[derive(Debug, Serialize)]
struct OutsideRoute<'a> {
    method: &'static str,
    path: String,
    summary: &'a str,
    account: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    privilege: Option<&'a str>,
}

fn outside<'a>(api: &'a Api, scope: &'a ApiScope) -> OutsideScope<'a> {
    let routes = api.documented().filter(|(route, _)| route.scope == scope.name);
    let opens = routes.map(|(route, path)| OutsideRoute {
        method: route.method.as_str(),
        path,
        summary: &route.summary,
        account: "required",
        privilege: route.privilege.as_deref(),
    });
    let Definition { title, identifier, .. } = api.definition();
    OutsideScope {
        name: &scope.name,
        description: &scope.description,
        api: OutsideApi { id: api.id().as_str(), title, identifier },
        opens: opens.collect(),
    }
}

/// `GET /v1/scopes`: our own first, then those of others.
pub(in crate::http::api) async fn list(State(server): State<Server>) -> Result<Response, ApiError> {
    let opened_by = |scope: Option<&'static str>| {
        let routes = table().filter(move |route| route.lock.map(|lock| lock.scope) == scope);
        routes.map(RouteView::from).collect()
    };
    let view = |scope: &ScopeInfo| ScopeView {
        name: scope.name,
        description: scope.description,
        opens: opened_by(Some(scope.name)),
    };
    let apis = server.apis.all().await?;
    let others = apis.values().flat_map(|api| {
        api.definition().scopes.iter().map(|scope| Listed::Outside(outside(api, scope)))
    });
    let scopes = scopes().map(|scope| Listed::Own(view(scope))).chain(others).collect();
    Ok(answer(StatusCode::OK, ScopeList { scopes, public: opened_by(None) }))
}
