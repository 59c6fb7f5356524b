//! `GET /v1/scopes`: the one table, for whoever writes an app. Public.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::gate::routes::{AccountNeed, Lock, Route, ScopeInfo, scopes, table};
use crate::http::api::error::answer;

#[derive(Debug, Serialize)]
struct ScopeList {
    scopes: Vec<ScopeView>,
    /// What needs no token.
    public: Vec<RouteView>,
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

/// `GET /v1/scopes`.
pub(in crate::http::api) async fn list() -> Response {
    let opened_by = |scope: Option<&'static str>| {
        let routes = table().filter(move |route| route.lock.map(|lock| lock.scope) == scope);
        routes.map(RouteView::from).collect()
    };
    let view = |scope: &ScopeInfo| ScopeView {
        name: scope.name,
        description: scope.description,
        opens: opened_by(Some(scope.name)),
    };
    let scopes = scopes().map(view).collect();
    answer(StatusCode::OK, ScopeList { scopes, public: opened_by(None) })
}
