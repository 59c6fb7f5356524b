//! Apps that register themselves over HTTP, and manage what they registered.
//! Source: RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0.

mod answer;
pub mod initial;
mod read;
mod sector;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::apps::error::AppError;
use crate::apps::metadata::AuthMethod;
use crate::apps::model::Kind;
use crate::apps::new_app::NewApp;
use crate::apps::registration::{Quota, RegisterError, Registered, Registering, Secrets};
use crate::base::id::{AccountId, AppId};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::config::registration::RegistrationMode;
use crate::db::error::DbError;
use crate::oauth::registration::read::Rules;
use crate::oauth::service::OAuth;

/// How a registration is refused. Source: RFC 7591 section 3.2.2, RFC 6750 section 3.1.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// A redirect URI breaks a rule.
    #[error("invalid_redirect_uri: {0}")]
    RedirectUri(String),
    /// Another field breaks a rule. The text is never from input.
    #[error("invalid_client_metadata: {0}")]
    Metadata(String),
    /// What should be a software statement is none.
    #[error("invalid_software_statement")]
    BadStatement,
    /// There is nobody whose software statements we believe.
    #[error("unapproved_software_statement")]
    Statement,
    /// The token is missing or not good; one answer for all reasons.
    #[error("invalid_token")]
    Token,
    /// Nobody may register apps here, or no more of them.
    #[error("access_denied: {0}")]
    Closed(&'static str),
    /// Too many come from one address.
    #[error("too_many_requests")]
    TooMany,
    /// Our fault.
    #[error("the server failed")]
    Internal(#[from] DbError),
}

impl RegistrationError {
    /// The `error` of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RedirectUri(_) => "invalid_redirect_uri",
            Self::Metadata(_) => "invalid_client_metadata",
            Self::BadStatement => "invalid_software_statement",
            Self::Statement => "unapproved_software_statement",
            Self::Token => "invalid_token",
            Self::Closed(_) => "access_denied",
            Self::TooMany => "too_many_requests",
            Self::Internal(_) => "server_error",
        }
    }

    /// The `error_description` of the answer.
    pub fn description(&self) -> &str {
        match self {
            Self::RedirectUri(text) | Self::Metadata(text) => text,
            Self::BadStatement => "the software statement is no signed JWT",
            Self::Statement => "software statements are not accepted here",
            Self::Token => "the token is missing, unknown, expired or used up",
            Self::Closed(text) => text,
            Self::TooMany => "too many apps were registered from this address; try again later",
            Self::Internal(_) => "the server failed",
        }
    }

    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Token => 401,
            Self::Closed(_) => 403,
            Self::TooMany => 429,
            Self::Internal(_) => 500,
            _ => 400,
        }
    }
}

impl From<AppError> for RegistrationError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(faults) => read::refusal(&faults),
            AppError::Unknown => Self::Token,
            AppError::UnknownAccount => {
                tracing::error!("registration.account names no account");
                Self::Closed("apps cannot be registered here now")
            }
            AppError::Duplicate => Self::Metadata("client_id: is taken".to_owned()),
            AppError::Db(error) => Self::Internal(error),
        }
    }
}

const CLOSED: RegistrationError = RegistrationError::Closed("apps cannot be registered here");

/// What an app is told of its registration.
#[derive(Debug)]
pub struct Answer<'a> {
    app: &'a NewApp,
    issued_at: DateTime<Utc>,
    secret: Option<&'a Secret>,
    token: &'a str,
    uri: String,
}

/// Who may register an app now, and what it is charged to.
struct Leave {
    account: AccountId,
    quota: Option<Quota>,
}

/// Registers an app. Source: RFC 7591 section 3.
///
/// `bearer` is the initial access token, if there is one; `source` is where the request comes from.
///
/// # Errors
/// [`RegistrationError`].
pub async fn register(
    oauth: &OAuth,
    bearer: Option<&str>,
    source: Option<IpAddr>,
    asked: &Map<String, Value>,
) -> Result<Value, RegistrationError> {
    if oauth.parts().registration.mode == RegistrationMode::Closed {
        return Err(CLOSED);
    }
    let initial = match bearer {
        Some(text) => Some(initial::find(oauth, text).await?.ok_or(RegistrationError::Token)?),
        None => None,
    };
    let leave = match &initial {
        Some(initial) => Leave { account: initial.account().clone(), quota: None },
        None => without_token(oauth, source)?,
    };
    let id = oauth.parts().apps.new_id();
    let start = NewApp::new(id.clone(), leave.account, id.as_str());
    let app = read::read(asked, &rules(oauth, &Scope::default()), start)?;
    app.check().map_err(|faults| read::refusal(&faults))?;
    sector::verify(oauth, &app).await?;
    if let Some(initial) = initial
        && !initial.use_up(oauth).await?
    {
        return Err(RegistrationError::Token);
    }
    let secret = needs_secret(&app).then(|| Secret::generate(oauth.ctx().entropy()));
    let token = Secret::generate(oauth.ctx().entropy());
    let registering = Registering {
        app: app.clone(),
        secret: secret.as_ref().map(Into::into),
        token: token.digest(),
        quota: leave.quota,
    };
    oauth.parts().apps.register_itself(registering).await.map_err(|error| match error {
        RegisterError::App(error) => error.into(),
        RegisterError::Address => RegistrationError::TooMany,
        RegisterError::Total => {
            tracing::warn!("registration.total_max is reached: no app can be registered any more");
            RegistrationError::Closed("no more apps can be registered here")
        }
    })?;
    tracing::info!(app = %app.id, account = %app.account, "an app registered itself");
    Ok(told(oauth, &app, oauth.now(), secret.as_ref(), token.reveal()))
}

/// What an app registered. Source: RFC 7592 section 2.1.
///
/// # Errors
/// [`RegistrationError::Token`] for a token that is not its own, whatever the reason.
pub async fn get(
    oauth: &OAuth,
    client: &str,
    bearer: Option<&str>,
) -> Result<Value, RegistrationError> {
    let (app, registered, bearer) = manage(oauth, client, bearer).await?;
    Ok(told(oauth, &app, registered.at, None, bearer))
}

/// Replaces what an app registered: what is left out goes back to its default.
/// Source: RFC 7592 section 2.2.
///
/// What the operator decides about an app stays: its status, its allow-list, its claims.
///
/// # Errors
/// [`RegistrationError`].
pub async fn put(
    oauth: &OAuth,
    client: &str,
    bearer: Option<&str>,
    asked: &Map<String, Value>,
) -> Result<Value, RegistrationError> {
    let (held, registered, bearer) = manage(oauth, client, bearer).await?;
    check_names(oauth, &held, asked).await?;
    let app = read::read(asked, &rules(oauth, &held.allowed_scopes), held.clone())?;
    app.check().map_err(|faults| read::refusal(&faults))?;
    if app.metadata.sector_identifier_uri != held.metadata.sector_identifier_uri
        || app.callback_urls != held.callback_urls
    {
        sector::verify(oauth, &app).await?;
    }
    // Of the secret before, nothing but a digest may be known.
    let by_hmac = Some(AuthMethod::ClientSecretJwt);
    let signs = |app: &NewApp| app.metadata.token_endpoint_auth_method == by_hmac;
    let fresh = needs_secret(&app) && (!needs_secret(&held) || (signs(&app) && !signs(&held)));
    let secret = fresh.then(|| Secret::generate(oauth.ctx().entropy()));
    let secrets = match &secret {
        Some(secret) => Secrets::New(secret.into()),
        None if needs_secret(&app) => Secrets::Keep,
        None => Secrets::Drop,
    };
    oauth.parts().apps.replace(app.clone(), secrets).await?;
    Ok(told(oauth, &app, registered.at, secret.as_ref(), bearer))
}

/// Deletes an app; whatever it holds of ours ends at once. Source: RFC 7592 section 2.3.
///
/// # Errors
/// [`RegistrationError`].
pub async fn delete(
    oauth: &OAuth,
    client: &str,
    bearer: Option<&str>,
) -> Result<(), RegistrationError> {
    let (app, ..) = manage(oauth, client, bearer).await?;
    oauth.parts().apps.remove(&app.id).await?;
    tracing::info!(app = %app.id, "an app deleted its registration");
    Ok(())
}

fn without_token(oauth: &OAuth, source: Option<IpAddr>) -> Result<Leave, RegistrationError> {
    let settings = &oauth.parts().registration;
    match (settings.mode, &settings.account) {
        (RegistrationMode::Open, Some(account)) => Ok(Leave {
            account: account.clone(),
            quota: Some(Quota {
                source: network(source),
                per_hour_max: settings.per_hour_max,
                total_max: settings.total_max,
            }),
        }),
        (RegistrationMode::Token, _) => Err(RegistrationError::Token),
        _ => Err(CLOSED),
    }
}

/// The part of an address that one client has to itself: all of IPv4, 64 bits of IPv6.
fn network(ip: Option<IpAddr>) -> Digest {
    let bytes = match ip.map(|ip| ip.to_canonical()) {
        None => Vec::new(),
        Some(IpAddr::V4(ip)) => ip.octets().to_vec(),
        Some(IpAddr::V6(ip)) => ip.octets().iter().take(8).copied().collect(),
    };
    Digest::of(&bytes)
}

fn rules<'a>(oauth: &'a OAuth, held: &Scope) -> Rules<'a> {
    Rules {
        offered: oauth.offered(),
        scopes: oauth.parts().registration.allowed_scopes.union(held),
    }
}

/// The app that a registration access token is for. Source: RFC 7592 section 2.
async fn manage<'a>(
    oauth: &OAuth,
    client: &str,
    bearer: Option<&'a str>,
) -> Result<(NewApp, Registered, &'a str), RegistrationError> {
    let bearer = bearer.ok_or(RegistrationError::Token)?;
    let id: AppId = client.parse().map_err(|_| RegistrationError::Token)?;
    let found = oauth.parts().apps.registered(&id).await?;
    let digest = Secret::presented(bearer).digest();
    match found.filter(|(_, registered)| registered.token == digest) {
        Some((app, registered)) => Ok((app, registered, bearer)),
        None => Err(RegistrationError::Token),
    }
}

/// The names in an update are those that the app has: it cannot give itself others.
/// Source: RFC 7592 section 2.2.
async fn check_names(
    oauth: &OAuth,
    held: &NewApp,
    asked: &Map<String, Value>,
) -> Result<(), RegistrationError> {
    let refused = |text: &str| Err(RegistrationError::Metadata(text.to_owned()));
    if asked.get("client_id").and_then(Value::as_str) != Some(held.id.as_str()) {
        return refused("client_id: must be that of the app");
    }
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        if asked.contains_key(name) {
            return Err(RegistrationError::Metadata(format!("{name}: must not be sent")));
        }
    }
    let Some(secret) = asked.get("client_secret") else { return Ok(()) };
    let secret = Secret::presented(secret.as_str().unwrap_or_default());
    let app = oauth.parts().apps.find(&held.id).await?;
    match app.filter(|app| app.secret_matches(&secret, oauth.now())) {
        Some(_) => Ok(()),
        None => refused("client_secret: must be that of the app"),
    }
}

/// Whether an app shows who it is by a secret.
fn needs_secret(app: &NewApp) -> bool {
    app.kind == Kind::Confidential
        && matches!(
            app.metadata.token_endpoint_auth_method,
            None | Some(
                AuthMethod::ClientSecretBasic
                    | AuthMethod::ClientSecretPost
                    | AuthMethod::ClientSecretJwt
            )
        )
}

fn told(
    oauth: &OAuth,
    app: &NewApp,
    issued_at: DateTime<Utc>,
    secret: Option<&Secret>,
    token: &str,
) -> Value {
    let uri = oauth.parts().issuer.url(&format!("/register/{}", app.id));
    answer::write(&Answer { app, issued_at, secret, token, uri })
}
