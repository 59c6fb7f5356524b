//! How the resource API says no: `{"error": "text for people", "reason": "code for programs"}`.

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::accounts::model::AccountError;
use crate::apps::error::Fault as AppFault;
use crate::config::model::Issuer;
use crate::config::step_up::StepUp;
use crate::db::error::DbError;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{Lock, Missing};
use crate::http::proof;
use crate::policy::document::Fault;
use crate::policy::model::PolicyError;
use crate::policy::privilege::{AccessAdmin, Privilege as _, ProjectAdmin};
use crate::programs::model::ProgramError;
use crate::projects::model::ProjectError;
use crate::users::error::UserError;

/// Why a request to the resource API fails.
#[derive(Debug)]
pub(in crate::http) enum ApiError {
    /// The gate did not let it pass.
    Refused(Refusal),
    /// The gate did not let it pass, and says where the resource describes itself.
    Challenged(Refusal, Issuer),
    /// Something in the query is wrong.
    BadQuery(Cow<'static, str>),
    /// Something in the body is wrong.
    BadBody(Cow<'static, str>),
    /// The body is not JSON, as its sender says.
    UnsupportedMediaType,
    /// The body is too large.
    TooLarge,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// What should be made is there already.
    AlreadyExists(&'static str),
    /// The account has as many as it may.
    TooMany(&'static str),
    /// The operator does not offer it to this caller.
    NotOffered(&'static str),
    /// An invitation was accepted before: clients know it by a code of their own.
    AlreadyAccepted,
    /// What is there from the beginning stays.
    Protected(&'static str),
    /// A policy breaks its grammar.
    InvalidPolicy(Vec<Fault>),
    /// It gives away what whoever asks does not have.
    GrantsMoreThanHeld(String),
    /// It would leave the account with nobody who administers access.
    LastAdministrator,
    /// An app breaks rules.
    InvalidApp(Vec<AppFault>),
    /// Something of one area: its status, reason and text.
    Told(StatusCode, &'static str, Cow<'static, str>),
    /// Our fault.
    Internal(DbError),
}

impl ApiError {
    /// What the table says about an object that is not there, or may not be seen.
    pub(in crate::http::api) fn missing(lock: &'static Lock) -> Self {
        match (lock.missing, lock.privilege) {
            (Missing::Forbidden, Some(privilege)) => {
                Self::Refused(Refusal::PolicyDenies { privilege: privilege.into() })
            }
            _ => Self::NotFound,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) | Self::Challenged(refusal, _) => match refusal {
                Refusal::MissingToken
                | Refusal::InvalidToken
                | Refusal::Proof(_)
                | Refusal::SignIn(_) => StatusCode::UNAUTHORIZED,
                Refusal::InvalidRequest(_)
                | Refusal::AccountRequired
                | Refusal::InvalidAccount(_) => StatusCode::BAD_REQUEST,
                Refusal::NoRoute => StatusCode::NOT_FOUND,
                Refusal::InsufficientScope { .. }
                | Refusal::AppInDevelopment
                | Refusal::AppNotAllowed
                | Refusal::ApiNotAllowed
                | Refusal::KeyNotAllowed
                | Refusal::NotAMember
                | Refusal::NoUser
                | Refusal::PolicyDenies { .. } => StatusCode::FORBIDDEN,
                Refusal::Internal(_) | Refusal::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::BadQuery(_) | Self::BadBody(_) | Self::InvalidPolicy(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyExists(_)
            | Self::TooMany(_)
            | Self::AlreadyAccepted
            | Self::Protected(_)
            | Self::LastAdministrator => StatusCode::CONFLICT,
            Self::GrantsMoreThanHeld(_) | Self::NotOffered(_) => StatusCode::FORBIDDEN,
            Self::InvalidApp(_) => StatusCode::BAD_REQUEST,
            Self::Told(status, ..) => *status,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Value {
        let plain = |reason: &str, text: &str| json!({"error": text, "reason": reason});
        match self {
            Self::Refused(refusal) | Self::Challenged(refusal, _) => refusal_body(refusal),
            Self::BadQuery(text) => plain("invalid_query", text),
            Self::BadBody(text) => plain("invalid_body", text),
            Self::UnsupportedMediaType => {
                plain("unsupported_media_type", "send the body as application/json")
            }
            Self::TooLarge => plain("too_large", "the body is too large"),
            Self::NotFound => plain("not_found", "Not Found"),
            Self::MethodNotAllowed => {
                plain("method_not_allowed", "this path does not know this method")
            }
            Self::AlreadyExists(text) => plain("already_exists", text),
            Self::TooMany(text) => plain("too_many", text),
            Self::NotOffered(text) => plain("not_offered", text),
            Self::AlreadyAccepted => json!({
                "error": "the invitation was already accepted",
                "reason": "already_accepted",
                "code": "INVITATION_ALREADY_ACCEPTED",
            }),
            Self::Protected(text) => plain("protected", text),
            Self::InvalidPolicy(faults) => {
                let text = "the policy is invalid";
                json!({"error": text, "reason": "invalid_policy", "faults": faults})
            }
            Self::GrantsMoreThanHeld(privilege) => json!({
                "error": format!("that grants {privilege}, which you do not hold yourself"),
                "reason": "grants_more_than_held",
                "privilege": privilege,
            }),
            Self::LastAdministrator => plain(
                "last_administrator",
                "nobody would be left who administers access in the account",
            ),
            Self::InvalidApp(faults) => {
                let fault = |one: &AppFault| json!({"field": one.field, "problem": one.problem});
                let faults: Vec<Value> = faults.iter().map(fault).collect();
                let text = "the app is invalid";
                json!({"error": text, "reason": "invalid_app", "faults": faults})
            }
            Self::Told(_, reason, text) => plain(reason, text),
            Self::Internal(_) => plain("server_error", "the server failed"),
        }
    }

    /// Source: RFC 6750 section 3. Without a token there is no error code to tell.
    fn challenge(&self) -> Option<String> {
        let (Self::Refused(refusal) | Self::Challenged(refusal, _)) = self else { return None };
        let realm = "Bearer realm=\"narthex\"";
        let text = refusal.to_string().replace(['"', '\\'], "'");
        let error = refusal.reason();
        match refusal {
            Refusal::MissingToken => Some(realm.to_owned()),
            Refusal::SignIn(rules) => Some(sign_in(realm, rules)),
            Refusal::InvalidRequest(_) | Refusal::InvalidToken => {
                Some(format!("{realm}, error=\"{error}\", error_description=\"{text}\""))
            }
            Refusal::InsufficientScope { needed } => Some(format!(
                "{realm}, error=\"{error}\", error_description=\"{text}\", scope=\"{needed}\""
            )),
            _ => None,
        }
    }

    fn log(&self) {
        match self {
            Self::Internal(error)
            | Self::Refused(Refusal::Internal(error))
            | Self::Challenged(Refusal::Internal(error), _) => {
                tracing::error!(%error, cause = ?error, "a request to the API failed");
            }
            Self::Refused(Refusal::Bug(what)) | Self::Challenged(Refusal::Bug(what), _) => {
                tracing::error!(what, "a bug");
            }
            _ => {}
        }
    }
}

/// Source: RFC 9470 section 3.
fn sign_in(realm: &str, rules: &StepUp) -> String {
    let mut challenge = format!(
        "{realm}, error=\"insufficient_user_authentication\", \
         error_description=\"sign in again, as asked here\""
    );
    if !rules.acr_values.is_empty() {
        let _ = write!(challenge, ", acr_values=\"{}\"", rules.acr_values.join(" "));
    }
    if let Some(seconds) = rules.max_age_seconds {
        let _ = write!(challenge, ", max_age=\"{seconds}\"");
    }
    challenge
}

fn refusal_body(refusal: &Refusal) -> Value {
    let (error, reason) = (refusal.to_string(), refusal.reason());
    match refusal {
        Refusal::InsufficientScope { needed } => {
            json!({"error": error, "reason": reason, "scope": needed})
        }
        Refusal::PolicyDenies { privilege } => {
            json!({"error": error, "reason": reason, "privilege": privilege})
        }
        _ => json!({"error": error, "reason": reason}),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let mut response = answer(self.status(), self.body());
        crate::http::api::refused::mark(&self, &mut response);
        if let Some(Ok(challenge)) = self.challenge().map(HeaderValue::try_from) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Self::Challenged(Refusal::Proof(fault), _) = &self {
            proof::challenge(&mut response, fault);
        }
        if let Self::Challenged(_, issuer) = &self {
            proof::name_resource(&mut response, issuer);
        }
        response
    }
}

/// An answer in JSON that nobody keeps: it is about one caller.
pub(in crate::http::api) fn answer(status: StatusCode, body: impl serde::Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Done, and there is nothing to tell.
pub(in crate::http::api) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        Self::Internal(error)
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::BadText(..) | AccountError::TooManyAttributes => {
                Self::BadBody(error.to_string().into())
            }
            AccountError::NameTaken(_) => {
                Self::AlreadyExists("a group of that name already exists")
            }
            AccountError::IdTaken(_) => Self::AlreadyExists("that id is in use already"),
            AccountError::Protected => {
                Self::Protected("the groups that every account has are not deleted")
            }
            AccountError::Denied => {
                Self::Refused(Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() })
            }
            AccountError::AccountTaken(_) => {
                Self::AlreadyExists("an account of that id already exists, or was deleted")
            }
            AccountError::Owner => Self::BadBody(error.to_string().into()),
            AccountError::TooManyAccounts => {
                Self::TooMany("you have made as many accounts as you may")
            }
            AccountError::TooManyGroups => Self::TooMany("the account has too many groups"),
            AccountError::UnknownAccount(_)
            | AccountError::UnknownGroup(_)
            | AccountError::UnknownUser(_)
            | AccountError::NotAMember => Self::NotFound,
            AccountError::Policy(error) => error.into(),
            AccountError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<ProjectError> for ApiError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::BadText(..) => Self::BadBody(error.to_string().into()),
            ProjectError::NameTaken => Self::AlreadyExists("a project of that name already exists"),
            ProjectError::IdTaken(_) => Self::AlreadyExists("a project of that id already exists"),
            ProjectError::UnknownAccount(_) | ProjectError::Unknown => Self::NotFound,
            ProjectError::Denied => {
                Self::Refused(Refusal::PolicyDenies { privilege: ProjectAdmin::NAME.into() })
            }
            ProjectError::Internal(error) => Self::Internal(error),
        }
    }
}

impl From<ProgramError> for ApiError {
    fn from(error: ProgramError) -> Self {
        let text = error.to_string();
        match error {
            ProgramError::User(UserError::Internal(error)) | ProgramError::Internal(error) => {
                Self::Internal(error)
            }
            ProgramError::BadName(_)
            | ProgramError::BadDescription(_)
            | ProgramError::BadDays
            | ProgramError::NoScope
            | ProgramError::BadApp
            | ProgramError::MoreThanHeld
            | ProgramError::UnknownGroup(_)
            | ProgramError::User(_) => Self::BadBody(text.into()),
            ProgramError::ByKey => Self::Refused(Refusal::KeyNotAllowed),
            ProgramError::Unknown => Self::NotFound,
            ProgramError::NameTaken => {
                Self::AlreadyExists("a service account of that name already exists")
            }
            ProgramError::TooMany => Self::TooMany("there are as many as there may be"),
            ProgramError::NotAllowed => {
                Self::Refused(Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() })
            }
            ProgramError::Policy(error) => error.into(),
        }
    }
}

impl From<PolicyError> for ApiError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::BadName(_) | PolicyError::StepName | PolicyError::UnknownVersion => {
                Self::BadBody(error.to_string().into())
            }
            PolicyError::Unknown | PolicyError::UnknownAccount => Self::NotFound,
            PolicyError::Duplicate => Self::AlreadyExists("a policy of that name already exists"),
            PolicyError::Invalid(faults) => Self::InvalidPolicy(faults),
            PolicyError::NotAllowed => {
                Self::Refused(Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() })
            }
            PolicyError::GrantsMoreThanHeld(privilege) => Self::GrantsMoreThanHeld(privilege),
            PolicyError::LastAdministrator => Self::LastAdministrator,
            PolicyError::TooMany => Self::TooMany("the account has too many policies"),
            PolicyError::Internal(error) => Self::Internal(error),
        }
    }
}

/// An instant, as the API writes it.
pub(in crate::http) fn date(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
