//! Whoever may not use an app any more loses what they gave it: durably, so that it does not come
//! back with the permission. Until then [`crate::oauth::eligibility`] refuses it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::leaving::Left;
use crate::apps::model::{App, Status};
use crate::apps::narrowing::Narrowed;
use crate::base::clock::from_micros;
use crate::base::id::UserId;
use crate::db::error::DbError;
use crate::oauth::eligibility;
use crate::oauth::error::TokenError;
use crate::oauth::service::OAuth;
use crate::oauth::store_logout as store;
use crate::queue::model::{Job, Undelivered};

/// Revokes what a user who left a group of an account gave the apps that they may not use any more,
/// or that are for no account of theirs. What others are for stays: what an account says of its
/// members is asked at each request, and what they do in other accounts is no business of its.
pub(in crate::oauth) async fn left(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    let Left { account, user, at } = serde_json::from_value(job.payload.clone())
        .map_err(|_| Undelivered::Never("it cannot be read"))?;
    let work = async {
        let (db, now) = (&oauth.ctx().db, oauth.now());
        // The change may be another process's.
        db.poll_changes().await?;
        for app in store::live_apps_of(db, &user).await? {
            let Some(app) = oauth.parts().apps.find(&app).await? else { continue };
            let is_developing = app.status == Status::Developing;
            if !is_developing && !app.allowed_accounts.contains(&account) {
                continue;
            }
            if !eligibility::has_place(oauth, &app, &user, now).await? {
                revoke(oauth, &app, &user, from_micros(at)).await?;
            }
        }
        Ok(())
    };
    work.await.map_err(failed)
}

/// Revokes what users who may not use an app any more gave it.
pub(in crate::oauth) async fn narrowed(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    let Narrowed { app, at } = serde_json::from_value(job.payload.clone())
        .map_err(|_| Undelivered::Never("it cannot be read"))?;
    let work = async {
        let db = &oauth.ctx().db;
        db.poll_changes().await?;
        let Some(app) = oauth.parts().apps.find(&app).await? else { return Ok(()) };
        for user in store::live_users_of(db, &app.id).await? {
            match eligibility::check(oauth, &app, &user, oauth.now()).await {
                Ok(_) => {}
                Err(TokenError::Internal(error)) => return Err(error),
                Err(_) => revoke(oauth, &app, &user, from_micros(at)).await?,
            }
        }
        Ok(())
    };
    work.await.map_err(failed)
}

async fn revoke(
    oauth: &OAuth,
    app: &Arc<App>,
    user: &UserId,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    let input = (app.id.clone(), user.clone(), until, oauth.now());
    let unit = oauth.ctx().db.write(input, |tx, (app, user, until, now)| {
        Box::pin(store::revoke_pair(tx, (app, user), *until, *now))
    });
    unit.await
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn failed(error: DbError) -> Undelivered {
    tracing::warn!(%error, "what a lost permission gave could not be revoked");
    Undelivered::Again("storage failed")
}
