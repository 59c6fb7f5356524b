//! Which apps may be used for an account, whoever owns them, and keeping one out: for the
//! administrators of that account.
//!
//! An account that keeps an app out is as one that is not on its allow-list, whatever that says.

use serde_json::json;

use crate::apps::error::ManageError;
use crate::apps::manage::{AppQuery, keeps_off, resource};
use crate::apps::narrowing;
use crate::apps::new_app::NewApp;
use crate::apps::service::Apps;
use crate::apps::{store, store_blocks};
use crate::audit::model::{Action, Event};
use crate::audit::service::record;
use crate::base::id::AppId;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccountAdmin;

/// An app, as an account sees it for which it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usable {
    /// What is registered.
    pub app: NewApp,
    /// Whether the account keeps it out.
    pub is_blocked: bool,
}

impl Apps {
    /// A page of the apps that may be used for the account of the permit, or could if it did not
    /// keep them out, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn usable_list(
        &self,
        permit: &Permit<AccountAdmin>,
        query: &AppQuery,
    ) -> Result<Vec<Usable>, DbError> {
        let filter = permit.filter(&store_blocks::COLUMNS, store_blocks::FIRST_FREE);
        store_blocks::list(&self.ctx.db, permit.account(), query, filter).await
    }

    /// Keeps an app out of the account, or lets it in again, for the next request on every node.
    /// What its users gave it and cannot use elsewhere is revoked.
    ///
    /// # Errors
    /// [`ManageError::Unknown`] for what [`Apps::usable_list`] does not show,
    /// [`ManageError::OwnApp`] if it is asked for through the app itself.
    pub async fn set_blocked(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &AppId,
        is_blocked: bool,
    ) -> Result<(), ManageError> {
        if !permit.allows(&resource(id)) {
            return Err(ManageError::Unknown);
        }
        let input = (self.ctx.clone(), permit.clone(), id.clone(), is_blocked);
        let unit = self.ctx.db.write(input, |tx, (ctx, permit, id, is_blocked)| {
            Box::pin(write(tx, ctx, permit, (id, *is_blocked)))
        });
        unit.await
    }
}

async fn write(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    permit: &Permit<AccountAdmin>,
    (id, is_blocked): (&AppId, bool),
) -> Result<(), ManageError> {
    let account = permit.account();
    let found = store::find(&mut *tx, id).await?;
    let is_theirs = |app: &NewApp| app.allowed_accounts.contains(account);
    if !found.as_ref().is_some_and(is_theirs) {
        return Err(ManageError::Unknown);
    }
    keeps_off(permit.actor(), id)?;
    let now = ctx.now();
    let is_new = if is_blocked {
        store_blocks::insert(tx, (id, account), now).await?
    } else {
        store_blocks::delete(tx, (id, account)).await?
    };
    if !is_new {
        return Ok(());
    }
    let event = Event::new(Action::Update, "app", id.as_str()).of(account);
    let told = |is_blocked: bool| json!({ "blocked": is_blocked });
    record(tx, ctx, permit.actor(), &event.before(told(!is_blocked)).after(told(is_blocked)));
    if is_blocked {
        narrowing::push_narrowed(tx, id, now).await?;
    }
    tx.touch(Topic::Apps);
    Ok(())
}
