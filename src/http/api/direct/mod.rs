//! `/auth/v1/api/…` and `/v1/client-tokens`: signing in without our pages, as app-tools and the
//! mobile SDK do it. For apps that their operator trusts with what people type, and for no others.

mod client_tokens;
mod code;
mod invitations;
mod methods;
mod password;
mod sign_up;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::apps::model::App;
use crate::audit::model::Actor;
use crate::base::secret::Secret;
use crate::base::text;
use crate::http::api::error::{ApiError, answer};
use crate::http::browser::Browser;
use crate::oauth::direct::{self, DirectError};
use crate::oauth::issue::Issued;
use crate::server::Server;
use crate::users::error::SignInError;
use crate::users::mailed::MailedError;
use crate::users::mailed::device::Entrance;
use crate::users::model::User;

pub(in crate::http::api) use client_tokens::create as create_client_token;

/// The calls that show no access token.
pub(in crate::http::api) fn routes() -> Router<Server> {
    Router::new()
        .route("/auth/v1/api/login-methods", get(methods::list))
        .route("/auth/v1/api/login", post(password::login))
        .route("/auth/v1/api/passwordless-auth", post(code::begin))
        .route("/auth/v1/api/passwordless-auth/verify", post(code::verify))
        .route("/auth/v1/api/signup", post(sign_up::begin))
        .route("/auth/v1/api/confirm", post(sign_up::confirm))
        .route("/auth/v1/api/invite-validations", post(invitations::validate))
        .route("/v1/client-tokens/redeem", post(client_tokens::redeem))
}

/// Tokens, as those calls name them that sign in.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "so clients read them")]
#[serde(rename_all = "camelCase")]
struct SignedIn<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// Tokens, as all other calls name them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of the wire")]
struct Confirmed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_confirmed: Option<bool>,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_token: Option<&'a str>,
    expires_in: u32,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_url: Option<&'a str>,
}

impl<'a> Confirmed<'a> {
    fn of(issued: &'a Issued) -> Self {
        Self {
            user_confirmed: None,
            access_token: issued.access_token.reveal(),
            refresh_token: issued.refresh_token.as_ref().map(Secret::reveal),
            identity_token: issued.id_token.as_ref().map(Secret::reveal),
            expires_in: issued.expires_in,
            token_type: issued.token_type,
            original_url: None,
        }
    }
}

/// Somebody who signed in.
struct Entered {
    issued: Issued,
    /// Where: it is known from now on, if it keeps cookies.
    browser: Browser,
    known: HeaderValue,
}

impl Entered {
    fn answer(self, view: impl FnOnce(&Issued) -> Response) -> Response {
        let mut response = (self.browser, view(&self.issued)).into_response();
        response.headers_mut().append(SET_COOKIE, self.known);
        response
    }
}

fn signed_in(issued: &Issued) -> Response {
    let view = SignedIn {
        access_token: issued.access_token.reveal(),
        id_token: issued.id_token.as_ref().map(Secret::reveal),
        refresh_token: issued.refresh_token.as_ref().map(Secret::reveal),
    };
    answer(StatusCode::OK, view)
}

fn confirmed(issued: &Issued) -> Response {
    answer(StatusCode::OK, Confirmed::of(issued))
}

/// Tokens of whoever just became a user, and where their app wanted to go on.
fn joined(issued: &Issued, original_url: Option<&str>) -> Response {
    let user_confirmed = Some(true);
    answer(StatusCode::OK, Confirmed { user_confirmed, original_url, ..Confirmed::of(issued) })
}

/// Gives tokens to whoever showed what `amr` names, unless more is due.
async fn enter(
    server: &Server,
    app: &Arc<App>,
    user: &User,
    amr: &[&str],
    browser: Browser,
) -> Result<Entered, Refused> {
    let issued = direct::sign_in(&server.oauth, app, user, amr).await?;
    let actor = Actor::user(&user.id).by(&app.id);
    let (source, seat, title) = (browser.source(), browser.seat(), app.title_in(user.language()));
    let from = Entrance { source, seat: &seat, app: Some((&app.id, title)) };
    server.users.signed_in(user, actor, &from).await.map_err(ApiError::from)?;
    let known = browser.know(server.users.device_mark(&user.id, &browser.digest()));
    Ok(Entered { issued, browser, known })
}

/// Why a call is refused. In the same words for everybody whom we do not know.
#[derive(Debug)]
pub(in crate::http::api) enum Refused {
    Api(ApiError),
    /// Too many attempts, or too much work.
    Wait(StatusCode, u32),
}

fn told(status: StatusCode, reason: &'static str, text: &'static str) -> Refused {
    Refused::Api(ApiError::Told(status, reason, text.into()))
}

/// A name as somebody typed it.
fn typed(name: &str) -> Result<&str, Refused> {
    let name = text::optional_line(name.trim(), NAME_BYTES_MAX);
    name.map_err(|_| told(StatusCode::BAD_REQUEST, "invalid_body", "the name is no plain text"))
}

/// Longest name or address that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 320;
const WRONG: &str = "the name, the password or the code is wrong";

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Wait(status, seconds) => {
                let text = "too many attempts: try again later";
                let mut response =
                    ApiError::Told(status, "too_many_attempts", text.into()).into_response();
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
                response
            }
        }
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<DirectError> for Refused {
    fn from(error: DirectError) -> Self {
        let forbidden = |reason| {
            Self::Api(ApiError::Told(StatusCode::FORBIDDEN, reason, error.to_string().into()))
        };
        match error {
            DirectError::NotTrusted => forbidden("app_not_trusted"),
            DirectError::SecondFactor => forbidden("second_factor_required"),
            DirectError::Elsewhere => forbidden("other_sign_in_required"),
            DirectError::NotAllowed => forbidden("access_denied"),
            DirectError::BadCode => forbidden("invalid_code"),
            DirectError::Internal(error) => Self::Api(error.into()),
            DirectError::Tokens(error) => {
                tracing::error!(?error, "tokens could not be issued");
                let text = "the server failed".into();
                Self::Api(ApiError::Told(StatusCode::INTERNAL_SERVER_ERROR, "server_error", text))
            }
        }
    }
}

impl From<SignInError> for Refused {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => told(StatusCode::FORBIDDEN, "invalid_credentials", WRONG),
            SignInError::Throttled { retry_after_seconds } => {
                Self::Wait(StatusCode::TOO_MANY_REQUESTS, retry_after_seconds)
            }
            SignInError::Busy { retry_after_seconds } => {
                Self::Wait(StatusCode::SERVICE_UNAVAILABLE, retry_after_seconds)
            }
            SignInError::Internal(error) => Self::Api(error.into()),
        }
    }
}

impl From<MailedError> for Refused {
    fn from(error: MailedError) -> Self {
        let bad = |text| told(StatusCode::BAD_REQUEST, "invalid_body", text);
        match error {
            MailedError::Over | MailedError::Wrong | MailedError::Taken => {
                SignInError::Wrong.into()
            }
            MailedError::Throttled { retry_after_seconds } => {
                Self::Wait(StatusCode::TOO_MANY_REQUESTS, retry_after_seconds)
            }
            MailedError::Busy { retry_after_seconds } => {
                Self::Wait(StatusCode::SERVICE_UNAVAILABLE, retry_after_seconds)
            }
            MailedError::Weak(_) => bad("the password is too weak"),
            MailedError::Address => bad("`email` is no e-mail address"),
            MailedError::Name(_) => bad("the name is empty, too long, or holds control characters"),
            MailedError::Internal(error) => Self::Api(error.into()),
        }
    }
}
