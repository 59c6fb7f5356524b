//! What an app may ask about its user. Source: OpenID Connect Core section 5.3.

use serde_json::{Map, Value};

use crate::oauth::access_token::{TokenFault, verify};
use crate::oauth::claims;
use crate::oauth::service::OAuth;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// The token is good, but not for this: its scope lacks `openid`.
    #[error("the scope openid is missing")]
    Scope,
}

/// What the bearer of `token` may know of the user.
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(oauth: &OAuth, token: &str) -> Result<Map<String, Value>, UserInfoError> {
    let access = verify(oauth, token).await?;
    if !access.scope.contains("openid") {
        return Err(UserInfoError::Scope);
    }
    let user = match &access.sub {
        Some(user) => oauth.parts().users.find(user).await.map_err(TokenFault::from)?,
        None => None,
    };
    let user = user.ok_or(TokenFault::Invalid("it has no user"))?;
    Ok(claims::userinfo(&user, &access.scope))
}
