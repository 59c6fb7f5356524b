//! `POST /auth/v1/api/login`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::base::secret::Secret;
use crate::http::api::body::Body;
use crate::http::api::direct::{Refused, enter, signed_in, typed};
use crate::http::browser::Browser;
use crate::oauth::direct::trusted;
use crate::server::Server;

/// What an app sends; clients send more, which nobody needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct LoginBody {
    client_id: String,
    username: String,
    password: String,
}

/// `POST /auth/v1/api/login`: a name and a password for tokens.
pub(in crate::http::api::direct) async fn login(
    State(server): State<Server>,
    browser: Browser,
    Body(body): Body<LoginBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    let password = Secret::presented(body.password);
    let user = server.users.sign_in(typed(&body.username)?, &password, browser.source()).await?;
    Ok(enter(&server, &app, &user, &["pwd"], browser).await?.answer(signed_in))
}
