//! `/v1/client-tokens`: from an app into one that is embedded in it.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::id::AppId;
use crate::http::api::body::Body;
use crate::http::api::direct::{Refused, confirmed};
use crate::http::api::error::answer;
use crate::http::api::guard::Passed;
use crate::oauth::direct::{self, DirectError};
use crate::server::Server;

/// Which app is to be signed in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::http::api) struct TargetBody {
    target_client_id: AppId,
}

#[derive(Serialize)]
struct CodeView<'a> {
    code: &'a str,
}

/// The code as the embedded app brings it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct RedeemBody {
    client_id: String,
    code: String,
}

/// `POST /v1/client-tokens`: a code that is good once, for a minute.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Passed(caller): Passed,
    Body(body): Body<TargetBody>,
) -> Result<Response, Refused> {
    let from = caller.app.as_ref().zip(caller.grant).ok_or(DirectError::NotAllowed)?;
    let (from, target) = ((&from.0.id, from.1), &body.target_client_id);
    let code = direct::client_token(&server.oauth, from, target, &caller.actor).await?;
    Ok(answer(StatusCode::CREATED, CodeView { code: code.reveal() }))
}

/// `POST /v1/client-tokens/redeem`.
pub(in crate::http::api::direct) async fn redeem(
    State(server): State<Server>,
    Body(body): Body<RedeemBody>,
) -> Result<Response, Refused> {
    let issued = direct::redeem(&server.oauth, &body.client_id, &body.code).await?;
    Ok(confirmed(&issued))
}
