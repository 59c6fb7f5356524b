//! Projects.

use crate::gate::routes::{Area, Method, Missing, Operation, Route, ScopeInfo, allowed, route};
use crate::policy::privilege::{ProjectAdmin, ReadData};

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "project.read", description: "See your projects" },
    ScopeInfo { name: "project.write", description: "Create and change projects" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListProjects, Method::Get, "/v1/projects",
        allowed::<ReadData>("project.read", Missing::Forbidden),
        "The projects of the account that the user may see"),
    route(Operation::CreateProject, Method::Post, "/v1/projects",
        allowed::<ProjectAdmin>("project.write", Missing::Forbidden),
        "Adds a project to the account"),
    route(Operation::GetProject, Method::Get, "/v1/projects/{id}",
        allowed::<ReadData>("project.read", Missing::NotFound),
        "One project of the account"),
    route(Operation::ChangeProject, Method::Patch, "/v1/projects/{id}",
        allowed::<ProjectAdmin>("project.write", Missing::NotFound),
        "Changes name or description; the status ACTIVE takes a deletion back"),
    route(Operation::DeleteProject, Method::Delete, "/v1/projects/{id}",
        allowed::<ProjectAdmin>("project.write", Missing::NotFound),
        "Has a project deleted in 14 days, or with `immediate=true` at once"),
];
