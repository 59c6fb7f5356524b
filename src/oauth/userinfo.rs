//! What an app may ask about its user. Source: OpenID Connect Core section 5.3.

use serde_json::{Map, Value};

use crate::apps::model::App;
use crate::db::error::DbError;
use crate::oauth::access_token::{AccessToken, TokenFault};
use crate::oauth::claims_request;
use crate::oauth::possession::{PossessionFault, Shown, verify};
use crate::oauth::service::OAuth;
use crate::oauth::{standard_claims, subject};
use crate::users::model::User;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token is not good, or not its bearer's.
    #[error(transparent)]
    Token(#[from] PossessionFault),
    /// The token is good, but not for this: its scope lacks `openid`.
    #[error("the scope openid is missing")]
    Scope,
}

/// What the bearer of a token may know of the user.
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(
    oauth: &OAuth,
    shown: &Shown<'_>,
) -> Result<Map<String, Value>, UserInfoError> {
    let access = verify(oauth, shown).await?;
    if !access.scope.contains("openid") {
        return Err(UserInfoError::Scope);
    }
    let user = match &access.sub {
        Some(user) => oauth.parts().users.find(user).await.map_err(internal)?,
        None => None,
    };
    let user = user.ok_or_else(|| invalid("it has no user"))?;
    let app = oauth.parts().apps.find(&access.client).await.map_err(internal)?;
    let app = app.ok_or_else(|| invalid("its app is gone"))?;
    Ok(claims(oauth, &app, &user, &access).await.map_err(internal)?)
}

/// What scope and request let the app know.
async fn claims(
    oauth: &OAuth,
    app: &App,
    user: &User,
    access: &AccessToken,
) -> Result<Map<String, Value>, DbError> {
    let mut claims = standard_claims::of_scope(user, &access.scope);
    if let Some(grant) = access.grant.filter(|_| access.claims_requested) {
        let grant = match oauth.caches().grants.get(&grant.0) {
            Some(held) => Some(held),
            None => oauth.read_grant(grant).await?,
        };
        if let Some(asked) = grant.as_ref().and_then(|grant| grant.request.claims.as_deref()) {
            claims_request::add(&mut claims, user, &asked.userinfo);
        }
    }
    let sub = subject::of(&oauth.parts().vault, app, &user.id);
    claims.insert("sub".to_owned(), sub.as_ref().into());
    Ok(claims)
}

fn internal(error: DbError) -> PossessionFault {
    PossessionFault::Token(TokenFault::Internal(error))
}

fn invalid(reason: &'static str) -> PossessionFault {
    PossessionFault::Token(TokenFault::Invalid(reason))
}
