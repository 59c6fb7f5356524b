//! `/v1/policies/{name}/versions` and `…/restore`: what a policy was before, and making it so again.

use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::policies::PolicyView;
use crate::http::api::query::Query;
use crate::policy::model::Version;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    version: i64,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_name: Option<String>,
    /// Absent: the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<String>,
    changed_at: String,
    policy: Value,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self {
            version: version.number,
            change: version.change.as_str(),
            other_name: version.other_name,
            changed_by: version.changed_by.map(|user| user.to_string()),
            changed_at: date(version.changed_at),
            policy: version.document,
        }
    }
}

/// What a client sends to have a policy as it was.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct RestoreBody {
    version: i64,
}

/// `GET /v1/policies/{name}/versions`: the newest first; of a policy that was removed, too.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(name): Id<String>,
    uri: Uri,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), uri.path().to_owned())?;
    let before: Option<i64> = paging.after()?;
    let found = server.policies.versions(&permit, &name, before, paging.limit()).await?;
    if found.is_empty() && before.is_none() {
        return Err(ApiError::missing(lock));
    }
    let rows = found.into_iter().map(|version| (version.number.to_string(), version)).collect();
    let list = paging.list(rows, |(number, _)| number, |(_, version)| VersionView::from(version));
    Ok(answer(StatusCode::OK, list))
}

/// `POST /v1/policies/{name}/restore`.
pub(in crate::http::api) async fn restore(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(name): Id<String>,
    Body(body): Body<RestoreBody>,
) -> Result<Response, ApiError> {
    let made = server.policies.restore(&permit, &facts, &name, body.version).await?;
    Ok(answer(StatusCode::OK, PolicyView::from(made)))
}
