//! What is recorded of changes to apps. No secret, and no digest of one.

use serde_json::json;

use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::store;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::AppId;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;

/// What the record calls an app.
const TYPE: &str = "app";

/// Records that an app was made or changed, in the record of the account that owns it.
pub(in crate::apps) fn tell_app(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    actor: &Actor,
    action: Action,
    app: &NewApp,
) {
    let event = Event::new(action, TYPE, app.id.as_str()).of(&app.account);
    let after = json!({
        "title": app.title,
        "status": app.status.as_str(),
        "type": app.kind.as_str(),
        "allowedScopes": app.allowed_scopes,
        "callbackUrls": app.callback_urls.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
    });
    record(tx, ctx, actor, &event.after(after));
}

/// Records something else about an app, in the record of the account that owns it.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub(in crate::apps) async fn tell_change(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    actor: &Actor,
    (action, what): (Action, &'static str),
    id: &AppId,
) -> Result<(), DbError> {
    let event = Event::new(action, TYPE, id.as_str()).after(json!({ "changed": what }));
    let app = store::find(&mut *tx, id).await?;
    record(tx, ctx, actor, &Event { account: app.map(|app| app.account), ..event });
    Ok(())
}
