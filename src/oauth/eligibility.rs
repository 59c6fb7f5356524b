//! Who may use which app at all: asked before a user consents, and again for every token.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::model::{Account, Membership};
use crate::apps::model::{AllowedAccounts, App, Status};
use crate::base::id::{AccountId, UserId};
use crate::db::error::DbError;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::service::OAuth;
use crate::policy::attributes::Attributes;
use crate::policy::fact::Fact;
use crate::policy::permit::authorize;
use crate::policy::privilege::DevelopApps;
use crate::users::model::User;

/// Checks that `user`, who signed in at `auth_time`, may use `app`, and answers who they are.
///
/// The user must be active and must not have changed their password nor been signed out everywhere
/// since; be a member of an account that the app is for, unless it is for all; and may develop
/// apps there while the app is in development. A disabled app is for nobody.
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
            AllowedAccounts::All => Ok(user),
            AllowedAccounts::These(accounts) => {
                for account in accounts {
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
    let is_for = |id: &AccountId| match &app.allowed_accounts {
        AllowedAccounts::All => true,
        AllowedAccounts::These(accounts) => accounts.contains(id),
    };
    Ok(mine.iter().filter(|account| is_for(&account.id)).cloned().collect())
}

async fn may_develop(oauth: &OAuth, account: &Account, user: &User) -> Result<bool, DbError> {
    let parts = oauth.parts();
    let Some(membership) = parts.accounts.membership(&account.id, &user.id).await? else {
        return Ok(false);
    };
    let policy = parts.policies.merged(&account.id).await?;
    let facts = facts(account, user, &membership);
    Ok(authorize::<DevelopApps>(&policy, &facts, &account.id, &user.id).is_ok())
}

/// What policies may ask of a user in an account, apart from any request.
fn facts(account: &Account, user: &User, membership: &Membership) -> Attributes {
    let groups = membership.groups.iter().map(|group| group.as_str().to_owned());
    let mut facts = Attributes::new()
        .with("user", "id", user.id.as_str())
        .with("user", "username", user.username.as_str())
        .with("user", "groups", Fact::texts(groups))
        .with("user", "customAttributes", &membership.attributes)
        .with("account", "id", account.id.as_str())
        .with("account", "type", account.kind.as_str());
    if let Some(email) = &user.email {
        facts.put("user", "email", email.as_str());
    }
    facts
}
