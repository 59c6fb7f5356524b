//! Signing out on behalf of an app. Source: OpenID Connect RP-Initiated Logout 1.0.

use std::sync::Arc;

use form_urlencoded::Serializer;
use url::Url;

use crate::apps::model::App;
use crate::apps::redirect::{VerifiedRedirect, match_registered};
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::ending;
use crate::oauth::hint::{self, Hint};
use crate::oauth::params::Params;
use crate::oauth::service::OAuth;
use crate::oauth::sid;
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

/// What a request to sign out may say of the authorization that it goes on with.
pub const OF_AUTHORIZE: [&str; 8] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

const BAD_HINT: LogoutError = LogoutError::Refused("error-app-hint");
const BAD_APP: LogoutError = LogoutError::Refused("error-app-unknown");
const BAD_URL: LogoutError = LogoutError::Refused("error-app-foreign-address");

/// Reads a request to sign out. `logout_uri` is understood as `post_logout_redirect_uri`.
///
/// # Errors
/// [`LogoutError::Refused`] for an ID token that is not ours, an app that is not known, a URL that
/// is not registered. Source: OpenID Connect RP-Initiated Logout section 2.
pub async fn read(oauth: &OAuth, params: &Params) -> Result<LogoutRequest, LogoutError> {
    let hint = match params.get("id_token_hint") {
        Some(hint) => Some(hint::read(oauth, hint).ok_or(BAD_HINT)?),
        None => None,
    };
    let audience = hint.as_ref().map(|hint| hint.app.as_str());
    let name = match (params.get("client_id"), audience) {
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
        (None, Some(app)) => sign_in_again(app, params)?,
        (None, None) => None,
    };
    Ok(LogoutRequest { app, then, hint })
}

/// Where somebody goes who is signed out to sign in as somebody else: Cognito's other dialect, which
/// says what it wants of `/authorize` instead of where to go.
fn sign_in_again(app: &App, params: &Params) -> Result<Option<String>, LogoutError> {
    let (Some(url), true) = (params.get("redirect_uri"), params.has("response_type")) else {
        return Ok(None);
    };
    match_registered(&app.callback_urls, url).ok_or(BAD_URL)?;
    let asked = params.pairs().filter(|(name, _)| OF_AUTHORIZE.contains(name));
    let query = Serializer::new(String::new()).extend_pairs(asked).finish();
    Ok(Some(format!("/authorize?{query}")))
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
            (Some(login), Some(hint)) if self.is_of(oauth, hint, login) => LogoutStep::End,
            (Some(_), _) => LogoutStep::Confirm,
        }
    }

    /// Whether an ID token names who is signed in, and this very session.
    fn is_of(&self, oauth: &OAuth, hint: &Hint, login: &Login) -> bool {
        let Some(app) = &self.app else { return false };
        let same = |name: &String| *name == sid::of(oauth, &app.id, login.session);
        hint.sub == subject::of(&oauth.parts().vault, app, &login.user)
            && hint.sid.as_ref().is_none_or(same)
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
        let sid = sid::of(oauth, &app.id, session);
        url.query_pairs_mut().append_pair("iss", oauth.issuer()).append_pair("sid", &sid);
    }
    Some(url.into())
}
