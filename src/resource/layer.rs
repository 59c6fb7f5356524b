//! The layer, and what it is told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::{Value, json};
use tower::{Layer, Service};

use crate::base::clock::Clock;
use crate::base::id::{AccountId, AppId};
use crate::base::secret::Secret;
use crate::config::model;
use crate::outbound::{BadAuthorities, Outbound};
use crate::resource::ask::{Asker, question};
use crate::resource::token::{BadToken, Verified, Verifier};

const ACCOUNT: HeaderName = HeaderName::from_static("lifeomic-account");
const USER: HeaderName = HeaderName::from_static("lifeomic-user");
const POLICY: HeaderName = HeaderName::from_static("lifeomic-policy");

/// Whose tokens a service takes, and for which account it works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer: where Narthex is.
    pub issuer: String,
    /// The audience that tokens must be for: the service's own identifier, or the issuer's.
    pub audience: String,
    /// The account that the service works for.
    pub account: AccountId,
}

impl Settings {
    /// These.
    pub fn new(issuer: &str, audience: &str, account: AccountId) -> Self {
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), account }
    }
}

/// What a request needs.
#[derive(Clone, Debug)]
pub struct Need {
    scope: String,
    ask: Option<Ask>,
}

/// A question to the decision point.
#[derive(Clone, Debug)]
pub struct Ask {
    action: String,
    resource: Value,
}

impl Ask {
    /// Whether the user may do `action` to that resource.
    pub fn new(action: &str, kind: &str, id: &str) -> Self {
        Self { action: action.to_owned(), resource: json!({ "type": kind, "id": id }) }
    }

    /// The same, where more is known of the resource: `resource.dataset` and so on.
    #[must_use]
    pub fn knowing(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Value::Object(members) = &mut self.resource {
            let properties = members.entry("properties").or_insert_with(|| json!({}));
            if let Value::Object(properties) = properties {
                properties.insert(name.to_owned(), value.into());
            }
        }
        self
    }
}

impl Need {
    /// A token with this scope.
    pub fn scope(scope: &str) -> Self {
        Self { scope: scope.to_owned(), ask: None }
    }

    /// And a yes of the decision point.
    #[must_use]
    pub fn and(self, ask: Ask) -> Self {
        Self { ask: Some(ask), ..self }
    }
}

/// Stands in front of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    verifier: Verifier,
    account: AccountId,
    asker: Option<Arc<Asker>>,
}

impl Guard {
    /// A guard that reaches the issuer by `outbound`.
    ///
    /// # Errors
    /// [`BadAuthorities`].
    pub fn new(
        settings: &Settings,
        outbound: &model::Outbound,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BadAuthorities> {
        let keys_url = format!("{}/jwks", settings.issuer.trim_end_matches('/'));
        let verifier = Verifier {
            issuer: Arc::from(settings.issuer.as_str()),
            audience: Arc::from(settings.audience.as_str()),
            keys_url: Arc::from(keys_url),
            outbound: Outbound::new(outbound)?,
            clock,
            keys: Arc::default(),
        };
        Ok(Self { verifier, account: settings.account.clone(), asker: None })
    }

    /// The same, which asks the decision point as this machine app. Without one, whatever needs an
    /// answer is refused.
    #[must_use]
    pub fn asking(self, app: &AppId, secret: &Secret) -> Self {
        let Verifier { outbound, clock, issuer, .. } = &self.verifier;
        let ours = (outbound.clone(), Arc::clone(clock));
        let asker = Asker::new(ours, (issuer, &self.account), (app, secret));
        Self { asker: asker.map(Arc::new), ..self }
    }

    /// The layer that asks `rule` what a request needs; `None` refuses it.
    pub fn layer<F>(&self, rule: F) -> ResourceLayer
    where
        F: Fn(&Parts) -> Option<Need> + Send + Sync + 'static,
    {
        ResourceLayer { guard: self.clone(), rule: Arc::new(rule) }
    }

    async fn check(&self, parts: &Parts, need: Option<Need>) -> Result<Verified, No> {
        let token = bearer(parts)?;
        let verified = self.verifier.verify(token).await.map_err(|bad| match bad {
            BadToken::Invalid(why) => {
                tracing::debug!(why, "an access token was refused");
                No::Token
            }
            BadToken::Unknown => No::Unknown,
        })?;
        let need = need.ok_or(No::Route)?;
        if !verified.scope.contains(&need.scope) {
            return Err(No::Scope(need.scope));
        }
        let mut named = parts.headers.get_all(ACCOUNT).iter();
        let is_ours =
            named.next().is_some_and(|name| name.as_bytes() == self.account.as_str().as_bytes());
        if !is_ours || named.next().is_some() {
            return Err(No::Account);
        }
        let Some(ask) = &need.ask else { return Ok(verified) };
        let asker = self.asker.as_ref().ok_or(No::Unknown)?;
        let user = verified.user.as_deref().ok_or(No::Policy)?;
        match asker.permits(&question(user, &ask.action, &ask.resource)).await {
            Ok(true) => Ok(verified),
            Ok(false) => Err(No::Policy),
            Err(why) => {
                tracing::warn!(why = why.0, "a decision could not be had");
                Err(No::Unknown)
            }
        }
    }
}

/// Source: RFC 6750 section 2.1.
fn bearer(parts: &Parts) -> Result<&str, No> {
    let query = parts.uri.query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
        return Err(No::Request);
    }
    let mut fields = parts.headers.get_all(AUTHORIZATION).iter();
    let field = fields.next().ok_or(No::Missing)?;
    if fields.next().is_some() {
        return Err(No::Request);
    }
    let (scheme, token) =
        field.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(No::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(No::Missing) }
}

/// Why a request goes nowhere.
#[derive(Debug)]
enum No {
    Missing,
    Request,
    Token,
    Route,
    Scope(String),
    Account,
    Policy,
    Unknown,
}

impl No {
    fn parts(&self) -> (u16, &'static str) {
        match self {
            Self::Missing => (401, "missing_token"),
            Self::Token => (401, "invalid_token"),
            Self::Request => (400, "invalid_request"),
            Self::Route => (403, "not_allowed"),
            Self::Scope(_) => (403, "insufficient_scope"),
            Self::Account => (403, "account_required"),
            Self::Policy => (403, "policy_denies"),
            Self::Unknown => (503, "temporarily_unavailable"),
        }
    }

    /// Source: RFC 6750 section 3.
    fn response<B: From<String> + Default>(&self) -> Response<B> {
        let (status, reason) = self.parts();
        let body = json!({ "error": "the request may not pass", "reason": reason }).to_string();
        let mut response = Response::builder()
            .status(status)
            .body(B::from(body))
            .unwrap_or_else(|_| Response::new(B::default()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let challenge = match self {
            Self::Missing => Some("Bearer".to_owned()),
            Self::Token | Self::Request => Some(format!("Bearer error=\"{reason}\"")),
            Self::Scope(scope) => Some(format!("Bearer error=\"{reason}\", scope=\"{scope}\"")),
            Self::Route | Self::Account | Self::Policy | Self::Unknown => None,
        };
        if let Some(value) = challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}

type Rule = Arc<dyn Fn(&Parts) -> Option<Need> + Send + Sync>;

/// A layer of `tower`. Cheap to clone.
#[derive(Clone)]
pub struct ResourceLayer {
    guard: Guard,
    rule: Rule,
}

impl fmt::Debug for ResourceLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceLayer").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ResourceLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, layer: self.clone() }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    layer: ResourceLayer,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String> + Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was found ready is the one that is called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let need = (layer.rule)(&parts);
            let verified = match layer.guard.check(&parts, need).await {
                Ok(verified) => verified,
                Err(no) => return Ok(no.response()),
            };
            parts.headers.remove(POLICY);
            parts.headers.remove(USER);
            let user = verified.user.as_deref().and_then(|user| HeaderValue::from_str(user).ok());
            if let Some(user) = user {
                parts.headers.insert(USER, user);
            }
            parts.extensions.insert(verified);
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}
