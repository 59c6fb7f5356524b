//! `/v1/audit`: who did what in an account, for those who administer access to all of it.

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::audit::fhir;
use crate::audit::model::{Entry, Wanted};
use crate::audit::service;
use crate::gate::refusal::Refusal;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::Permitted;
use crate::http::api::paging::Paging;
use crate::http::api::query::{Query, bad};
use crate::policy::attributes::Attributes;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::{AccessAdmin, Privilege as _};
use crate::server::Server;

/// The letters of acts, and what the API calls them.
const ACTIONS: [(&str, &str); 5] =
    [("C", "create"), ("R", "read"), ("U", "update"), ("D", "delete"), ("E", "execute")];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView {
    id: String,
    time: String,
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Value>,
    action: &'static str,
    #[serde(rename = "type")]
    kind: String,
    target: String,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How often it happened so, in the minute that followed.
    times: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let member = |name| entry.detail.member(name);
        Self {
            id: entry.seq.to_string(),
            time: date(entry.at),
            before: member("before"),
            after: member("after"),
            ip: entry.origin.member("ip"),
            account: entry.chain,
            user: entry.user,
            app: entry.app,
            api_key: entry.key,
            request: entry.request,
            action: ACTIONS
                .iter()
                .find(|(letter, _)| *letter == entry.action)
                .map_or("execute", |(_, name)| name),
            kind: entry.kind,
            target: entry.target,
            outcome: entry.outcome,
            reason: entry.reason,
            times: entry.times,
        }
    }
}

/// `GET /v1/audit`, filtered by `user`, `app`, `apiKey`, `request`, `type`, `target`, `action`, `outcome`,
/// `reason`, `from` and `until`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/audit")?;
    let rows = entries(&server, &permit, &query, &paging).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |(id, _)| id, |(_, entry)| EntryView::from(entry))))
}

/// `GET /v1/audit/fhir`: the same as a Bundle.
pub(in crate::http::api) async fn export(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/audit/fhir")?;
    let rows = entries(&server, &permit, &query, &paging).await?;
    let observer = server.config.issuer.as_str();
    let page = paging.list(rows, |(id, _)| id, |(_, entry)| fhir::audit_event(&entry, observer));
    let (items, links) = page.into_parts();
    let links: Vec<_> = links
        .into_iter()
        .map(|(relation, url)| json!({ "relation": relation, "url": url }))
        .collect();
    let items: Vec<_> = items.into_iter().map(|item| json!({ "resource": item })).collect();
    let mut bundle = json!({ "resourceType": "Bundle", "type": "searchset", "link": links });
    // An empty array is no FHIR.
    if let Some(members) = bundle.as_object_mut().filter(|_| !items.is_empty()) {
        members.insert("entry".to_owned(), json!(items));
    }
    let mut response = answer(StatusCode::OK, bundle);
    let kind = HeaderValue::from_static("application/fhir+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// The entries of a page, each with its key.
///
/// The record tells of everything in the account: a privilege that holds for some things only does
/// not open it, unless it says so of the type `audit`.
async fn entries(
    server: &Server,
    permit: &Permit<AccessAdmin>,
    query: &Query,
    paging: &Paging<'_>,
) -> Result<Vec<(String, Entry)>, ApiError> {
    if !permit.allows(&Attributes::new().with(RESOURCE, "type", "audit")) {
        return Err(Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() }.into());
    }
    let wanted = Wanted { before: paging.after()?, limit: paging.limit(), ..wanted(query)? };
    let account = server.accounts.find(permit.account()).await?.ok_or(ApiError::NotFound)?;
    let found = service::list(&server.ctx, &account.id, account.created_at, &wanted).await?;
    Ok(found.into_iter().map(|entry| (entry.seq.to_string(), entry)).collect())
}

fn letter(name: &str) -> Result<String, ApiError> {
    let found = ACTIONS.iter().find(|(_, known)| *known == name);
    found.map(|(letter, _)| (*letter).to_owned()).ok_or_else(|| bad("action"))
}

fn wanted(query: &Query) -> Result<Wanted, ApiError> {
    let text = |name| query.one(name).map(|value| value.map(str::to_owned));
    let time = |name| {
        let parse = |text: &str| DateTime::<Utc>::from_str(text).map_err(|_| bad(name));
        query.one(name)?.map(parse).transpose()
    };
    let outcome = text("outcome")?;
    if outcome.as_deref().is_some_and(|o| !["success", "refused", "failed"].contains(&o)) {
        return Err(bad("outcome"));
    }
    Ok(Wanted {
        user: text("user")?,
        app: text("app")?,
        kind: text("type")?,
        target: text("target")?,
        outcome,
        key: text("apiKey")?,
        request: text("request")?,
        action: text("action")?.as_deref().map(letter).transpose()?,
        reason: text("reason")?,
        from: time("from")?,
        until: time("until")?,
        ..Wanted::default()
    })
}
