//! How an authorization request comes in: in the open, inside a JWT, at a URL, or pushed before.
//!
//! What counts is told here once; everything after works on plain parameters. Source: RFC 9101
//! section 5, RFC 9126 section 4, OpenID Connect Core section 6.

use std::borrow::Cow;
use std::sync::Arc;

use crate::apps::model::App;
use crate::base::id::AppId;
use crate::keys::error::TokenFault;
use crate::oauth::error::AuthorizeError;
use crate::oauth::negotiate::refused_in_the_open;
use crate::oauth::params::Params;
use crate::oauth::pushed;
use crate::oauth::request::Fault;
use crate::oauth::request_object::{self, Opened};
use crate::oauth::service::OAuth;

/// The media types of a request object. Source: RFC 9101 section 5.2.3.
const REQUEST_TYPES: &str = "application/oauth-authz-req+jwt, application/jwt, */*";

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Way {
    /// Through the browser.
    Browser,
    /// It is being pushed right now.
    BeingPushed,
    /// It was pushed before, under this number.
    Pushed(i64),
}

/// A request, wherever it was.
#[derive(Debug)]
pub(in crate::oauth) struct Incoming<'a> {
    /// The parameters that count.
    pub(in crate::oauth) params: Cow<'a, Params>,
    /// How it came.
    pub(in crate::oauth) way: Way,
    /// Whether the app signed it.
    pub(in crate::oauth) is_signed: bool,
}

const NO_OBJECT: Fault =
    Fault { code: "invalid_request_object", description: "the request object is not good" };
const NO_URI: Fault =
    Fault { code: "invalid_request_uri", description: "the request_uri is not good" };

impl<'a> Incoming<'a> {
    /// The request as it stands in the open.
    pub(in crate::oauth) fn open(params: &'a Params, way: Way) -> Self {
        Self { params: Cow::Borrowed(params), way, is_signed: false }
    }

    /// Finds the request that the parameters at the authorization endpoint stand for.
    ///
    /// # Errors
    /// As [`crate::oauth::authorize::begin`]: `invalid_request_object`, `invalid_request_uri`.
    pub(in crate::oauth) async fn read(
        oauth: &OAuth,
        params: &'a Params,
    ) -> Result<Self, AuthorizeError> {
        match (params.get("request"), params.get("request_uri")) {
            (None, None) => Ok(Self::open(params, Way::Browser)),
            (object, uri) => Box::pin(Self::elsewhere(oauth, params, (object, uri))).await,
        }
    }

    /// The request that stands elsewhere than in the open.
    async fn elsewhere(
        oauth: &OAuth,
        params: &'a Params,
        at: (Option<&str>, Option<&str>),
    ) -> Result<Self, AuthorizeError> {
        match at {
            (None, None) => Ok(Self::open(params, Way::Browser)),
            (Some(_), Some(_)) => {
                let both = Fault {
                    code: "invalid_request",
                    description: "request and request_uri exclude each other",
                };
                Err(refused_in_the_open(oauth, params, both).await)
            }
            (Some(text), None) => {
                let app = app_of(oauth, params).await?;
                Self::inside(oauth, params, &app, (text, NO_OBJECT)).await
            }
            (None, Some(uri)) => match pushed::reference(uri) {
                Some(reference) => pushed::take_up(oauth, params, reference).await,
                None => Self::at(oauth, params, uri).await,
            },
        }
    }

    /// The request inside a request object.
    async fn inside(
        oauth: &OAuth,
        params: &'a Params,
        app: &App,
        (text, fault): (&str, Fault),
    ) -> Result<Self, AuthorizeError> {
        let merged = match request_object::open(oauth, app, text).await {
            Ok(opened) => merged(params, opened, app),
            Err(reason) => Err(reason),
        };
        match merged {
            Ok((params, is_signed)) => {
                Ok(Self { params: Cow::Owned(params), way: Way::Browser, is_signed })
            }
            Err(reason) => {
                tracing::info!(app = %app.id, reason = reason.0, "request object refused");
                Err(refused_in_the_open(oauth, params, fault).await)
            }
        }
    }

    /// The request at a URL that the app registered. Nothing is kept of it, so the hash that the
    /// URL may end with has nothing to tell. Source: OpenID Connect Core section 6.2.
    async fn at(oauth: &OAuth, params: &'a Params, uri: &str) -> Result<Self, AuthorizeError> {
        let app = app_of(oauth, params).await?;
        if !app.metadata.request_uris.iter().any(|known| known == uri) {
            return Err(refused_in_the_open(oauth, params, NO_URI).await);
        }
        let found = match oauth.parts().outbound.get(uri, REQUEST_TYPES).await {
            Ok(answer) if answer.status == 200 => String::from_utf8(answer.body).ok(),
            Ok(answer) => {
                tracing::info!(app = %app.id, status = answer.status, "no request object");
                None
            }
            Err(error) => {
                tracing::info!(app = %app.id, %error, "no request object");
                None
            }
        };
        match found {
            Some(text) => Self::inside(oauth, params, &app, (text.trim(), NO_OBJECT)).await,
            None => Err(refused_in_the_open(oauth, params, NO_URI).await),
        }
    }
}

/// The app that the parameters in the open name.
///
/// # Errors
/// [`AuthorizeError::Page`] if there is none.
pub(in crate::oauth) async fn app_of(
    oauth: &OAuth,
    params: &Params,
) -> Result<Arc<App>, AuthorizeError> {
    const UNKNOWN: AuthorizeError = AuthorizeError::Page("error-app-unknown");
    let id: AppId = params.get("client_id").and_then(|id| id.parse().ok()).ok_or(UNKNOWN)?;
    oauth.parts().apps.find(&id).await?.filter(|app| app.is_enabled()).ok_or(UNKNOWN)
}

/// The parameters that count when some are inside a request object. Those inside always do. Those
/// beside it only by OpenID Connect Core section 6.1, which then has `response_type` there, too,
/// and the same; never for an app that must sign, because nobody signed them.
fn merged(beside: &Params, opened: Opened, app: &App) -> Result<(Params, bool), TokenFault> {
    let Opened { params: inside, is_signed } = opened;
    if app.has_strict_requests() {
        return Ok((inside, is_signed));
    }
    for name in ["client_id", "response_type"] {
        if let (Some(one), Some(other)) = (inside.get(name), beside.get(name))
            && one != other
        {
            return Err(TokenFault("client_id or response_type differ inside and beside"));
        }
    }
    let more = beside
        .pairs()
        .filter(|(name, _)| !matches!(*name, "request" | "request_uri") && !inside.has(name));
    let pairs = inside.pairs().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let params = Params::of(pairs).map_err(|_| TokenFault("there are too many parameters"))?;
    Ok((params, is_signed))
}
