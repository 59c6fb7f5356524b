//! What is recorded of changes to apps. No secret, and no digest of one.

use serde_json::json;

use crate::apps::manage::told;
use crate::apps::new_app::NewApp;
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
    (action, before): (Action, Option<&NewApp>),
    app: &NewApp,
) {
    let event = Event::new(action, TYPE, app.id.as_str()).of(&app.account).after(told(app));
    record(tx, ctx, actor, &Event { before: before.map(told), ..event });
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
