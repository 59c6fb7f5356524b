//! `grant_type` of the device grant and of CIBA: asking whether the user has decided.
//!
//! Source: RFC 8628 sections 3.4 and 3.5, OpenID Connect CIBA Core sections 10 and 11.

use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::{Grant, Stage as GrantStage};
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::reach::Reach;
use crate::oauth::service::OAuth;
use crate::oauth::store_waiting;
use crate::oauth::token::TokenRequest;
use crate::oauth::waiting::{self, Kind, Stage, Waiting};

const PENDING: TokenError =
    TokenError::Named("authorization_pending", "the user has not decided yet");
const TOO_FAST: TokenError =
    TokenError::Named("slow_down", "ask five seconds less often from now on");
const DENIED: TokenError = TokenError::Named("access_denied", "the user said no");
const EXPIRED: TokenError = TokenError::Named("expired_token", "the request ran out of time");

/// Answers an app that asks for the outcome of a request of its own.
///
/// # Errors
/// `authorization_pending`, `slow_down`, `access_denied` or `expired_token`;
/// [`TokenError::InvalidGrant`] for a request that is not this app's or was answered before; and
/// what [`issue_tokens`] answers.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
    kind: Kind,
) -> Result<Issued, TokenError> {
    let text = match kind {
        Kind::Device => request
            .params
            .get("device_code")
            .ok_or(TokenError::InvalidRequest("device_code is missing"))?,
        Kind::Ciba => request
            .params
            .get("auth_req_id")
            .ok_or(TokenError::InvalidRequest("auth_req_id is missing"))?,
    };
    let waiting = waiting::find(oauth, kind, &request.app, text).await?;
    let now = oauth.now();
    match waiting.stage {
        Stage::Pending if now >= waiting.expires_at => Err(EXPIRED),
        Stage::Pending => {
            let in_time = store_waiting::poll(&oauth.ctx().db, waiting.id, now).await?;
            Err(if in_time { PENDING } else { TOO_FAST })
        }
        Stage::Denied => Err(DENIED),
        Stage::Approved(id) => {
            let grant = oauth.read_grant(id).await?;
            let grant = grant.ok_or(TokenError::InvalidGrant(Refusal::Expired))?;
            redeem(oauth, request, (kind, &waiting), &grant).await
        }
    }
}

async fn redeem(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
    (kind, waiting): (Kind, &Waiting),
    grant: &Grant,
) -> Result<Issued, TokenError> {
    let refused = |refusal| Err(TokenError::InvalidGrant(refusal));
    let expected = waiting.code(kind);
    let by = match &grant.stage {
        GrantStage::Approved { by, code } if *code == expected => by,
        GrantStage::Spent { .. } => return refused(Refusal::AlreadySpent),
        _ => return refused(Refusal::Unknown),
    };
    if grant.revoked_at.is_some() {
        return refused(Refusal::Revoked);
    }
    if oauth.now() > grant.expires_at {
        return Err(EXPIRED);
    }
    let app = &*request.app;
    let issue = IssueRequest {
        app,
        scope: &by.scope,
        reach: Reach::within(request.params, app, &grant.request, oauth.issuer())?,
        ground: Ground::Waiting { grant, by, code: expected, grant_type: kind.grant_type() },
        binding: request.binding.as_ref(),
    };
    // Another request of the same app may win by a moment: its answer has the tokens.
    issue_tokens(oauth, &issue).await?.ok_or(TokenError::InvalidGrant(Refusal::Raced))
}
