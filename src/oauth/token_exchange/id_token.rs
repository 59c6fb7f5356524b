//! ID tokens as what is exchanged. Source: RFC 8693 section 3.

use std::sync::Arc;

use chrono::DateTime;

use crate::apps::model::App;
use crate::oauth::access_token::AccessToken;
use crate::oauth::error::TokenError;
use crate::oauth::hint;
use crate::oauth::service::OAuth;
use crate::oauth::sid;
use crate::oauth::store_logout as store;

/// What an ID token of ours stands for: all that its user gave the app in the session that it
/// names, as if the last access token of that were shown. Only the app that it was made for may
/// show it: to everybody else it says who somebody is, and allows nothing.
///
/// `None` if it has expired, is for another app, or nothing of what was given is left.
pub(in crate::oauth::token_exchange) async fn stands_for(
    oauth: &OAuth,
    app: &App,
    text: &str,
) -> Result<Option<Arc<AccessToken>>, TokenError> {
    let now = oauth.now();
    let Some(hint) = hint::read(oauth, text) else { return Ok(None) };
    let (Some(user), Some(exp)) =
        (hint.user(oauth, app), DateTime::from_timestamp(hint.exp, 0).filter(|exp| now < *exp))
    else {
        return Ok(None);
    };
    let live = store::live_grants(&oauth.ctx().db, (&user, &app.id), now).await?;
    let is_of_session =
        |name: &str| live.iter().find(|(_, session)| sid::of(oauth, &app.id, *session) == name);
    let Some((id, _)) = hint.sid.as_deref().and_then(is_of_session) else { return Ok(None) };
    let Some(grant) = oauth.read_grant(*id).await? else { return Ok(None) };
    let Some(by) = grant.approval() else { return Ok(None) };
    let audience = match grant.request.resource.as_slice() {
        [] => vec![oauth.issuer().to_owned()],
        named => named.to_vec(),
    };
    Ok(Some(Arc::new(AccessToken {
        sub: Some(user),
        client: app.id.clone(),
        scope: by.scope.clone(),
        auth_time: Some(by.auth_time),
        grant: Some(grant.id),
        jti: String::new(),
        iat: now,
        exp,
        amr: by.amr.clone(),
        binding: grant.binding.clone(),
        claims_requested: false,
        audience,
        act: None,
        details: grant.request.authorization_details.clone(),
    })))
}
