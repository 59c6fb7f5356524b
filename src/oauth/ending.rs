//! What the end of a session means to apps: their grants end, and they are told.

use std::sync::Arc;

use crate::apps::model::App;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::trail::SIGN_IN;
use crate::base::clock::from_micros;
use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::backchannel::{self, Notice};
use crate::oauth::service::OAuth;
use crate::oauth::sid;
use crate::oauth::store_logout as store;
use crate::queue::model::{Job, Undelivered};
use crate::queue::service::push;
use crate::users::ending::{Ended, end_one};
use crate::users::login::Login;

/// Ends a session and what it gave to apps, in one transaction: whoever is answered has signed
/// out. Answers the apps that took part.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn end(oauth: &OAuth, login: &Login) -> Result<Vec<Arc<App>>, DbError> {
    let apps = apps_of(oauth, &login.user, login.session).await?;
    let unit = oauth.ctx().db.write((login.clone(), oauth.now()), |tx, (login, now)| {
        Box::pin(async move {
            store::revoke_session(tx, &login.user, login.session, *now).await?;
            end_one(tx, login, *now).await
        })
    });
    unit.await?;
    let trail = oauth.parts().users.trail();
    trail.note(Actor::user(&login.user), signed_out(&login.user), oauth.now());
    Ok(apps)
}

fn signed_out(user: &UserId) -> Event {
    Event::new(Action::Delete, SIGN_IN, user.as_str())
}

async fn apps_of(oauth: &OAuth, user: &UserId, session: Digest) -> Result<Vec<Arc<App>>, DbError> {
    let mut apps = Vec::new();
    for id in store::apps_of(&oauth.ctx().db, user, session).await? {
        apps.extend(oauth.parts().apps.find(&id).await?);
    }
    Ok(apps)
}

/// Revokes what ended sessions gave to apps, and has the apps told.
pub(in crate::oauth) async fn deliver(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    let ended: Ended = serde_json::from_value(job.payload.clone())
        .map_err(|_| Undelivered::Never("it cannot be read"))?;
    carry_out(oauth, ended).await.map_err(|error| {
        tracing::warn!(%error, "what an ended session gave could not be revoked");
        Undelivered::Again("storage failed")
    })
}

async fn carry_out(oauth: &OAuth, ended: Ended) -> Result<(), DbError> {
    let mut notices = Vec::new();
    for session in &ended.sessions {
        for app in apps_of(oauth, &ended.user, *session).await? {
            if app.metadata.backchannel_logout_uri.is_some() {
                let (sid, user) = (sid::of(oauth, &app.id, *session), ended.user.clone());
                notices.push(Notice { app: app.id.clone(), user, sid }.payload()?);
            }
        }
    }
    let unit = oauth.ctx().db.write((ended, notices, oauth.now()), |tx, (ended, notices, now)| {
        Box::pin(async move {
            for session in &ended.sessions {
                store::revoke_session(tx, &ended.user, *session, *now).await?;
                store::forget_apps(tx, *session).await?;
            }
            if let Some(end) = ended.all_before {
                store::revoke_before(tx, &ended.user, from_micros(end), *now).await?;
            }
            for notice in notices {
                push(tx, backchannel::LOGOUT, notice, *now).await?;
            }
            Ok(())
        })
    });
    unit.await
}
