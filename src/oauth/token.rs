//! The token endpoint. Source: RFC 6749 section 3.2.

use std::sync::Arc;

use crate::apps::model::{App, GrantType};
use crate::oauth::binding::Binding;
use crate::oauth::client_auth::authenticate;
use crate::oauth::error::TokenError;
use crate::oauth::issue::Issued;
use crate::oauth::params::Params;
use crate::oauth::presented::Presented;
use crate::oauth::service::OAuth;
use crate::oauth::waiting::Kind;
use crate::oauth::{
    constrain, token_app, token_assertion, token_code, token_exchange, token_refresh, token_waiting,
};

/// A token request by an app that is who it says.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct TokenRequest<'a> {
    pub(in crate::oauth) params: &'a Params,
    pub(in crate::oauth) app: Arc<App>,
    /// What the tokens will be bound to: the key or certificate that the request showed.
    pub(in crate::oauth) binding: Option<Binding>,
}

/// Gives tokens for whatever ground the `grant_type` names.
///
/// # Errors
/// [`TokenError`]. Source: RFC 6749 section 5.2.
pub async fn exchange(oauth: &OAuth, presented: &Presented<'_>) -> Result<Issued, TokenError> {
    let params = presented.params;
    let grant_type =
        params.get("grant_type").ok_or(TokenError::InvalidRequest("grant_type is missing"))?;
    let grant_type: GrantType = grant_type.parse().map_err(|_| TokenError::UnsupportedGrantType)?;
    let app = authenticate(oauth, presented).await?;
    let binding = constrain::binding(oauth, &app, presented).await?;
    let request = TokenRequest { params, app, binding };
    let issued = match grant_type {
        GrantType::AuthorizationCode => token_code::exchange(oauth, &request).await,
        GrantType::RefreshToken => token_refresh::exchange(oauth, &request).await,
        GrantType::ClientCredentials => token_app::exchange(oauth, &request).await,
        GrantType::DeviceCode => {
            Box::pin(token_waiting::exchange(oauth, &request, Kind::Device)).await
        }
        GrantType::TokenExchange => Box::pin(token_exchange::exchange(oauth, &request)).await,
        GrantType::JwtBearer => Box::pin(token_assertion::exchange(oauth, &request)).await,
        GrantType::Ciba => Box::pin(token_waiting::exchange(oauth, &request, Kind::Ciba)).await,
    };
    if let Err(TokenError::InvalidGrant(refusal)) = &issued {
        tracing::info!(app = %request.app.id, %grant_type, %refusal, "no tokens");
    }
    issued
}
