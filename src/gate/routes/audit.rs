//! What was done in an account.

use crate::gate::routes::{Area, Method, Missing, Operation, Route, ScopeInfo, allowed, route};
use crate::policy::privilege::AccessAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] =
    &[ScopeInfo { name: "audit.read", description: "See who did what in an account" }];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListAudit, Method::Get, "/v1/audit",
        allowed::<AccessAdmin>("audit.read", Missing::Forbidden),
        "Who did what in the account, the latest first"),
    route(Operation::ExportAudit, Method::Get, "/v1/audit/fhir",
        allowed::<AccessAdmin>("audit.read", Missing::Forbidden),
        "The same as a FHIR R4 Bundle of AuditEvents"),
];
