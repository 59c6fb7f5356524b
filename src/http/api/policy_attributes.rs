//! `/v1/policy-attributes/users/{id}`: what an account's policies know of a member.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accounts::attributes::AttributesError;
use crate::base::id::UserId;
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::{Id, Permitted};
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

impl From<AttributesError> for ApiError {
    fn from(error: AttributesError) -> Self {
        match error {
            AttributesError::Unknown => Self::NotFound,
            AttributesError::TooMany => Self::BadBody(error.to_string().into()),
            AttributesError::Policy(error) => error.into(),
        }
    }
}

/// What is known, as it is sent and answered.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct AttributesBody {
    attributes: Map<String, Value>,
}

/// `GET /v1/policy-attributes/users/{id}`.
pub(in crate::http::api) async fn get_one(
    State(server): State<Server>,
    Permitted { permit, lock, .. }: Permitted<AccessAdmin>,
    Id(user): Id<UserId>,
) -> Result<Response, ApiError> {
    let found = server.accounts.attributes(&permit, &user).await?;
    let attributes = found.ok_or_else(|| ApiError::missing(lock))?;
    Ok(answer(StatusCode::OK, AttributesBody { attributes }))
}

/// `PUT /v1/policy-attributes/users/{id}`: in force on the next request of the member.
pub(in crate::http::api) async fn put(
    State(server): State<Server>,
    Permitted { permit, facts, .. }: Permitted<AccessAdmin>,
    Id(user): Id<UserId>,
    Body(body): Body<AttributesBody>,
) -> Result<Response, ApiError> {
    let (accounts, policies) = (&server.accounts, &server.policies);
    accounts.put_attributes(policies, (&permit, &facts), &user, &body.attributes).await?;
    Ok(answer(StatusCode::OK, body))
}
