//! Signing out on behalf of an app. Source: OpenID Connect RP-Initiated Logout 1.0.

use std::sync::Arc;

use serde_json::{Map, Value};
use url::Url;

use crate::apps::model::App;
use crate::apps::redirect::{VerifiedRedirect, match_registered};
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::claims::{is_id_token, session_name};
use crate::oauth::ending;
use crate::oauth::params::Params;
use crate::oauth::service::OAuth;
use crate::oauth::subject;
use crate::users::login::Login;

/// A request to sign out that is well-formed.
#[derive(Clone, Debug)]
pub struct LogoutRequest {
    /// The app that asks, if it said who it is.
    pub app: Option<Arc<App>>,
    /// Where the browser goes afterwards; `None`: to our own page.
    pub then: Option<String>,
    /// Whom the app's ID token names.
    hint: Option<Hint>,
}

#[derive(Clone, Debug)]
struct Hint {
    sub: String,
    session: Option<String>,
}

/// What to do with the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogoutStep {
    /// Ask the user: nothing shows that the app that asks belongs to this session.
    Confirm,
    /// End the session.
    End,
    /// There is none.
    Nothing,
}

/// Why a request to sign out is refused: an error page.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// Something about it is not good. These words are for the page.
    #[error("{0}")]
    Refused(&'static str),
    /// Our fault.
    #[error("the server failed")]
    Internal(#[from] DbError),
}

const BAD_HINT: LogoutError = LogoutError::Refused("error-app-hint");
const BAD_APP: LogoutError = LogoutError::Refused("error-app-unknown");
const BAD_URL: LogoutError = LogoutError::Refused("error-app-foreign-address");

/// Reads a request to sign out. `logout_uri` is understood as `post_logout_redirect_uri`.
///
/// # Errors
/// [`LogoutError::Refused`] for an ID token that is not ours, an app that is not known, a URL that
/// is not registered. Source: OpenID Connect RP-Initiated Logout section 2.
pub async fn read(oauth: &OAuth, params: &Params) -> Result<LogoutRequest, LogoutError> {
    let claims = match params.get("id_token_hint") {
        Some(hint) => Some(hinted(oauth, hint).ok_or(BAD_HINT)?),
        None => None,
    };
    let text = |claims: &Map<String, Value>, name: &str| {
        claims.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let audience = claims.as_ref().and_then(|claims| text(claims, "aud"));
    let name = match (params.get("client_id"), audience.as_deref()) {
        (Some(id), Some(audience)) if id != audience => return Err(BAD_HINT),
        (id, audience) => id.or(audience),
    };
    let app = match name {
        Some(name) => {
            let id: AppId = name.parse().map_err(|_| BAD_APP)?;
            Some(oauth.parts().apps.find(&id).await?.ok_or(BAD_APP)?)
        }
        None => None,
    };
    let wanted = params.get("post_logout_redirect_uri").or_else(|| params.get("logout_uri"));
    let then = match (wanted, &app) {
        (Some(url), Some(app)) => {
            let to = match_registered(&app.logout_urls, url).ok_or(BAD_URL)?;
            Some(with_state(&to, params.get("state")))
        }
        (Some(_), None) => return Err(BAD_URL),
        (None, _) => None,
    };
    let hint = match &claims {
        Some(claims) => {
            Some(Hint { sub: text(claims, "sub").ok_or(BAD_HINT)?, session: text(claims, "sid") })
        }
        None => None,
    };
    Ok(LogoutRequest { app, then, hint })
}

/// The claims of an ID token of ours, expired or not.
fn hinted(oauth: &OAuth, hint: &str) -> Option<Map<String, Value>> {
    let token = oauth.parts().keys.verify(hint).ok()?;
    let is_id_token = is_id_token(token.typ.as_deref(), &token.claims);
    let ours = token.claims.get("iss").and_then(Value::as_str) == Some(oauth.issuer());
    (is_id_token && ours).then_some(token.claims)
}

fn with_state(to: &VerifiedRedirect, state: Option<&str>) -> String {
    match state {
        Some(state) => to.with_params(&[("state", state)]),
        None => to.as_str().to_owned(),
    }
}

impl LogoutRequest {
    /// What to do with a browser that is signed in so. Only an ID token of this very session
    /// makes the question unnecessary. Source: OpenID Connect RP-Initiated Logout section 2.
    pub fn step(&self, oauth: &OAuth, login: Option<&Login>) -> LogoutStep {
        match (login, &self.hint) {
            (None, _) => LogoutStep::Nothing,
            (Some(login), Some(hint)) => {
                let name = session_name(login.session);
                let same = hint.session.as_ref().is_none_or(|session| *session == name);
                if hint.sub == self.sub_of(oauth, login) && same {
                    LogoutStep::End
                } else {
                    LogoutStep::Confirm
                }
            }
            (Some(_), None) => LogoutStep::Confirm,
        }
    }

    /// Who is signed in, as the app that asks knows them.
    fn sub_of(&self, oauth: &OAuth, login: &Login) -> String {
        match &self.app {
            Some(app) => subject::of(&oauth.parts().vault, app, &login.user).into_owned(),
            None => login.user.to_string(),
        }
    }
}

/// Ends a session, and what it gave to apps, and has them told. Answers the URLs that the browser
/// has to open for those that are told by it.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn end(oauth: &OAuth, login: &Login) -> Result<Vec<String>, DbError> {
    let apps = ending::end(oauth, login).await?;
    Ok(apps.iter().filter_map(|app| frame(oauth, app, login.session)).collect())
}

/// Source: OpenID Connect Front-Channel Logout 1.0 section 2.
fn frame(oauth: &OAuth, app: &App, session: Digest) -> Option<String> {
    let mut url = Url::parse(app.metadata.frontchannel_logout_uri.as_deref()?).ok()?;
    if app.metadata.frontchannel_logout_session_required {
        let sid = session_name(session);
        url.query_pairs_mut().append_pair("iss", oauth.issuer()).append_pair("sid", &sid);
    }
    Some(url.into())
}
