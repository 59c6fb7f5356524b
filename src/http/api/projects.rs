//! `/v1/projects`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::ProjectId;
use crate::http::api::body::{Body, Given};
use crate::http::api::error::{ApiError, answer, date};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::{Query, bad};
use crate::policy::privilege::{ProjectAdmin, ReadData};
use crate::projects::model::{NewProject, Project, ProjectChange};
use crate::projects::service::ProjectQuery;
use crate::server::Server;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<String>,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name,
            description: project.description,
            status: if project.deletion_at.is_some() { "PENDING_DELETION" } else { "ACTIVE" },
            deletion_date: project.deletion_at.map(date),
        }
    }
}

/// What a client sends to make a project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct ProjectBody {
    name: String,
    description: Option<String>,
}

/// What a client sends to change a project.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct ProjectPatch {
    name: Option<String>,
    #[serde(default)]
    description: Given,
    status: Option<Stays>,
}

/// The one status that can be asked for: whoever wants the other one sends DELETE.
#[derive(Debug, Deserialize)]
enum Stays {
    #[serde(rename = "ACTIVE")]
    Active,
}

/// `GET /v1/projects`: those that the caller may see. `include=count` counts them, too.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ReadData>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/projects")?;
    let wanted = ProjectQuery {
        name_prefix: query.one("name")?.map(str::to_owned),
        ids: query.list("id")?,
        after: paging.after()?,
        limit: paging.limit(),
    };
    let rows = server.projects.list(&permit, &wanted).await?;
    let mut list = paging.list(rows, |project| project.id.as_str(), ProjectView::from);
    if query.includes("count") {
        list.count = Some(server.projects.count(&permit, &wanted).await?);
    }
    Ok(answer(StatusCode::OK, list))
}

/// `POST /v1/projects`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ProjectAdmin>,
    Body(body): Body<ProjectBody>,
) -> Result<Response, ApiError> {
    let new = NewProject { id: None, name: body.name, description: body.description };
    let made = server.projects.create(&permit, &new).await?;
    Ok(answer(StatusCode::CREATED, ProjectView::from(made)))
}

/// `GET /v1/projects/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<ReadData>,
    Id(id): Id<ProjectId>,
) -> Result<Response, ApiError> {
    let found = server.projects.get(&permit, &id).await?;
    Ok(answer(StatusCode::OK, ProjectView::from(found.ok_or_else(|| ApiError::missing(lock))?)))
}

/// `PATCH /v1/projects/{id}`: the status `ACTIVE` takes a deletion back.
pub(in crate::http::api) async fn change(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ProjectAdmin>,
    Id(id): Id<ProjectId>,
    Body(body): Body<ProjectPatch>,
) -> Result<Response, ApiError> {
    let stays = body.status.is_some();
    let description = body.description.change();
    let change = ProjectChange { name: body.name, description, stays };
    let project = server.projects.change(&server.tenancy, &permit, (&id, &change)).await?;
    Ok(answer(StatusCode::OK, ProjectView::from(project)))
}

/// `DELETE /v1/projects/{id}`: in 14 days, or with `immediate=true` at once.
pub(in crate::http::api) async fn remove(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ProjectAdmin>,
    Id(id): Id<ProjectId>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let (projects, tenancy) = (&server.projects, &server.tenancy);
    match query.one("immediate")? {
        None | Some("false") => projects.ask_deletion(tenancy, &permit, &id).await?,
        Some("true") => projects.delete(tenancy, &permit, &id).await?,
        Some(_) => return Err(bad("immediate")),
    }
    Ok(StatusCode::NO_CONTENT)
}
