//! `grant_type=authorization_code`. Source: RFC 6749 section 4.1.3.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::accesstoken::{AccessToken, Authorization, Input, Output, Request};
use oxide_auth::code_grant::error::AccessTokenError;
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant};
use oxide_auth::primitives::issuer::IssuedToken;

use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::{Code, Grant, Redemption};
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::machine::{self, NO_URL, never};
use crate::oauth::pkce::Verifier;
use crate::oauth::reach::Reach;
use crate::oauth::revocation;
use crate::oauth::service::OAuth;
use crate::oauth::token::TokenRequest;

const MALFORMED: &str = "code or redirect_uri is missing or malformed";

impl TokenRequest<'_> {
    fn redirect_uri_or_none(&self) -> &str {
        self.params.get("redirect_uri").unwrap_or(NO_URL)
    }
}

impl Request for TokenRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.params.get("code").map(Cow::Borrowed)
    }

    /// The client has shown who it is; the machine sees its name only.
    fn authorization(&self) -> Authorization<'_> {
        Authorization::Username(Cow::Borrowed(self.app.id.as_str()))
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.redirect_uri_or_none()))
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.get("grant_type").map(Cow::Borrowed)
    }

    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// An answer to the machine, between its steps: its own `Input` cannot cross an await.
enum Reply {
    Begin,
    Authenticated,
    Recovered(Box<MachineGrant>),
    Extended,
    Issued,
}

impl From<Reply> for Input<'_> {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Begin => Self::None,
            Reply::Authenticated => Self::Authenticated,
            Reply::Recovered(grant) => Self::Recovered(Some(grant)),
            Reply::Extended => Self::Extended { access_extensions: Extensions::new() },
            Reply::Issued => Self::Issued(IssuedToken::without_refresh(String::new(), never())),
        }
    }
}

/// Exchanges a code for tokens, led by oxide-auth's machine.
///
/// A replayed code revokes the grant and with it what the first exchange gave; that is durable
/// although the answer is a refusal.
///
/// # Errors
/// [`TokenError::InvalidGrant`] with the reason as its source, and what [`issue_tokens`] answers.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let mut machine = AccessToken::new(request);
    let mut reply = Reply::Begin;
    let mut found = None;
    let mut issued = None;
    loop {
        reply = match machine.advance(reply.into()) {
            Output::Authenticate { .. } => Reply::Authenticated,
            Output::Recover { code } => {
                let exchange = Exchange::parse(request, code)?;
                let grant = exchange.recover(oauth).await?;
                let by = grant.approval().ok_or(TokenError::Bug("redeemed without approval"))?;
                let seen = machine::grant(&grant, by, request.redirect_uri_or_none())?;
                found = Some((exchange, grant));
                Reply::Recovered(seen)
            }
            Output::Extend { .. } => Reply::Extended,
            Output::Issue { .. } => {
                let (exchange, grant) =
                    found.take().ok_or(TokenError::Bug("issued without a grant"))?;
                issued = Some(exchange.issue(oauth, &grant).await?);
                Reply::Issued
            }
            Output::Ok(_) => return issued.ok_or(TokenError::Bug("ended without tokens")),
            Output::Err(mut error) => {
                let kind = error.description().map(AccessTokenError::kind);
                return Err(machine::verdict(kind, MALFORMED));
            }
        };
    }
}

/// A code, and what was presented with it.
struct Exchange<'a> {
    request: &'a TokenRequest<'a>,
    code: Code,
    verifier: Option<Verifier>,
}

impl<'a> Exchange<'a> {
    fn parse(request: &'a TokenRequest<'a>, code: &str) -> Result<Self, TokenError> {
        let verifier = match request.params.get("code_verifier") {
            Some(text) => Some(
                Verifier::parse(text)
                    .map_err(|bad| TokenError::InvalidRequest(bad.description()))?,
            ),
            None => None,
        };
        let code = Code::parse(code).ok_or(TokenError::InvalidGrant(Refusal::Unknown))?;
        Ok(Self { request, code, verifier })
    }

    /// The grant that the code may be exchanged for. What this process holds is only good for a
    /// yes, which the guarded write confirms; a no is looked up.
    async fn recover(&self, oauth: &OAuth) -> Result<Arc<Grant>, TokenError> {
        if let Some(held) = oauth.caches().grants.get(&self.code.grant.0)
            && self.redeem(oauth, &held).is_ok()
        {
            return Ok(held);
        }
        self.recover_from_storage(oauth).await
    }

    async fn recover_from_storage(&self, oauth: &OAuth) -> Result<Arc<Grant>, TokenError> {
        let grant = oauth
            .read_grant(self.code.grant)
            .await?
            .ok_or(TokenError::InvalidGrant(Refusal::Unknown))?;
        match self.redeem(oauth, &grant) {
            Ok(()) => Ok(grant),
            Err(refusal) => {
                if refusal == Refusal::AlreadySpent {
                    tracing::warn!(grant = %grant.id, "a code was replayed: its grant is revoked");
                    revocation::end_grant(oauth, &grant, "replayed").await?;
                }
                Err(TokenError::InvalidGrant(refusal))
            }
        }
    }

    fn redeem(&self, oauth: &OAuth, grant: &Grant) -> Result<(), Refusal> {
        let redemption = Redemption {
            app: &self.request.app.id,
            code: &self.code.secret.digest(),
            redirect_uri: self.request.params.get("redirect_uri"),
            verifier: self.verifier.as_ref(),
            binding: self.request.binding.as_ref(),
        };
        grant.redeem(&redemption, oauth.now()).map(drop)
    }

    async fn issue(&self, oauth: &OAuth, grant: &Grant) -> Result<Issued, TokenError> {
        let by = grant.approval().ok_or(TokenError::Bug("redeemed without approval"))?;
        let ground = Ground::Code { grant, by, code: self.code.secret.digest() };
        let binding = self.request.binding.as_ref();
        let app = &*self.request.app;
        let reach = Reach::within(self.request.params, app, &grant.request, oauth.issuer())?;
        let request = IssueRequest { app, scope: &by.scope, reach, ground, binding };
        match issue_tokens(oauth, &request).await? {
            Some(issued) => Ok(issued),
            // Somebody else spent it, or it was revoked or ran out: find out which.
            None => match self.recover_from_storage(oauth).await {
                Ok(_) => Err(TokenError::Bug("a code could not be spent, and yet it could be")),
                Err(error) => Err(error),
            },
        }
    }
}
