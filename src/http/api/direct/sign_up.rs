//! `/auth/v1/api/signup` and `/confirm`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::apps::model::App;
use crate::audit::model::Actor;
use crate::base::secret::Secret;
use crate::config::sign_up::SignUp;
use crate::http::api::body::Body;
use crate::http::api::direct::invitations::{open, refused};
use crate::http::api::direct::{Refused, enter, joined, told, typed};
use crate::http::api::error::answer;
use crate::http::browser::Browser;
use crate::oauth::direct::trusted;
use crate::server::Server;
use crate::users::mailed::code::CodeFor;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// What an app sends; clients send more, which nobody needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api::direct) struct SignUpBody {
    client_id: String,
    email: String,
    /// Who tells none signs in by codes, and can set one with a mailed link.
    password: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    /// Where the app goes on: told back to it, and looked at by nobody.
    original_url: Option<String>,
    /// What the link of an invitation's letter holds.
    invite_id: Option<String>,
    evc: Option<String>,
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

impl SignUpBody {
    /// The password; one that nobody knows for whoever chose none.
    fn password(&self, server: &Server) -> Secret {
        let chosen = self.password.clone().map(Secret::presented);
        chosen.unwrap_or_else(|| Secret::generate(server.ctx.entropy()))
    }

    /// By what they are signed in who hold the letter of an invitation. Source: RFC 8176 section 2.
    fn means(&self) -> &'static str {
        if self.password.is_some() { "pwd" } else { "otp" }
    }

    /// The full name; what stands before the `@` for whoever tells none.
    fn name(&self) -> String {
        let parts = [&self.given_name, &self.family_name].into_iter().flatten();
        let parts: Vec<&str> = parts.map(String::as_str).collect();
        match parts.join(" ").trim() {
            "" => self.email.trim().split('@').next().unwrap_or_default().to_owned(),
            name => name.to_owned(),
        }
    }
}

/// Whoever holds the letter of an invitation proved their address by it: they are a user at once,
/// and a member of what they were invited to.
async fn invited(
    server: &Server,
    app: &Arc<App>,
    (browser, body): (Browser, &SignUpBody),
    letter: (&str, &str),
) -> Result<Response, Refused> {
    let opened = open(server, letter).await?;
    let is_theirs = UsernameKey::of(body.email.trim()) == UsernameKey::of(&opened.invitation.email);
    if !is_theirs {
        let text = "the invitation is for another address";
        return Err(told(StatusCode::FORBIDDEN, "other_address", text));
    }
    if opened.is_known {
        let text = "there is such a user: sign in, and accept the invitation";
        return Err(told(StatusCode::CONFLICT, "already_exists", text));
    }
    let (password, means) = (body.password(server), body.means());
    let (name, actor) = (body.name(), Actor::app(&app.id));
    let made = server.tenancy.accept_as_new(&opened, (&name, &password), &actor).await;
    let user = made.map_err(refused)?;
    let entered = enter(server, app, &user, &[means], browser).await?;
    Ok(entered.answer(|issued| joined(issued, body.original_url.as_deref())))
}

/// `POST /auth/v1/api/signup`: has a code mailed to the address, which is the name from then on.
pub(in crate::http::api::direct) async fn begin(
    State(server): State<Server>,
    browser: Browser,
    language: Language,
    Body(body): Body<SignUpBody>,
) -> Result<Response, Refused> {
    let app = trusted(&server.oauth, &body.client_id).await?;
    let closed = |text| Err(told(StatusCode::FORBIDDEN, "sign_up_closed", text));
    if let (Some(id), Some(evc)) = (&body.invite_id, &body.evc) {
        if !server.config.sign_up.takes_invited() {
            return closed("nobody signs up here, with an invitation or without");
        }
        return invited(&server, &app, (browser, &body), (id, evc)).await;
    }
    if server.config.sign_up != SignUp::Open {
        return closed("nobody signs up here without an invitation");
    }
    let (email, name) = (typed(&body.email)?, body.name());
    let title = app.title_in(language);
    let wanted = CodeFor { app: &app.id, title, name: email, language };
    let password = body.password(&server);
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
    let shown = (typed(&body.username)?, &*body.code);
    let user = server.users.confirm_sign_up_in(&app.id, shown, browser.source()).await?;
    let entered = enter(&server, &app, &user, &["otp"], browser).await?;
    Ok(entered.answer(|issued| joined(issued, None)))
}
