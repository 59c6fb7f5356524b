//! The first half of the authorization endpoint: what is asked, led by oxide-auth's machine.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::authorization::{Authorization, Error, Input, Output, Request};
use oxide_auth::code_grant::error::AuthorizationErrorType;
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};

use crate::apps::model::{App, Status};
use crate::apps::redirect::{VerifiedRedirect, match_registered};
use crate::base::id::AppId;
use crate::base::scope::Scope;
use crate::config::sign_up::SignUp;
use crate::oauth::error::AuthorizeError;
use crate::oauth::hint;
use crate::oauth::incoming::{Incoming, Way};
use crate::oauth::machine;
use crate::oauth::params::Params;
use crate::oauth::reach::Reach;
use crate::oauth::request::{AuthorizeRequest, Fault};
use crate::oauth::response::{ReplyTo, ResponseMode};
use crate::oauth::service::OAuth;
use crate::users::login::Login;

/// A request that may be answered: by whom, where to, what for.
#[derive(Debug)]
pub(in crate::oauth) struct Negotiated {
    pub(in crate::oauth) app: Arc<App>,
    pub(in crate::oauth) to: VerifiedRedirect,
    pub(in crate::oauth) request: AuthorizeRequest,
}

struct Query<'a>(&'a Params);

impl Request for Query<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        self.0.get("client_id").map(Cow::Borrowed)
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.0.get("scope").map(Cow::Borrowed)
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.0.get("redirect_uri").map(Cow::Borrowed)
    }

    fn state(&self) -> Option<Cow<'_, str>> {
        self.0.get("state").map(Cow::Borrowed)
    }

    fn response_type(&self) -> Option<Cow<'_, str>> {
        self.0.get("response_type").map(Cow::Borrowed)
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.0.get(key).map(Cow::Borrowed)
    }
}

/// The app that asks, and where it is answered.
struct Bound {
    app: Arc<App>,
    to: VerifiedRedirect,
}

/// An answer to the machine, between its steps: its own `Input` cannot cross an await.
enum Reply {
    Begin,
    Bound(BoundClient<'static>),
    Extended,
    Negotiated(PreGrant),
}

impl Reply {
    fn into_input<'r>(self, query: &'r Query<'_>) -> Input<'r> {
        match self {
            Self::Begin => Input::None,
            Self::Bound(bound_client) => Input::Bound { request: query, bound_client },
            Self::Extended => Input::Extended(Extensions::new()),
            Self::Negotiated(pre_grant) => Input::Negotiated { pre_grant, state: None },
        }
    }
}

/// Binds the app, verifies its `redirect_uri`, parses the rest.
///
/// # Errors
/// [`AuthorizeError::Page`] before the `redirect_uri` is verified, [`AuthorizeError::Told`] after.
/// Source: RFC 6749 section 4.1.2.1.
pub(in crate::oauth) async fn negotiate(
    oauth: &OAuth,
    incoming: &Incoming<'_>,
) -> Result<Negotiated, AuthorizeError> {
    let params = incoming.params.as_ref();
    let query = Query(params);
    let mut machine = Authorization::new(&query);
    let mut reply = Reply::Begin;
    let mut bound = None;
    let mut parsed = None;
    loop {
        reply = match machine.advance(reply.into_input(&query)) {
            Output::Bind { client_id, .. } => {
                let found = bind(oauth, &client_id, params).await?;
                let client = machine_client(&found)?;
                bound = Some(found);
                Reply::Bound(client)
            }
            Output::Extend => {
                let bound = bound.as_ref().ok_or(AuthorizeError::Bug("extended unbound"))?;
                parsed = Some(parse(oauth, incoming, bound)?);
                Reply::Extended
            }
            Output::Negotiate { bound_client, .. } => {
                let scope = parsed.as_ref().map(|request: &AuthorizeRequest| &request.scope);
                let scope = machine::scope(scope.unwrap_or(&Scope::default()))
                    .map_err(|_| AuthorizeError::Bug("a scope that oxide-auth cannot read"))?;
                Reply::Negotiated(PreGrant {
                    client_id: bound_client.client_id.clone().into_owned(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope,
                })
            }
            Output::Ok { .. } => {
                let (Some(Bound { app, to }), Some(request)) = (bound, parsed) else {
                    return Err(AuthorizeError::Bug("negotiated without a request"));
                };
                return Ok(Negotiated { app, to, request });
            }
            Output::Err(error) => return Err(verdict(error, params, bound)),
        };
    }
}

/// Finds the app and verifies where it wants to be answered.
async fn bind(oauth: &OAuth, client_id: &str, params: &Params) -> Result<Bound, AuthorizeError> {
    const UNKNOWN: AuthorizeError = AuthorizeError::Page("error-app-unknown");
    const FOREIGN: AuthorizeError = AuthorizeError::Page("error-app-foreign-address");
    let id: AppId = client_id.parse().map_err(|_| UNKNOWN)?;
    let app = oauth.parts().apps.find(&id).await?.filter(|app| app.is_enabled()).ok_or(UNKNOWN)?;
    let asks_openid = match params.get("scope") {
        Some(scope) => scope.split(' ').any(|token| token == "openid"),
        None => false,
    };
    let to = match (params.get("redirect_uri"), app.callback_urls.as_slice()) {
        (Some(uri), registered) => match_registered(registered, uri),
        // OpenID Connect Core section 3.1.2.1 requires it, OAuth alone does not.
        (None, [only]) if !asks_openid => match_registered(&app.callback_urls, only.as_str()),
        (None, _) => None,
    };
    to.map(|to| Bound { app, to }).ok_or(FOREIGN)
}

fn machine_client(bound: &Bound) -> Result<BoundClient<'static>, AuthorizeError> {
    let url: ExactUrl = bound
        .to
        .as_str()
        .parse()
        .map_err(|_| AuthorizeError::Bug("a redirect_uri that is no URL"))?;
    Ok(BoundClient {
        client_id: Cow::Owned(bound.app.id.to_string()),
        redirect_uri: Cow::Owned(RegisteredUrl::Exact(url)),
    })
}

/// Parses what stands beside the app and its `redirect_uri`.
fn parse(
    oauth: &OAuth,
    incoming: &Incoming<'_>,
    bound: &Bound,
) -> Result<AuthorizeRequest, AuthorizeError> {
    let params = incoming.params.as_ref();
    let refused = |fault: Fault| refuse(params, bound, fault.code, fault.description);
    check_way(incoming, &bound.app).map_err(refused)?;
    let mut request = AuthorizeRequest::parse(params, &bound.app).map_err(refused)?;
    if request.prompt.create && oauth.parts().sign_up != SignUp::Open {
        return Err(refuse(params, bound, "invalid_request", "prompt=create is not supported"));
    }
    bound.to.as_str().clone_into(&mut request.redirect_uri);
    request.response_mode = ResponseMode::read(params, &bound.to).map_err(refused)?;
    if bound.app.needs_signed_responses() && !request.response_mode.is_signed() {
        return Err(refuse(params, bound, "invalid_request", "response_mode must be jwt"));
    }
    if let Way::Pushed(number) = incoming.way {
        request.pushed = Some(number);
    }
    let reach = Reach::asked(params, &bound.app, oauth.issuer()).map_err(refused)?;
    (request.resource, request.authorization_details) = (reach.audience, reach.details);
    if let Some(hint) = params.get("id_token_hint") {
        let hint = hint::read(oauth, hint).filter(|hint| hint.app == bound.app.id);
        let hint = hint.ok_or_else(|| {
            refuse(params, bound, "invalid_request", "id_token_hint is not an ID token of yours")
        })?;
        request.sub_hint = Some(hint.sub);
    }
    Ok(request)
}

/// Whether the request came as the app must send it. Source: RFC 9126 section 6, RFC 9101
/// section 10.5, FAPI 2.0 Security Profile section 5.3.2.2.
fn check_way(incoming: &Incoming<'_>, app: &App) -> Result<(), Fault> {
    let invalid = |description| Err(Fault { code: "invalid_request", description });
    if app.must_push_requests() && incoming.way == Way::Browser {
        return invalid("the request must be pushed");
    }
    if app.must_sign_requests() && !incoming.is_signed {
        return invalid("the request must be a signed request object");
    }
    if app.is_fapi() && !incoming.params.has("redirect_uri") {
        return invalid("redirect_uri is missing");
    }
    Ok(())
}

/// The refusal of a request that cannot be read: told to the app if what stands in the open says
/// where to, else a page.
pub(in crate::oauth) async fn refused_in_the_open(
    oauth: &OAuth,
    params: &Params,
    fault: Fault,
) -> AuthorizeError {
    let id = params.get("client_id").unwrap_or_default();
    match bind(oauth, id, params).await {
        Ok(bound) if params.has("redirect_uri") => {
            refuse(params, &bound, fault.code, fault.description)
        }
        Err(AuthorizeError::Internal(error)) => error.into(),
        _ => AuthorizeError::Page("error-app-request"),
    }
}

/// Nobody but its developer has looked at an app in development, and they may have registered it a
/// moment ago. As long as nobody is signed in, a wrong request sends nobody on to it: else this
/// server would send anybody anywhere. Source: RFC 9700 section 4.11.2.
pub(in crate::oauth) fn told_to_known_apps(
    error: AuthorizeError,
    login: Option<&Login>,
) -> AuthorizeError {
    match error {
        AuthorizeError::Told { reply, code, .. }
            if login.is_none() && reply.app.status == Status::Developing =>
        {
            tracing::info!(app = %reply.app.id, code, "a wrong request of an app in development");
            AuthorizeError::Page("error-app-request")
        }
        other => other,
    }
}

fn refuse(
    params: &Params,
    bound: &Bound,
    code: &'static str,
    description: &'static str,
) -> AuthorizeError {
    let reply = ReplyTo {
        app: bound.app.clone(),
        to: bound.to.clone(),
        mode: ResponseMode::read(params, &bound.to).unwrap_or_default(),
        state: params.get("state").map(str::to_owned),
    };
    AuthorizeError::Told { reply: Box::new(reply), code, description }
}

/// The machine's own verdict: a page until it has bound the app.
fn verdict(error: Error, params: &Params, bound: Option<Bound>) -> AuthorizeError {
    use AuthorizationErrorType as Kind;
    let (Error::Redirect(mut url), Some(bound)) = (error, bound) else {
        return AuthorizeError::Page("error-app-nameless");
    };
    let (code, description) = match url.description().kind() {
        Kind::UnsupportedResponseType => {
            ("unsupported_response_type", "response_type must be code")
        }
        Kind::InvalidScope => ("invalid_scope", "scope is malformed"),
        _ => ("invalid_request", "the request is malformed"),
    };
    refuse(params, &bound, code, description)
}
