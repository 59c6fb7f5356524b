//! `/auth/v1/api/signup` and `/confirm`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::base::secret::Secret;
use crate::config::sign_up::SignUp;
use crate::http::api::body::Body;
use crate::http::api::direct::{Refused, confirmed, tokens, told};
use crate::http::api::error::answer;
use crate::http::browser::Browser;
use crate::oauth::direct::trusted;
use crate::server::Server;
use crate::users::mailed::code::CodeFor;
use crate::words::Language;

/// What an app sends; clients send more, which nobody needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct SignUpBody {
    client_id: String,
    email: String,
    password: String,
    given_name: Option<String>,
    family_name: Option<String>,
}

#[derive(Serialize)]
struct BegunView<'a> {
    username: &'a str,
    email: &'a str,
}

/// The code as it came back.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct ConfirmBody {
    client_id: String,
    username: String,
    code: String,
}

/// `POST /auth/v1/api/signup`: has a code mailed to the address, which is the name from then on.
pub(in crate::http::api::direct) async fn begin(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    Body(body): Body<SignUpBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    if server.config.sign_up != SignUp::Open {
        let text = "nobody signs up here without an invitation";
        return Err(told(StatusCode::FORBIDDEN, "sign_up_closed", text));
    }
    let email = body.email.trim();
    let parts: Vec<&str> =
        [&body.given_name, &body.family_name].into_iter().flatten().map(String::as_str).collect();
    let name = match parts.join(" ").trim() {
        "" => email.split('@').next().unwrap_or_default().to_owned(),
        name => name.to_owned(),
    };
    let title = app.title_in(language);
    let wanted = CodeFor { app: &app.id, title, name: email, language };
    let password = Secret::presented(body.password);
    server.users.sign_up_in(wanted, (&name, &password), browser.source()).await?;
    Ok(answer(StatusCode::OK, BegunView { username: email, email }))
}

/// `POST /auth/v1/api/confirm`: the code for a user and tokens.
pub(in crate::http::api::direct) async fn confirm(
    State(server): State<Server>,
    browser: Browser,
    Body(body): Body<ConfirmBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    let shown = (body.username.trim(), &*body.code);
    let user = server.users.confirm_sign_up_in(&app.id, shown, browser.source()).await?;
    Ok(confirmed(&tokens(&server, &app, &user, &["pwd"]).await?))
}
