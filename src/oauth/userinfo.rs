//! What an app may ask about its user. Source: OpenID Connect Core section 5.3.

use serde_json::{Map, Value};

use crate::db::error::DbError;
use crate::oauth::access_token::TokenFault;
use crate::oauth::claims;
use crate::oauth::possession::{PossessionFault, Shown, verify};
use crate::oauth::service::OAuth;

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
    let user = user.ok_or(PossessionFault::Token(TokenFault::Invalid("it has no user")))?;
    Ok(claims::userinfo(&user, &access.scope))
}

fn internal(error: DbError) -> PossessionFault {
    PossessionFault::Token(TokenFault::Internal(error))
}
