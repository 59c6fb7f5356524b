//! Requests that wait for their user somewhere else: the device grant, and CIBA.
//!
//! ```text
//! pending ──approve──▶ approved (a grant, whose code is the app's secret) ──poll──▶ tokens
//!    └─────deny──────▶ denied
//! ```

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::apps::model::{App, GrantType};
use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::base::id::{AccountId, AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::db::error::DbError;
use crate::oauth::acr::AcrRequest;
use crate::oauth::eligibility;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::{Approval, CODE_TTL, is_secret};
use crate::oauth::params::Params;
use crate::oauth::provenance;
use crate::oauth::reach::Reach;
use crate::oauth::request::{AuthorizeRequest, askable};
use crate::oauth::service::OAuth;
use crate::oauth::store_waiting::{self, No, Yes};
use crate::oauth::strength;
use crate::users::login::Login;
use crate::users::model::User;

/// The app asks no faster than this, to begin with. Source: RFC 8628 section 3.2.
pub(in crate::oauth) const INTERVAL_SECONDS: i64 = 5;

/// By which protocol a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RFC 8628.
    Device,
    /// OpenID Connect CIBA Core.
    Ciba,
}

impl Kind {
    pub(in crate::oauth) fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Ciba => "ciba",
        }
    }

    pub(in crate::oauth) fn grant_type(self) -> GrantType {
        match self {
            Self::Device => GrantType::DeviceCode,
            Self::Ciba => GrantType::Ciba,
        }
    }
}

/// What an app asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::oauth) struct Asked {
    pub(in crate::oauth) scope: Scope,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::oauth) resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::oauth) authorization_details: Vec<Value>,
    /// What stands on both screens, so that people see that they belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) binding_message: Option<String>,
    /// How sure the sign-in is wished to be; what it was is told truthfully.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) acr: Option<AcrRequest>,
    /// What the app is told with when the user has decided; sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::oauth) notice: Option<String>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Stage {
    Pending,
    /// It became this grant.
    Approved(GrantId),
    Denied,
}

/// A request that waits, or has waited.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Waiting {
    pub(in crate::oauth) id: i64,
    pub(in crate::oauth) app: AppId,
    /// Digest of the secret that the app holds.
    pub(in crate::oauth) secret: Digest,
    /// Who is asked, if the app said who.
    pub(in crate::oauth) user: Option<UserId>,
    pub(in crate::oauth) asked: Asked,
    pub(in crate::oauth) stage: Stage,
    pub(in crate::oauth) expires_at: DateTime<Utc>,
}

/// What the app holds: the number of the request and a secret.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Ticket {
    pub(in crate::oauth) id: i64,
    pub(in crate::oauth) secret: Secret,
}

impl Ticket {
    /// Reads what was presented; `None` unless it has the shape of one.
    pub(in crate::oauth) fn parse(text: &str) -> Option<Self> {
        let (number, secret) = text.split_once('.')?;
        let id = number.parse::<GrantId>().ok()?.0;
        is_secret(secret, 43).then(|| Self { id, secret: Secret::presented(secret) })
    }

    pub(in crate::oauth) fn to_text(&self) -> Secret {
        Secret::presented(format!("{}.{}", self.id, self.secret.reveal()))
    }
}

impl Waiting {
    /// What the grant's code is known by: never what an authorization code could be known by, so
    /// that neither is redeemed as the other.
    pub(in crate::oauth) fn code(&self, kind: Kind) -> Digest {
        Digest::of(&[kind.as_str().as_bytes(), b"/", self.secret.0.as_slice()].concat())
    }
}

/// What a user is asked, on a page of ours.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The number of the request.
    pub id: i64,
    /// Who asks. Title and description are the developer's words.
    pub app: Arc<App>,
    /// The account that answers for the app.
    pub account: AccountId,
    /// The name of that account.
    pub account_name: String,
    /// What is asked for, sorted.
    pub scopes: Vec<String>,
    /// What is asked for in detail.
    pub details: Vec<Value>,
    /// What stands on the app's own screen.
    pub binding_message: Option<String>,
    /// Who is asked.
    pub user: Arc<User>,
}

/// Why a user is not asked, or their answer does not count.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such request, or it is over.
    #[error("the request is over")]
    Over,
    /// The user may not use the app.
    #[error("the user may not use the app")]
    NotAllowed,
    /// A second factor is demanded that was not shown.
    #[error("the user must sign in with a second factor")]
    NotSure,
    /// Our fault.
    #[error("the server failed")]
    Internal(#[from] DbError),
}

/// What an app asks for at an endpoint where requests begin to wait: as at `/authorize`.
///
/// # Errors
/// `invalid_scope`, `invalid_target` or `invalid_authorization_details`.
pub(in crate::oauth) fn asked(
    params: &Params,
    app: &App,
    issuer: &str,
) -> Result<Asked, TokenError> {
    let scope = match params.get("scope") {
        Some(text) => Scope::parse(&askable(text, app)).map_err(|_| TokenError::InvalidScope)?,
        None => app.default_scopes.clone(),
    };
    if scope.is_empty() || !scope.is_within(&app.allowed_scopes) {
        return Err(TokenError::InvalidScope);
    }
    let Reach { audience, details } = Reach::asked(params, app, issuer)?;
    Ok(Asked { scope, resource: audience, authorization_details: details, ..Asked::default() })
}

/// What to ask `login`'s user about a request.
///
/// # Errors
/// [`AskError`].
pub(in crate::oauth) async fn ask(
    oauth: &OAuth,
    waiting: Waiting,
    login: &Login,
) -> Result<Ask, AskError> {
    if waiting.stage != Stage::Pending || oauth.now() >= waiting.expires_at {
        return Err(AskError::Over);
    }
    let parts = oauth.parts();
    let app = parts.apps.find(&waiting.app).await?;
    let app = app.filter(|app| app.is_enabled()).ok_or(AskError::Over)?;
    let user = eligible(oauth, &app, &login.user, login.auth_time).await?;
    if !provenance::fits(oauth, &app, login).await? {
        return Err(AskError::NotAllowed);
    }
    if strength::lacks(oauth, &app, (&login.user, &login.amr)).await? {
        return Err(AskError::NotSure);
    }
    let account = parts.accounts.find(&app.account).await?;
    Ok(Ask {
        id: waiting.id,
        account: app.account.clone(),
        account_name: account.map_or_else(String::new, |account| account.name.clone()),
        app,
        scopes: waiting.asked.scope.tokens().map(str::to_owned).collect(),
        details: waiting.asked.authorization_details,
        binding_message: waiting.asked.binding_message,
        user,
    })
}

/// Whether the user may use the app at all: the same as everywhere.
pub(in crate::oauth) async fn eligible(
    oauth: &OAuth,
    app: &App,
    user: &UserId,
    auth_time: DateTime<Utc>,
) -> Result<Arc<User>, AskError> {
    match eligibility::check(oauth, app, user, auth_time).await {
        Ok(user) => Ok(user),
        Err(TokenError::Internal(error)) => Err(error.into()),
        Err(refusal) => {
            tracing::info!(app = %app.id, %user, %refusal, "no access");
            Err(AskError::NotAllowed)
        }
    }
}

/// Writes the user's answer down: exactly one answer counts.
///
/// # Errors
/// [`AskError::Over`] if it is too late, [`AskError::NotAllowed`] if the user may not say yes.
pub(in crate::oauth) async fn answer(
    oauth: &OAuth,
    kind: Kind,
    waiting: Waiting,
    login: &Login,
    approve: bool,
) -> Result<(), AskError> {
    let now = oauth.now();
    let actor = Actor::user(&login.user).by(&waiting.app);
    let event = Event::new(Action::Execute, kind.as_str(), waiting.app.as_str());
    let told = (oauth.ctx().clone(), actor.clone(), event);
    let notice =
        waiting.asked.notice.as_ref().map(
            |notice| json!({ "id": waiting.id, "app": waiting.app.as_str(), "notice": notice }),
        );
    let answered = if approve {
        let code = waiting.code(kind);
        let Ask { id, app, .. } = ask(oauth, waiting.clone(), login).await?;
        let Asked { scope, resource, authorization_details, acr, .. } = waiting.asked;
        let by = Approval {
            user: login.user.clone(),
            session: login.session,
            auth_time: login.auth_time,
            amr: login.amr.clone(),
            scope: scope.clone(),
        };
        let request =
            AuthorizeRequest { scope, resource, authorization_details, acr, ..Default::default() };
        // The app has as long as it has for a code, or what is left of the request's time.
        let end = waiting.expires_at.max(now + CODE_TTL);
        let yes = Yes { id, app: app.id.clone(), request, by, code, notice, now, end };
        let approved = store_waiting::approve(&oauth.ctx().db, yes, told).await?;
        if approved {
            let trail = oauth.parts().users.trail();
            trail.note_sign_in(actor, &login.user, Outcome::Success, now);
        }
        approved
    } else {
        let no = No { id: waiting.id, notice, now };
        store_waiting::deny(&oauth.ctx().db, no, told).await?
    };
    if answered { Ok(()) } else { Err(AskError::Over) }
}

/// The request that a text stands for, if this app may ask for its outcome.
///
/// # Errors
/// [`TokenError::InvalidGrant`] if there is none.
pub(in crate::oauth) async fn find(
    oauth: &OAuth,
    kind: Kind,
    app: &App,
    text: &str,
) -> Result<Waiting, TokenError> {
    let unknown = || TokenError::InvalidGrant(Refusal::Unknown);
    let ticket = Ticket::parse(text).ok_or_else(unknown)?;
    let waiting =
        store_waiting::find(&oauth.ctx().db, kind, ticket.id).await?.ok_or_else(unknown)?;
    if waiting.secret != ticket.secret.digest() {
        return Err(unknown());
    }
    if waiting.app != app.id {
        return Err(TokenError::InvalidGrant(Refusal::WrongApp));
    }
    Ok(waiting)
}
