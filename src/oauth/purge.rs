//! Purging users whose grace period is over, in pieces that others do not have to wait for.
//!
//! Every step can be repeated, and the next one is found from what is left: whoever dies in
//! between leaves work to the next round of any node.

use std::collections::BTreeSet;

use crate::base::id::{AppId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::backchannel::{self, Notice};
use crate::oauth::service::OAuth;
use crate::oauth::sid;
use crate::oauth::store_purge as store;
use crate::queue::service::push;

/// Most rows that one transaction deletes.
pub(in crate::oauth) const ROWS_MAX: i64 = 200;

/// An app that took part in a session.
pub(in crate::oauth) type Part = (Digest, AppId);

/// Purges those whose grace period is over, a bounded number, and says how many are gone.
///
/// # Errors
/// [`DbError`] if storage fails. What was not done is done another time.
pub async fn purge_due(oauth: &OAuth) -> Result<u64, DbError> {
    let users = &oauth.parts().users;
    let mut gone = 0;
    for user in users.deletions_due().await? {
        match purge(oauth, &user).await {
            Ok(is_gone) => gone += u64::from(is_gone),
            // One who cannot be purged keeps nobody else from it.
            Err(error) => tracing::error!(%user, %error, "a user could not be purged"),
        }
    }
    Ok(gone)
}

async fn purge(oauth: &OAuth, user: &UserId) -> Result<bool, DbError> {
    let users = &oauth.parts().users;
    oauth.parts().accounts.note_last_administrator(user).await?;
    if !users.close(user).await? {
        return Ok(false);
    }
    while grants(oauth, user).await? || parts(oauth, user).await? {}
    users.forget(user).await
}

/// Deletes some of the grants of a user, and has the apps told whose sessions end by it. `false`
/// if there were none.
async fn grants(oauth: &OAuth, user: &UserId) -> Result<bool, DbError> {
    let Some((last, live)) = store::grants(&oauth.ctx().db, user, ROWS_MAX).await? else {
        return Ok(false);
    };
    let notices = notices(oauth, user, live).await?;
    let input = (user.clone(), last, notices, oauth.now());
    let unit = oauth.ctx().db.write(input, |tx, (user, last, notices, now)| {
        Box::pin(async move {
            store::delete_grants(tx, user, *last).await?;
            for notice in notices {
                push(tx, backchannel::LOGOUT, notice, *now).await?;
            }
            Ok::<_, DbError>(())
        })
    });
    unit.await?;
    Ok(true)
}

/// Forgets some of the apps that took part in sessions of a user, and has them told. `false` if
/// there were none.
async fn parts(oauth: &OAuth, user: &UserId) -> Result<bool, DbError> {
    let found = store::parts(&oauth.ctx().db, user, ROWS_MAX).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let notices = notices(oauth, user, found.clone()).await?;
    let input = (user.clone(), found, notices, oauth.now());
    let unit = oauth.ctx().db.write(input, |tx, (user, found, notices, now)| {
        Box::pin(async move {
            for (session, app) in found {
                store::delete_part(tx, user, *session, app).await?;
            }
            for notice in notices {
                push(tx, backchannel::LOGOUT, notice, *now).await?;
            }
            Ok::<_, DbError>(())
        })
    });
    unit.await?;
    Ok(true)
}

async fn notices(
    oauth: &OAuth,
    user: &UserId,
    parts: Vec<Part>,
) -> Result<Vec<serde_json::Value>, DbError> {
    let mut seen = BTreeSet::new();
    let mut notices = Vec::new();
    for (session, app) in parts {
        let sid = sid::of(oauth, &app, session);
        if !seen.insert((sid.clone(), app.clone())) {
            continue;
        }
        let found = oauth.parts().apps.find(&app).await?;
        if found.is_some_and(|app| app.metadata.backchannel_logout_uri.is_some()) {
            notices.push(Notice { app, user: user.clone(), sid }.payload()?);
        }
    }
    Ok(notices)
}
