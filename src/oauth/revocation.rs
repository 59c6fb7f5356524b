//! Giving tokens back. Source: RFC 7009.

use serde_json::json;

use crate::apps::model::App;
use crate::audit::model::{Action, Actor, Event};
use crate::db::error::DbError;
use crate::oauth::access_token::{TokenFault, signed};
use crate::oauth::client_auth::authenticate;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::Grant;
use crate::oauth::presented::Presented;
use crate::oauth::refresh::RefreshToken;
use crate::oauth::service::OAuth;
use crate::oauth::store_tokens;

/// What the record calls what an app was given.
const GRANT: &str = "grant";

/// Revokes a token of the calling app: a refresh token with its whole grant, an access token by
/// itself. A token that is not known, or over, is as good as revoked.
///
/// # Errors
/// [`TokenError::InvalidGrant`] for another app's token, [`TokenError::Internal`] if storage
/// fails: success means that it is durable.
pub async fn revoke(oauth: &OAuth, presented: &Presented<'_>) -> Result<(), TokenError> {
    let app = authenticate(oauth, presented).await?;
    let token =
        presented.params.get("token").ok_or(TokenError::InvalidRequest("token is missing"))?;
    match RefreshToken::parse(token) {
        Some(refresh) => revoke_grant(oauth, &app, &refresh).await,
        None => revoke_access(oauth, &app, token).await,
    }
}

/// Any refresh token of the family will do: whoever gives one back wants none.
async fn revoke_grant(oauth: &OAuth, app: &App, token: &RefreshToken) -> Result<(), TokenError> {
    let Some(grant) = oauth.read_grant(token.grant).await? else { return Ok(()) };
    let family = token.family.digest();
    if grant.refresh.as_ref().is_none_or(|state| state.family != family) {
        return Ok(());
    }
    if grant.app != app.id {
        return Err(TokenError::InvalidGrant(Refusal::WrongApp));
    }
    Ok(end_grant(oauth, &grant, "given_back").await?)
}

/// Ends a grant and all that came of it, and notes why.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn end_grant(
    oauth: &OAuth,
    grant: &Grant,
    why: &'static str,
) -> Result<(), DbError> {
    store_tokens::revoke(&oauth.ctx().db, grant.id, oauth.now()).await?;
    let user = grant.approval().map(|by| by.user.clone());
    let actor = Actor { user, ..Actor::app(&grant.app) };
    let event = Event::new(Action::Delete, GRANT, grant.id.to_string());
    oauth.parts().users.trail().note(actor, event.after(json!({ "why": why })), oauth.now());
    Ok(())
}

async fn revoke_access(oauth: &OAuth, app: &App, token: &str) -> Result<(), TokenError> {
    let access = match signed(oauth, token) {
        Ok((_, access)) => access,
        Err(TokenFault::Invalid(_)) => return Ok(()),
        Err(TokenFault::Internal(error)) => return Err(error.into()),
    };
    if access.client != app.id {
        return Err(TokenError::InvalidGrant(Refusal::WrongApp));
    }
    Ok(store_tokens::revoke_token(&oauth.ctx().db, &access.jti, access.exp).await?)
}
