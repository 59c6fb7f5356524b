//! Where a sign-in has to come from for an app: an account may demand its own provider of its
//! members, and what one account's provider says is nothing to the apps of another.

use crate::apps::model::App;
use crate::base::id::UserId;
use crate::db::error::DbError;
use crate::oauth::service::OAuth;
use crate::upstream::model::Provider;
use crate::users::login::Login;

/// Whether an app takes a sign-in, as far as where it was done matters.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn fits(
    oauth: &OAuth,
    app: &App,
    login: &Login,
) -> Result<bool, DbError> {
    if let Some(id) = &login.provider {
        let provider = oauth.parts().providers.find(id).await?;
        let is_good = provider.is_some_and(|provider| {
            let is_theirs = provider.account.as_ref().is_none_or(|owner| *owner == app.account);
            provider.enabled && is_theirs
        });
        if !is_good {
            return Ok(false);
        }
    }
    let demanded = demanded(oauth, app, &login.user).await?;
    Ok(demanded.is_empty()
        || demanded.iter().any(|provider| Some(&provider.id) == login.provider.as_ref()))
}

/// The providers that the app's account demands of this user: of its members alone.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn demanded(oauth: &OAuth, app: &App, user: &UserId) -> Result<Vec<Provider>, DbError> {
    let parts = oauth.parts();
    let required = parts.providers.required(&app.account).await?;
    if required.is_empty() || parts.accounts.membership(&app.account, user).await?.is_none() {
        return Ok(Vec::new());
    }
    Ok(required)
}
