//! Who may use which app at all: asked before a user consents, and again for every token.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::model::Account;
use crate::apps::model::{AllowedAccounts, App, Status};
use crate::base::id::UserId;
use crate::db::error::DbError;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::service::OAuth;
use crate::policy::permit::authorize;
use crate::policy::privilege::DevelopApps;
use crate::users::model::User;

/// Checks that `user`, who signed in at `auth_time`, may use `app`, and answers who they are.
///
/// The user must be active and must not have changed their password nor been signed out everywhere
/// since; be a member of an account that the app is for, unless it is for all (then every account
/// of theirs must not keep it out); and may develop apps there while the app is in development. A
/// disabled app is for nobody.
///
/// # Errors
/// [`TokenError::InvalidGrant`] with the reason, or [`TokenError::Internal`].
pub(in crate::oauth) async fn check(
    oauth: &OAuth,
    app: &App,
    user: &UserId,
    auth_time: DateTime<Utc>,
) -> Result<Arc<User>, TokenError> {
    let refused = |refusal| Err(TokenError::InvalidGrant(refusal));
    let Some(user) = oauth.parts().users.find(user).await?.filter(|user| user.is_active()) else {
        return refused(Refusal::UserDisabled);
    };
    if user.void_before().is_some_and(|at| auth_time < at) {
        return refused(Refusal::Revoked);
    }
    match app.status {
        Status::Live => match &app.allowed_accounts {
            AllowedAccounts::All if app.blocked_by.is_empty() => Ok(user),
            AllowedAccounts::All => {
                let mine = oauth.parts().accounts.accounts_of(&user.id).await?;
                let is_left = mine.is_empty() || mine.iter().any(|one| app.is_for(&one.id));
                if is_left { Ok(user) } else { refused(Refusal::AppNotAllowed) }
            }
            AllowedAccounts::These(accounts) => {
                for account in accounts.difference(&app.blocked_by) {
                    if oauth.parts().accounts.membership(account, &user.id).await?.is_some() {
                        return Ok(user);
                    }
                }
                refused(Refusal::AppNotAllowed)
            }
        },
        Status::Developing => Box::pin(as_developer(oauth, app, user)).await,
        Status::Disabled => refused(Refusal::AppDisabled),
    }
}

/// Whether `user` may use `app`, and is in an account that it is for.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn has_place(
    oauth: &OAuth,
    app: &App,
    user: &UserId,
    auth_time: DateTime<Utc>,
) -> Result<bool, DbError> {
    match check(oauth, app, user, auth_time).await {
        Ok(user) => Ok(!accounts_in_common(oauth, app, &user.id).await?.is_empty()),
        Err(TokenError::Internal(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// An app in development is for those who may develop apps in an account that it is for.
async fn as_developer(oauth: &OAuth, app: &App, user: Arc<User>) -> Result<Arc<User>, TokenError> {
    let mine = accounts_in_common(oauth, app, &user.id).await?;
    if mine.is_empty() && app.allowed_accounts != AllowedAccounts::All {
        return Err(TokenError::InvalidGrant(Refusal::AppNotAllowed));
    }
    for account in &mine {
        if may_develop(oauth, account, &user).await? {
            return Ok(user);
        }
    }
    Err(TokenError::InvalidGrant(Refusal::AppInDevelopment))
}

async fn accounts_in_common(
    oauth: &OAuth,
    app: &App,
    user: &UserId,
) -> Result<Vec<Account>, DbError> {
    let mine = oauth.parts().accounts.accounts_of(user).await?;
    Ok(mine.iter().filter(|account| app.is_for(&account.id)).cloned().collect())
}

async fn may_develop(oauth: &OAuth, account: &Account, user: &User) -> Result<bool, DbError> {
    let parts = oauth.parts();
    let Some(membership) = parts.accounts.membership(&account.id, &user.id).await? else {
        return Ok(false);
    };
    let policy = parts.policies.merged(&account.id).await?;
    let facts = membership.facts(user, account);
    Ok(authorize::<DevelopApps>(&policy, &facts, &account.id, &user.id).is_ok())
}
