//! `grant_type=refresh_token`. Source: RFC 6749 section 6.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::error::AccessTokenError;
use oxide_auth::code_grant::refresh::{Input, Output, Refresh, Request};
use oxide_auth::primitives::grant::Grant as MachineGrant;
use oxide_auth::primitives::issuer::{RefreshedToken, TokenType};

use crate::base::scope::Scope;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::Grant;
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::machine::{self, NO_URL, never};
use crate::oauth::reach::Reach;
use crate::oauth::refresh::{RefreshToken, Use, decide};
use crate::oauth::request::askable;
use crate::oauth::revocation;
use crate::oauth::service::OAuth;
use crate::oauth::token::TokenRequest;

const MALFORMED: &str = "refresh_token is missing";

impl Request for TokenRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.params.get("refresh_token").map(Cow::Borrowed)
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.params.get("scope").map(|scope| askable(scope, &self.app))
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }

    /// The client has shown who it is; the machine sees its name only, and binds the token to it.
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.app.id.as_str()), Cow::Borrowed(b"")))
    }

    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// An answer to the machine, between its steps.
enum Reply {
    Begin,
    Authenticated,
    Recovered(Box<MachineGrant>),
    Refreshed,
}

impl Reply {
    fn into_input<'r>(self, request: &'r TokenRequest<'_>) -> Input<'r> {
        let scope = Request::scope(request);
        match self {
            Self::Begin => Input::None,
            Self::Authenticated => Input::Authenticated { scope },
            Self::Recovered(grant) => Input::Recovered { scope, grant: Some(grant) },
            Self::Refreshed => Input::Refreshed(RefreshedToken {
                token: String::new(),
                refresh: None,
                until: never(),
                token_type: TokenType::Bearer,
            }),
        }
    }
}

/// Exchanges a refresh token for new tokens, led by oxide-auth's machine.
///
/// A token that was used before revokes the grant, durably although the answer is a refusal,
/// unless its answer was lost; see [`decide`].
///
/// # Errors
/// [`TokenError::InvalidGrant`] with the reason as its source, and what [`issue_tokens`] answers.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let mut machine = Refresh::new(request);
    let mut reply = Reply::Begin;
    let mut found = None;
    let mut issued = None;
    loop {
        reply = match machine.advance(reply.into_input(request)) {
            Output::Unauthenticated { .. } => Reply::Authenticated,
            Output::RecoverRefresh { token } => {
                let exchange = Exchange::parse(request, token)?;
                let (grant, usage) = exchange.recover(oauth).await?;
                let by = grant.approval().ok_or(TokenError::Bug("refreshed without approval"))?;
                let seen = machine::grant(&grant, by, NO_URL)?;
                found = Some((exchange, grant, usage));
                Reply::Recovered(seen)
            }
            Output::Refresh { .. } => {
                let (exchange, grant, usage) =
                    found.take().ok_or(TokenError::Bug("refreshed without a grant"))?;
                issued = Some(exchange.issue(oauth, &grant, &usage).await?);
                Reply::Refreshed
            }
            Output::Ok(_) => return issued.ok_or(TokenError::Bug("ended without tokens")),
            Output::Err(mut error) => {
                let kind = error.description().map(AccessTokenError::kind);
                return Err(machine::verdict(kind, MALFORMED));
            }
        };
    }
}

/// A refresh token, and what was presented with it.
struct Exchange<'a> {
    request: &'a TokenRequest<'a>,
    token: RefreshToken,
}

impl<'a> Exchange<'a> {
    fn parse(request: &'a TokenRequest<'a>, token: &str) -> Result<Self, TokenError> {
        let token = RefreshToken::parse(token).ok_or(TokenError::InvalidGrant(Refusal::Unknown))?;
        Ok(Self { request, token })
    }

    fn decide(&self, oauth: &OAuth, grant: &Grant) -> Result<Use, Refusal> {
        let app = &self.request.app;
        let usage = decide(grant, &self.token, &app.id, app.rotates(), oauth.now())?;
        grant.check_refresher(app.kind, self.request.binding.as_ref())?;
        Ok(usage)
    }

    /// The grant that the token is good for, and what becomes of the token. What this process
    /// holds is only good for a yes that a guarded write confirms; the rest is looked up.
    async fn recover(&self, oauth: &OAuth) -> Result<(Arc<Grant>, Use), TokenError> {
        if let Some(held) = oauth.caches().grants.get(&self.token.grant.0)
            && let Ok(usage @ (Use::Rotate | Use::Keep)) = self.decide(oauth, &held)
        {
            return Ok((held, usage));
        }
        self.recover_from_storage(oauth).await
    }

    async fn recover_from_storage(&self, oauth: &OAuth) -> Result<(Arc<Grant>, Use), TokenError> {
        let grant = oauth
            .read_grant(self.token.grant)
            .await?
            .ok_or(TokenError::InvalidGrant(Refusal::Unknown))?;
        match self.decide(oauth, &grant) {
            Ok(usage) => Ok((grant, usage)),
            Err(refusal) => {
                if refusal == Refusal::Reused {
                    tracing::warn!(grant = %grant.id, "a refresh token was reused: its grant is revoked");
                    revocation::end_grant(oauth, &grant, "reused").await?;
                }
                Err(TokenError::InvalidGrant(refusal))
            }
        }
    }

    async fn issue(&self, oauth: &OAuth, grant: &Grant, usage: &Use) -> Result<Issued, TokenError> {
        let by = grant.approval().ok_or(TokenError::Bug("refreshed without approval"))?;
        // The machine has made sure that it is well-formed and within what was granted.
        let scope = match Request::scope(self.request) {
            Some(text) => Scope::parse(&text).map_err(|_| TokenError::InvalidScope)?,
            None => by.scope.clone(),
        };
        let ground = Ground::Refresh { grant, by, token: &self.token, usage };
        let binding = self.request.binding.as_ref();
        let app = &*self.request.app;
        let reach = Reach::within(self.request.params, app, &grant.request, oauth.issuer())?;
        let request = IssueRequest { app, scope: &scope, reach, ground, binding };
        match issue_tokens(oauth, &request).await? {
            Some(issued) => Ok(issued),
            None => match self.recover_from_storage(oauth).await {
                // Another request with the same token won by a moment. Only one may: this one is
                // refused, but it is no theft.
                Ok(_) => Err(TokenError::InvalidGrant(Refusal::Raced)),
                Err(error) => Err(error),
            },
        }
    }
}
