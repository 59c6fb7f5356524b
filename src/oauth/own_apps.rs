//! What a user gave to apps, as they see it, and taking it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::apps::model::App;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AppId, UserId};
use crate::base::scope::Scope;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::oauth::service::OAuth;
use crate::oauth::store_logout;
use crate::oauth::store_own as store;
use crate::oauth::store_tokens;

/// What the record calls a user's consent; the target is the app.
const CONSENT: &str = "consent";

/// An app that a user gave something to.
#[derive(Clone, Debug)]
pub struct OwnApp {
    /// Which.
    pub app: Arc<App>,
    /// The name of the account that answers for it.
    pub account_name: String,
    /// What it may do, now or as soon as it asks again.
    pub scopes: Scope,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it last got a token, about; `None` if it holds nothing now, and is only not asked
    /// again.
    pub last_used: Option<DateTime<Utc>>,
}

/// What storage knows of one app.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Given {
    pub(in crate::oauth) scopes: Scope,
    pub(in crate::oauth) since: DateTime<Utc>,
    /// When the last access token ends: what is written anyway, whenever a token is given out.
    pub(in crate::oauth) access_until: Option<DateTime<Utc>>,
}

/// The apps that a user gave something to, by title.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn own_apps(oauth: &OAuth, user: &UserId) -> Result<Vec<OwnApp>, DbError> {
    let db = &oauth.ctx().db;
    let mut given: BTreeMap<AppId, Given> = BTreeMap::new();
    let held = store::held(db, user, oauth.now()).await?;
    for (app, more) in held.into_iter().chain(store::remembered(db, user).await?) {
        match given.get_mut(&app) {
            None => drop(given.insert(app, more)),
            Some(known) => {
                known.scopes = known.scopes.union(&more.scopes);
                known.since = known.since.min(more.since);
                known.access_until = known.access_until.max(more.access_until);
            }
        }
    }
    let mut own = Vec::new();
    for (id, Given { scopes, since, access_until }) in given {
        let Some(app) = oauth.parts().apps.find(&id).await? else { continue };
        let account = oauth.parts().accounts.find(&app.account).await?;
        let account_name = account.map_or_else(String::new, |account| account.name.clone());
        let lifetime = TimeDelta::seconds(i64::from(app.access_token_seconds));
        let last_used = access_until.map(|until| (until - lifetime).max(since).min(oauth.now()));
        own.push(OwnApp { app, account_name, scopes, since, last_used });
    }
    own.sort_by(|a, b| (&a.app.title, &a.app.id).cmp(&(&b.app.title, &b.app.id)));
    Ok(own)
}

/// Takes back some scopes of what a user gave an app: tokens that hold one of them end at once, and
/// the app has to ask for them again.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn withdraw_scopes(
    oauth: &OAuth,
    user: &UserId,
    app: &AppId,
    scopes: &Scope,
) -> Result<(), DbError> {
    let input = (app.clone(), user.clone(), scopes.clone(), oauth.ctx().clone());
    let unit = oauth.ctx().db.write(input, |tx, (app, user, scopes, ctx)| {
        Box::pin(async move {
            let event = Event::new(Action::Update, CONSENT, app.as_str());
            let event = event.after(json!({ "withdrawn": scopes }));
            record(tx, ctx, &Actor::user(user), &event);
            for scope in scopes.tokens() {
                store::revoke_scope(tx, (user, app), scope, ctx.now()).await?;
            }
            store::forget_scopes(tx, (user, app), scopes).await
        })
    });
    unit.await
}

/// Remembers that a user agreed to what an app asked for.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::oauth) async fn remember(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    user: &UserId,
    (app, scope): (&AppId, &Scope),
) -> Result<(), DbError> {
    let event = Event::new(Action::Create, CONSENT, app.as_str());
    let actor = Actor::user(user).by(app);
    record(tx, ctx, &actor, &event.after(json!({ "scope": scope })));
    store_tokens::remember_consent(tx, user, app, scope, ctx.now()).await
}

/// Takes back whatever a user gave an app: its tokens end at once, and it has to ask again.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn withdraw(oauth: &OAuth, user: &UserId, app: &AppId) -> Result<(), DbError> {
    let input = (app.clone(), user.clone(), oauth.ctx().clone());
    let unit = oauth.ctx().db.write(input, |tx, (app, user, ctx)| {
        Box::pin(async move {
            let now = ctx.now();
            let event = Event::new(Action::Delete, CONSENT, app.as_str());
            record(tx, ctx, &Actor::user(user), &event);
            store_logout::revoke_pair(tx, (app, user), now, now).await?;
            store::forget_consent(tx, user, app).await
        })
    });
    unit.await
}
