//! `/v1/account/users/{id}/patients`: which Patients one of the people of an account is.

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::accounts::invitations::model::Patient;
use crate::accounts::patients::Mapping;
use crate::base::id::{BadId, PatientId, UserId};
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::groups::gone;
use crate::http::api::guard::{Id, Ids, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MappingView {
    project_id: String,
    project_name: String,
    patient_id: String,
    mapped_timestamp: String,
}

impl From<Mapping> for MappingView {
    fn from(mapping: Mapping) -> Self {
        Self {
            project_id: mapping.patient.project.to_string(),
            project_name: mapping.project_name,
            patient_id: mapping.patient.id.to_string(),
            mapped_timestamp: date(mapping.mapped_at),
        }
    }
}

/// The last row of a page. No id has a slash.
struct Last(Patient);

impl FromStr for Last {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let (project, id) = text.split_once('/').unwrap_or_default();
        Ok(Self(Patient { project: project.parse()?, id: id.parse()? }))
    }
}

/// `GET /v1/account/users/{id}/patients`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(id): Id<UserId>,
    query: Query,
) -> Result<Response, ApiError> {
    let path = format!("/v1/account/users/{id}/patients");
    let paging = Paging::read(&query, &server.vault, permit.account(), path)?;
    let after: Option<Last> = paging.after()?;
    let page = (after.as_ref().map(|last| &last.0), paging.limit());
    let found = server.accounts.patients(&permit, &id, page).await?;
    let rows = found.ok_or_else(|| ApiError::missing(lock))?.into_iter().map(|mapping| {
        let key = format!("{}/{}", mapping.patient.project, mapping.patient.id);
        (key, mapping)
    });
    let list = paging.list(rows.collect(), |(key, _)| key, |(_, it)| MappingView::from(it));
    Ok(answer(StatusCode::OK, list))
}

/// `DELETE /v1/account/users/{id}/patients/{patient}`: somebody is that Patient no longer.
pub(in crate::http::api) async fn end(
    State(server): State<Server>,
    Permitted { permit, facts, lock, .. }: Permitted<AccessAdmin>,
    Ids(user, patient): Ids<UserId, PatientId>,
) -> Result<Response, ApiError> {
    let (accounts, policies) = (&server.accounts, &server.policies);
    let ended = accounts.end_patient(policies, (&permit, &facts), (&user, &patient)).await?;
    gone(ended, lock)
}
