//! `/par`: authorization requests that apps push. Source: RFC 9126 section 2.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::http::oauth::answer::{json, refused};
use crate::http::oauth::form::AppForm;
use crate::oauth::pushed::{self, PushError};
use crate::server::Server;

/// The answer. Source: RFC 9126 section 2.2.
#[derive(Serialize)]
struct Taken<'a> {
    request_uri: &'a str,
    expires_in: u32,
}

/// `POST /par`.
///
/// # Errors
/// [`PushError`], which is its own response.
pub(in crate::http::oauth) async fn push(
    State(server): State<Server>,
    form: AppForm,
) -> Result<Response, PushError> {
    let pushed = pushed::push(&server.oauth, &form.presented("/par")).await?;
    let taken = Taken { request_uri: pushed.request_uri.reveal(), expires_in: pushed.expires_in };
    Ok(json(StatusCode::CREATED, &taken))
}

impl IntoResponse for PushError {
    fn into_response(self) -> Response {
        match self {
            Self::Token(error) => error.into_response(),
            Self::Refused { code, description } => {
                refused(StatusCode::BAD_REQUEST, code, description)
            }
            Self::TooMany => refused(
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "the app pushes too many requests",
            ),
        }
    }
}
