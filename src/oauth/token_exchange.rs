//! `grant_type` of token exchange: a user's token for one with less, or for somebody else.
//! Source: RFC 8693.
//!
//! What comes out belongs to the grant of what came in: it dies with it, and before it. Whoever
//! acts for the user stands in `act`; only an app that may impersonate leaves no trace of itself.

mod id_token;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::apps::model::{App, GrantType};
use crate::base::scope::Scope;
use crate::oauth::access_token::{AccessToken, TokenFault, verify_for_any};
use crate::oauth::error::TokenError;
use crate::oauth::issue::{ACCESS_TOKEN, Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::reach::Reach;
use crate::oauth::request::Fault;
use crate::oauth::service::OAuth;
use crate::oauth::token::TokenRequest;
use crate::oauth::{details, target};

/// Our access tokens are JWTs, and may be called so. Source: RFC 8693 section 3.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Source: RFC 8693 section 3.
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// Most hands that a token may pass through.
const HANDS_MAX: usize = 4;

const fn refused(description: &'static str) -> TokenError {
    TokenError::InvalidRequest(description)
}

/// Exchanges a token of a user's.
///
/// # Errors
/// `invalid_request` for a token that is not good, `invalid_target`, `invalid_scope`, and what
/// [`issue_tokens`] answers. Source: RFC 8693 section 2.2.2.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let (app, params) = (&*request.app, request.params);
    if !app.grant_types.contains(&GrantType::TokenExchange) {
        return Err(TokenError::UnauthorizedClient("the app may not use this grant type"));
    }
    if params.get("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
        return Err(refused("requested_token_type must be that of access tokens"));
    }
    let subject = subject(oauth, request).await?;
    let grant = match subject.grant {
        Some(id) => oauth.read_grant(id).await?,
        None => return Err(refused("subject_token is not a user's")),
    };
    let grant = grant.ok_or(refused("subject_token is not good"))?;
    let by = grant.approval().ok_or(TokenError::Bug("a token of a grant without approval"))?;
    if !is_ours(oauth, app, &subject).await? {
        return Err(refused("subject_token is of an app of another account"));
    }
    let actor = shown(oauth, request, "actor_token", "actor_token_type").await?;
    let act = act(app, &subject, actor.as_ref())?;
    let scope = scope(request, &subject.scope)?;
    let issue = IssueRequest {
        app,
        scope: &scope,
        reach: reach(oauth, request, &subject)?,
        ground: Ground::Exchange { grant: &grant, by, act: act.as_ref(), end: subject.exp },
        binding: request.binding.as_ref(),
    };
    issue_tokens(oauth, &issue).await?.ok_or(TokenError::Bug("an exchanged token was lost"))
}

/// The token that is to be exchanged.
async fn subject(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Arc<AccessToken>, TokenError> {
    let (name, kind) = ("subject_token", "subject_token_type");
    let subject = match (request.params.get(name), request.params.get(kind)) {
        (Some(token), Some(ID_TOKEN)) => {
            let found = id_token::stands_for(oauth, &request.app, token).await?;
            Some(proven(request, found.ok_or(refused("the ID token is not good"))?)?)
        }
        _ => shown(oauth, request, name, kind).await?,
    };
    subject.ok_or(refused("subject_token is missing"))
}

/// A bound token is good only with the proof that it is bound to: else whoever stole it could have
/// it exchanged for one that is not.
fn proven(
    request: &TokenRequest<'_>,
    token: Arc<AccessToken>,
) -> Result<Arc<AccessToken>, TokenError> {
    if token.binding.is_some() && token.binding != request.binding {
        return Err(refused("a token is bound to a key that the request does not prove"));
    }
    Ok(token)
}

/// An access token that the request shows, if it shows one.
async fn shown(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
    name: &'static str,
    kind: &'static str,
) -> Result<Option<Arc<AccessToken>>, TokenError> {
    let (token, kind) = match (request.params.get(name), request.params.get(kind)) {
        (None, None) => return Ok(None),
        (Some(token), Some(kind)) => (token, kind),
        _ => return Err(refused("a token and its type come together")),
    };
    if kind != ACCESS_TOKEN && kind != JWT {
        return Err(refused("a token of this type cannot be exchanged"));
    }
    let access = match verify_for_any(oauth, token).await {
        Ok(access) => access,
        Err(TokenFault::Invalid(reason)) => {
            tracing::info!(app = %request.app.id, name, reason, "no exchange");
            return Err(refused("a token is not good"));
        }
        Err(TokenFault::Internal(error)) => return Err(error.into()),
    };
    proven(request, access).map(Some)
}

/// Tokens are exchanged by the app that has them, and within its account: as with introspection,
/// a tenant's apps know of one another.
async fn is_ours(oauth: &OAuth, app: &App, subject: &AccessToken) -> Result<bool, TokenError> {
    if subject.client == app.id {
        return Ok(true);
    }
    let owner = oauth.parts().apps.find(&subject.client).await?;
    Ok(owner.is_some_and(|owner| owner.account == app.account))
}

/// Who acts for the user: the newest first, with those before inside.
/// Source: RFC 8693 section 4.1.
fn act(
    app: &App,
    subject: &AccessToken,
    actor: Option<&Arc<AccessToken>>,
) -> Result<Option<Value>, TokenError> {
    let newest = match actor {
        Some(actor) if actor.client != app.id => {
            return Err(refused("actor_token is of another app"));
        }
        Some(actor) => actor.sub.as_ref().map_or(app.id.as_str(), |user| user.as_str()),
        None if subject.client == app.id || app.metadata.may_impersonate => {
            return Ok(subject.act.clone());
        }
        None => app.id.as_str(),
    };
    let mut act = json!({ "sub": newest, "client_id": app.id.as_str() });
    if let (Some(before), Some(members)) = (&subject.act, act.as_object_mut()) {
        members.insert("act".to_owned(), before.clone());
    }
    if hands(&act) > HANDS_MAX {
        return Err(refused("the token went through too many hands"));
    }
    Ok(Some(act))
}

fn hands(act: &Value) -> usize {
    std::iter::successors(Some(act), |act| act.get("act")).take(HANDS_MAX + 1).count()
}

/// What is asked for of what the token allows; all of it, if nothing is.
fn scope(request: &TokenRequest<'_>, held: &Scope) -> Result<Scope, TokenError> {
    let Some(text) = request.params.get("scope") else { return Ok(held.clone()) };
    let scope = Scope::parse(text).map_err(|_| TokenError::InvalidScope)?;
    let is_good = scope.is_within(held) && scope.is_within(&request.app.allowed_scopes);
    if is_good { Ok(scope) } else { Err(TokenError::InvalidScope) }
}

/// The targets may be others than before, if the app may have tokens for them; details only
/// shrink. Source: RFC 8693 section 2.1.
fn reach(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
    subject: &AccessToken,
) -> Result<Reach, TokenError> {
    const UNKNOWN: Fault = Fault {
        code: "invalid_target",
        description: "the app may not have tokens for any of the targets of the subject_token",
    };
    let (params, metadata) = (request.params, &request.app.metadata);
    let named = params.all("resource").chain(params.all("audience"));
    let mut audience = target::read(named, &metadata.resources, oauth.issuer())?;
    if audience.is_empty() {
        let may_have = |one: &&String| {
            one.as_str() == oauth.issuer() || metadata.resources.iter().any(|known| known == *one)
        };
        audience = subject.audience.iter().filter(may_have).cloned().collect();
        if audience.is_empty() {
            return Err(UNKNOWN.into());
        }
    }
    let types = &metadata.authorization_details_types;
    let asked = details::read(params.get("authorization_details"), types)?;
    let details = if asked.is_empty() {
        subject.details.clone()
    } else if details::is_within(&asked, &subject.details) {
        asked
    } else {
        return Err(details::BEYOND.into());
    };
    Ok(Reach { audience, details })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8693_4_1_hands_are_counted_however_many_there_are() {
        let mut act = json!({ "sub": "a" });
        for count in 1..10 {
            assert_eq!(hands(&act), count.min(HANDS_MAX + 1));
            act = json!({ "sub": "a", "act": act });
        }
    }
}
