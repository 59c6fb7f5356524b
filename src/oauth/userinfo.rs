//! What an app may ask about its user. Source: OpenID Connect Core section 5.3.

use serde_json::{Map, Value};

use crate::apps::model::App;
use crate::db::error::DbError;
use crate::oauth::access_token::{AccessToken, TokenFault};
use crate::oauth::claims::ID_TOKEN_TYPE;
use crate::oauth::claims_request;
use crate::oauth::possession::{PossessionFault, Shown, verify};
use crate::oauth::sealing::{SealingFault, seal};
use crate::oauth::service::OAuth;
use crate::oauth::{standard_claims, subject};
use crate::users::model::User;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token is not good, or not its bearer's.
    #[error(transparent)]
    Token(#[from] PossessionFault),
    /// The answer cannot be signed or encrypted as the app wants it.
    #[error(transparent)]
    Sealing(#[from] SealingFault),
    /// The token is good, but not for this: its scope lacks `openid`.
    #[error("the scope openid is missing")]
    Scope,
}

/// What is known of a user, the way that the app wants to be told.
#[derive(Clone, Debug, PartialEq)]
pub enum UserInfo {
    /// As JSON.
    Plain(Map<String, Value>),
    /// Signed, encrypted, or both. Source: OpenID Connect Core section 5.3.2.
    Jwt(String),
}

/// What the bearer of a token may know of the user.
///
/// # Errors
/// [`UserInfoError`].
pub async fn userinfo(oauth: &OAuth, shown: &Shown<'_>) -> Result<UserInfo, UserInfoError> {
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
    let claims = claims(oauth, &app, &user, &access).await.map_err(internal)?;
    Ok(packed(oauth, &app, claims).await?)
}

/// Signs, then encrypts, as far as the app registered. Source: OpenID Connect Core sections 5.3.2
/// and 10.2.
async fn packed(
    oauth: &OAuth,
    app: &App,
    mut claims: Map<String, Value>,
) -> Result<UserInfo, SealingFault> {
    let metadata = &app.metadata;
    let (signing, encryption) =
        (metadata.userinfo_signed_response_alg, metadata.userinfo_encrypted_response_alg);
    if signing.is_none() && encryption.is_none() {
        return Ok(UserInfo::Plain(claims));
    }
    claims.insert("iss".to_owned(), oauth.issuer().into());
    claims.insert("aud".to_owned(), app.id.as_str().into());
    let (text, cty) = match signing {
        Some(algorithm) => {
            (oauth.parts().keys.sign(algorithm, ID_TOKEN_TYPE, &claims)?, Some("JWT"))
        }
        None => (Value::Object(claims).to_string(), None),
    };
    let Some(algorithm) = encryption else { return Ok(UserInfo::Jwt(text)) };
    let how = (algorithm, metadata.userinfo_encrypted_response_enc);
    Ok(UserInfo::Jwt(Box::pin(seal(oauth, app, how, cty, text.as_bytes())).await?))
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
