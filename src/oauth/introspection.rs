//! Telling resource servers what a token is worth. Source: RFC 7662.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::apps::model::{App, Kind};
use crate::oauth::access_token::{TokenFault, verify_for_any};
use crate::oauth::acr;
use crate::oauth::binding::Binding;
use crate::oauth::client_auth::authenticate;
use crate::oauth::error::TokenError;
use crate::oauth::presented::Presented;
use crate::oauth::refresh::{RefreshToken, Use, decide};
use crate::oauth::service::OAuth;
use crate::oauth::subject;
use crate::users::model::User;

/// The answer. Source: RFC 7662 section 2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Introspection {
    /// Whether the token is good now; nothing else is said of one that is not.
    pub active: bool,
    /// What it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The app it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What its user signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `Bearer`, or `DPoP`, for access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Its user, or the app itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Value>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// What it is bound to. Source: RFC 9449 section 6.2, RFC 8705 section 3.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Binding>,
    /// Who acts for the user. Source: RFC 8693 section 4.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// What it allows in detail. Source: RFC 9396 section 9.2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// When its user signed in. Source: RFC 9470 section 6.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How surely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'static str>,
}

/// `typ` of signed answers, and the end of their media type. Source: RFC 9701 section 5.
const SIGNED_TYPE: &str = "token-introspection+jwt";

/// A signed answer. Source: RFC 9701 section 5.
#[derive(Debug, Serialize)]
struct Signed<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: &'a Introspection,
}

/// As [`introspect`], signed for the app that asks, so that it can prove what it was told.
///
/// # Errors
/// As [`introspect`]; [`TokenError::Keys`] if signing fails. Source: RFC 9701 section 5.
pub async fn introspect_signed(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<String, TokenError> {
    let (caller, answer) = answer(oauth, presented).await?;
    let registered = caller.metadata.introspection_signed_response_alg;
    let signed = Signed {
        iss: oauth.issuer(),
        aud: caller.id.as_str(),
        iat: oauth.now().timestamp(),
        token_introspection: &answer,
    };
    Ok(oauth.parts().keys.sign(caller.answers_with(registered), SIGNED_TYPE, &signed)?)
}

/// Says what a token is worth, to an app that can prove who it is.
///
/// A tenant's resource servers learn of the tokens of that tenant's apps; everything else is
/// inactive to them, as is every refresh token that is not their own.
///
/// # Errors
/// [`TokenError::InvalidClient`] for callers that are not confidential apps.
pub async fn introspect(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<Introspection, TokenError> {
    answer(oauth, presented).await.map(|(_, answer)| answer)
}

async fn answer(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<(Arc<App>, Introspection), TokenError> {
    let caller = authenticate(oauth, presented).await?;
    if caller.kind != Kind::Confidential {
        return Err(TokenError::InvalidClient { basic: presented.authorization.is_some() });
    }
    let token =
        presented.params.get("token").ok_or(TokenError::InvalidRequest("token is missing"))?;
    let answer = match RefreshToken::parse(token) {
        Some(refresh) => refresh_token(oauth, &caller, &refresh).await?,
        None => access_token(oauth, &caller, token).await?,
    };
    Ok((caller, answer))
}

async fn access_token(
    oauth: &OAuth,
    caller: &App,
    token: &str,
) -> Result<Introspection, TokenError> {
    let access = match verify_for_any(oauth, token).await {
        Ok(access) => access,
        Err(TokenFault::Invalid(_)) => return Ok(Introspection::default()),
        Err(TokenFault::Internal(error)) => return Err(error.into()),
    };
    let parts = oauth.parts();
    let app = parts.apps.find(&access.client).await?;
    let Some(app) = app.filter(|app| app.id == caller.id || app.account == caller.account) else {
        return Ok(Introspection::default());
    };
    let is_known = |one: &String| one == oauth.issuer() || app.metadata.resources.contains(one);
    if !access.audience.iter().all(is_known) {
        return Ok(Introspection::default());
    }
    let user = match &access.sub {
        Some(user) => parts.users.find(user).await?,
        None => None,
    };
    let sub = match &access.sub {
        Some(user) => subject::of(&parts.vault, &app, user).into_owned(),
        None => access.client.to_string(),
    };
    Ok(Introspection {
        active: true,
        scope: Some(access.scope.to_string()),
        client_id: Some(access.client.to_string()),
        username: username(&app, user.as_deref()),
        token_type: Some(Binding::token_type(access.binding.as_ref())),
        cnf: access.binding.clone(),
        auth_time: access.auth_time.map(|at| at.timestamp()),
        acr: access.auth_time.map(|_| acr::of(&access.amr)),
        exp: Some(access.exp.timestamp()),
        iat: Some(access.iat.timestamp()),
        sub: Some(sub),
        aud: Some(one_or_many(&access.audience)),
        iss: Some(oauth.issuer().to_owned()),
        jti: Some(access.jti.clone()),
        act: access.act.clone(),
        authorization_details: access.details.clone(),
    })
}

/// What the user signs in with, unless that would tell what a pairwise subject hides.
fn username(app: &App, user: Option<&User>) -> Option<String> {
    user.filter(|_| !subject::is_pairwise(app)).map(|user| user.username.clone())
}

/// As tokens write it: text, or a list of texts. Source: RFC 7519 section 4.1.3.
fn one_or_many(audience: &[String]) -> Value {
    match audience {
        [one] => one.as_str().into(),
        many => many.into(),
    }
}

async fn refresh_token(
    oauth: &OAuth,
    caller: &App,
    token: &RefreshToken,
) -> Result<Introspection, TokenError> {
    let Some(grant) = oauth.read_grant(token.grant).await? else {
        return Ok(Introspection::default());
    };
    let usage = decide(&grant, token, &caller.id, caller.rotates(), oauth.now());
    let (Ok(Use::Rotate | Use::Keep), Some(by)) = (usage, grant.approval()) else {
        return Ok(Introspection::default());
    };
    let user = oauth.parts().users.find(&by.user).await?.filter(|user| user.is_active());
    let Some(user) = user else { return Ok(Introspection::default()) };
    Ok(Introspection {
        active: true,
        scope: Some(by.scope.to_string()),
        client_id: Some(caller.id.to_string()),
        username: username(caller, Some(&user)),
        exp: grant.refresh.as_ref().map(|state| state.expires_at.timestamp()),
        sub: Some(subject::of(&oauth.parts().vault, caller, &by.user).into_owned()),
        iss: Some(oauth.issuer().to_owned()),
        ..Introspection::default()
    })
}
