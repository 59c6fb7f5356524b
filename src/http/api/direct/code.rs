//! `/auth/v1/api/passwordless-auth`: a code by mail in place of a password.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::http::api::body::Body;
use crate::http::api::direct::{Refused, enter, signed_in, typed};
use crate::http::api::error::answer;
use crate::http::browser::Browser;
use crate::oauth::direct::trusted;
use crate::server::Server;
use crate::users::mailed::code::CodeFor;
use crate::words::Language;

/// What an app sends. Where the app says that it lives is not looked at: letters lead nowhere that
/// somebody else names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct BeginBody {
    client_id: String,
    username: String,
}

#[derive(Serialize)]
struct SessionView<'a> {
    session: &'a str,
}

/// The code as it came back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct VerifyBody {
    client_id: String,
    code: String,
    session: String,
    username: String,
}

/// `POST /auth/v1/api/passwordless-auth`.
pub(in crate::http::api::direct) async fn begin(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    Body(body): Body<BeginBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    let title = app.title_in(language);
    let wanted = CodeFor { app: &app.id, title, name: typed(&body.username)?, language };
    let session = server.users.mail_code(wanted, browser.source()).await?;
    Ok(answer(StatusCode::OK, SessionView { session: session.reveal() }))
}

/// `POST /auth/v1/api/passwordless-auth/verify`.
pub(in crate::http::api::direct) async fn verify(
    State(server): State<Server>,
    browser: Browser,
    Body(body): Body<VerifyBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    let shown = (&*body.session, typed(&body.username)?, &*body.code);
    let user = server.users.check_mailed_code(&app.id, shown, browser.source()).await?;
    Ok(enter(&server, &app, &user, &["otp"], browser).await?.answer(signed_in))
}
