//! `grant_type=client_credentials`. Source: RFC 6749 section 4.4.

use std::borrow::Cow;

use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output, Request};
use oxide_auth::code_grant::error::AccessTokenError;
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};

use crate::apps::model::App;
use crate::audit::model::{Actor, Outcome};
use crate::base::scope::Scope;
use crate::oauth::client_auth::note_app;
use crate::oauth::error::TokenError;
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::machine::{self, NO_URL};
use crate::oauth::params::Params;
use crate::oauth::reach::Reach;
use crate::oauth::service::OAuth;
use crate::oauth::token::TokenRequest;

const MALFORMED: &str = "the request is malformed";

impl Request for TokenRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    /// The client has shown who it is; the machine sees its name only.
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.app.id.as_str()), Cow::Borrowed(b"")))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.get("scope").map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }

    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Gives an app a token of its own, led by oxide-auth's machine.
///
/// # Errors
/// [`TokenError::InvalidScope`] for more than the app may have, and what [`issue_tokens`] answers.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let scope = wanted(request.params, &request.app)?;
    negotiate(request, &scope)?;
    let issue = IssueRequest {
        app: &request.app,
        scope: &scope,
        reach: Reach::asked(request.params, &request.app, oauth.issuer())?,
        ground: Ground::App,
        binding: request.binding.as_ref(),
    };
    let issued = issue_tokens(oauth, &issue).await?;
    let issued = issued.ok_or(TokenError::Bug("an app's own token was lost"))?;
    note_app(oauth, &request.app, Actor::app(&request.app.id), Outcome::Success);
    Ok(issued)
}

/// What the app asks for; its default scopes if it names none.
fn wanted(params: &Params, app: &App) -> Result<Scope, TokenError> {
    let scope = match params.get("scope") {
        Some(text) => Scope::parse(text).map_err(|_| TokenError::InvalidScope)?,
        None => app.default_scopes.clone(),
    };
    if scope.is_empty() || !scope.is_within(&app.allowed_scopes) {
        return Err(TokenError::InvalidScope);
    }
    Ok(scope)
}

/// Walks the machine to its end; no step of it needs storage.
fn negotiate(request: &TokenRequest<'_>, scope: &Scope) -> Result<(), TokenError> {
    let no_url: ExactUrl = NO_URL.parse().map_err(|_| TokenError::Bug("NO_URL is no URL"))?;
    let no_url = RegisteredUrl::Exact(no_url);
    let client = request.app.id.as_str();
    let mut machine = ClientCredentials::new(request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Binding { .. } => Input::Bound {
                bound_client: BoundClient {
                    client_id: Cow::Owned(client.to_owned()),
                    redirect_uri: Cow::Owned(no_url.clone()),
                },
            },
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { .. } => Input::Negotiated {
                pre_grant: PreGrant {
                    client_id: client.to_owned(),
                    redirect_uri: no_url.clone(),
                    scope: machine::scope(scope)?,
                },
            },
            Output::Ok { .. } => return Ok(()),
            Output::Err(mut error) => {
                let kind = error.description().map(AccessTokenError::kind);
                return Err(machine::verdict(kind, MALFORMED));
            }
        };
    }
}
