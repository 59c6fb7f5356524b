//! Authorization requests that an app pushes, so that the browser carries only their name.
//! Source: RFC 9126.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::apps::model::App;
use crate::base::secret::Secret;
use crate::db::error::DbError;
use crate::oauth::client_auth::authenticate;
use crate::oauth::constrain;
use crate::oauth::error::{AuthorizeError, TokenError};
use crate::oauth::grant::PENDING_TTL;
use crate::oauth::incoming::{Incoming, Way, app_of};
use crate::oauth::negotiate::{negotiate, refused_in_the_open};
use crate::oauth::params::Params;
use crate::oauth::presented::Presented;
use crate::oauth::request::{AuthorizeRequest, Fault};
use crate::oauth::request_object;
use crate::oauth::service::OAuth;
use crate::once::model::{Found, Kind, Owner};
use crate::once::service as once;

/// What the name of a pushed request begins with. Source: RFC 9126 section 2.2.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a name may be brought to the authorization endpoint, in seconds. Who came in time may
/// take longer to sign in.
const LIFE_SECONDS: u32 = 60;
/// Most requests that one app may have pushed within that time, without a sign-in that ended.
const LIVE_MAX: i64 = 5_000;

/// How an app shows who it is: no parameters of its request.
const OF_THE_CLIENT: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// A request that was taken.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Its name.
    pub request_uri: Secret,
    /// How long the name is good, in seconds.
    pub expires_in: u32,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Client authentication failed, or we did.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// What the authorization endpoint would say, said at once. Source: RFC 9126 section 2.3.
    #[error("{code}: {description}")]
    Refused {
        /// `error`.
        code: &'static str,
        /// `error_description`: fixed text, never from input.
        description: &'static str,
    },
    /// The app pushes too much.
    #[error("too many requests")]
    TooMany,
}

impl From<DbError> for PushError {
    fn from(error: DbError) -> Self {
        Self::Token(error.into())
    }
}

impl From<AuthorizeError> for PushError {
    fn from(error: AuthorizeError) -> Self {
        match error {
            AuthorizeError::Page(_) => Self::Refused {
                code: "invalid_request",
                description: "client_id or redirect_uri is not good",
            },
            AuthorizeError::Told { code, description, .. } => Self::Refused { code, description },
            AuthorizeError::Keys(error) => Self::Token(error.into()),
            AuthorizeError::Internal(error) => Self::Token(error.into()),
            AuthorizeError::Bug(text) => Self::Token(TokenError::Bug(text)),
        }
    }
}

/// What is kept of a request.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    params: Vec<(String, String)>,
    is_signed: bool,
    /// When its name is over, in seconds since 1970; the row stays until the sign-in is.
    end: i64,
}

/// Takes a request, which must be as good as if it came through the browser.
///
/// # Errors
/// [`PushError`]. Source: RFC 9126 sections 2.1 and 2.3.
pub async fn push(oauth: &OAuth, presented: &Presented<'_>) -> Result<Pushed, PushError> {
    let app = authenticate(oauth, presented).await?;
    let now = oauth.now();
    let since = now - TimeDelta::seconds(i64::from(LIFE_SECONDS));
    if once::count(oauth.ctx(), Kind::PushedRequest, &app.id, since).await? >= LIVE_MAX {
        return Err(PushError::TooMany);
    }
    let (params, is_signed) = requested(oauth, &app, presented.params).await?;
    let params = bound(params, constrain::proven_key(oauth, &app, presented).await?)?;
    let incoming = Incoming { params: Cow::Borrowed(&params), way: Way::BeingPushed, is_signed };
    negotiate(oauth, &incoming).await?;
    let end = now + TimeDelta::seconds(i64::from(LIFE_SECONDS));
    let kept = Kept {
        params: params.pairs().map(|(name, value)| (name.into(), value.into())).collect(),
        is_signed,
        end: end.timestamp(),
    };
    let life = end - now + PENDING_TTL;
    let name =
        once::give_out(oauth.ctx(), Kind::PushedRequest, Owner::App(&app.id), &kept, life).await?;
    let request_uri = Secret::presented(format!("{PREFIX}{}", name.reveal()));
    Ok(Pushed { request_uri, expires_in: LIFE_SECONDS })
}

/// The parameters that count: those inside a request object alone, if there is one.
/// Source: RFC 9126 section 3.
async fn requested(oauth: &OAuth, app: &App, params: &Params) -> Result<(Params, bool), PushError> {
    let invalid = |description| PushError::Refused { code: "invalid_request", description };
    if params.has("request_uri") {
        return Err(invalid("request_uri cannot be pushed"));
    }
    if params.get("client_id").is_some_and(|id| id != app.id.as_str()) {
        return Err(invalid("client_id names another app"));
    }
    let (inside, is_signed) = match params.get("request") {
        Some(text) => {
            let opened = request_object::open(oauth, app, text).await.map_err(|reason| {
                tracing::info!(app = %app.id, reason = reason.0, "request object refused");
                PushError::Refused {
                    code: "invalid_request_object",
                    description: "the request object is not good",
                }
            })?;
            (opened.params, opened.is_signed)
        }
        None => (params.clone(), false),
    };
    let own = |name: &str| name != "client_id" && !OF_THE_CLIENT.contains(&name);
    let pairs = inside.pairs().filter(|(name, _)| own(name));
    let pairs = pairs.chain([("client_id", app.id.as_str())]);
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let params = Params::of(pairs).map_err(|bad| invalid(bad.description()))?;
    Ok((params, is_signed))
}

/// The parameters, with the key that the request is proven with as `dpop_jkt`. Source: RFC 9449
/// section 10.1.
fn bound(params: Params, key: Option<String>) -> Result<Params, PushError> {
    let refused = |code, description| PushError::Refused { code, description };
    match (key, params.get("dpop_jkt")) {
        (None, _) => Ok(params),
        (Some(key), Some(named)) if key == named => Ok(params),
        (Some(_), Some(_)) => {
            Err(refused("invalid_dpop_proof", "dpop_jkt is not the key of the proof"))
        }
        (Some(key), None) => {
            let pairs = params.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
            Params::of(pairs.chain([("dpop_jkt".to_owned(), key)]))
                .map_err(|bad| refused("invalid_request", bad.description()))
        }
    }
}

/// What follows the prefix, if `uri` is the name of a pushed request.
pub(in crate::oauth) fn reference(uri: &str) -> Option<&str> {
    uri.strip_prefix(PREFIX)
}

/// Takes up the request of that name, for the app that pushed it. Nothing beside the name counts.
///
/// # Errors
/// `invalid_request_uri` if it is over or was used, told to the app as long as we know where to;
/// [`AuthorizeError::Page`] for a name that was never given to this app.
pub(in crate::oauth) async fn take_up<'a>(
    oauth: &OAuth,
    params: &Params,
    reference: &str,
) -> Result<Incoming<'a>, AuthorizeError> {
    const OVER: AuthorizeError = AuthorizeError::Page("error-app-request-over");
    let app = app_of(oauth, params).await?;
    let found = once::find_used::<Kept>(oauth.ctx(), Kind::PushedRequest, reference).await?;
    let found = found.filter(|found| found.app.as_ref() == Some(&app.id));
    let Found { id, is_used, data, .. } = found.ok_or(OVER)?;
    let end = DateTime::<Utc>::from_timestamp(data.end, 0).unwrap_or_default();
    let params = Params::of(data.params).map_err(|_| AuthorizeError::Bug("kept parameters"))?;
    if is_used || oauth.now() >= end {
        let fault = Fault {
            code: "invalid_request_uri",
            description: "the request is over, or was used already",
        };
        return Err(refused_in_the_open(oauth, &params, fault).await);
    }
    Ok(Incoming { params: Cow::Owned(params), way: Way::Pushed(id), is_signed: data.is_signed })
}

/// Uses up what `request` was pushed as, if it was: `false` if another sign-in did so before.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn use_up(
    oauth: &OAuth,
    request: &AuthorizeRequest,
) -> Result<bool, DbError> {
    match request.pushed {
        Some(number) => Box::pin(once::consume(oauth.ctx(), number)).await,
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::oauth::tests_world::{asked, world};

    #[tokio::test]
    async fn case_75_an_app_pushes_only_so_much() {
        let world = world().await;
        let (oauth, portal) = (&world.oauth, "portal".parse().unwrap());
        let hour = TimeDelta::hours(1);
        let give =
            |_| once::give_out(oauth.ctx(), Kind::PushedRequest, Owner::App(&portal), &1, hour);
        join_all((0..LIVE_MAX).map(give)).await;
        let params = asked("portal");
        let presented = Presented::plain("/par", &params, None);

        assert!(matches!(push(oauth, &presented).await, Err(PushError::TooMany)));
        world.clock.advance(TimeDelta::seconds(61));
        assert!(push(oauth, &presented).await.is_ok());
    }
}
