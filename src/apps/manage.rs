//! Apps over the API: those of an account for its administrators, their own for developers.
//!
//! What needs somebody else's yes ([`crate::apps::changes`]) is asked for in
//! [`crate::apps::reviews`].

use serde_json::{Value, json};

use crate::apps::changes::{Role, Wanted, check, needs_review, status_needs_review};
use crate::apps::edit::Edit;
use crate::apps::error::{AppError, ManageError};
use crate::apps::model::{Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::registration::write_removed;
use crate::apps::reviews::State;
use crate::apps::secrets::NewSecret;
use crate::apps::service::{Apps, refusal, write_new};
use crate::apps::{narrowing, store, store_manage};
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, AppId, UserId};
use crate::base::secret::Secret;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::administrators;
use crate::policy::attributes::Attributes;
use crate::policy::filter::{Columns, Filter};
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::{AccountAdmin, DevelopApps};

/// Most apps of one account that are registered over the API.
pub const APPS_MAX: i64 = 500;

/// What policies may ask of an app as a resource.
pub(in crate::apps) const COLUMNS: Columns =
    Columns::new(&[("resource.id", "a.id"), ("resource.type", "'app'")]);

/// By what right somebody administers apps.
#[derive(Clone, Debug)]
pub enum Right {
    /// All of the account.
    Administrator(Permit<AccountAdmin>),
    /// Those that they registered themselves.
    Developer(Permit<DevelopApps>),
}

/// Somebody who administers apps.
#[derive(Clone, Debug)]
pub struct Manager {
    right: Right,
    is_beyond: fn(&str) -> bool,
}

/// An app as those see it who administer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// What is registered.
    pub app: NewApp,
    /// Who registered it over the API.
    pub registered_by: Option<UserId>,
    /// Whether the platform switched it off.
    pub is_suspended: bool,
    /// Who of the account switched it off.
    pub disabled_by: Option<UserId>,
    /// Where its review stands, if one was asked for.
    pub review: Option<State>,
}

/// Which apps are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppQuery {
    /// Only those whose title begins so. Upper and lower case differ.
    pub title_prefix: Option<String>,
    /// Only those after this one, by id.
    pub after: Option<AppId>,
    /// At most so many.
    pub limit: u32,
}

pub(in crate::apps) fn resource(id: &AppId) -> Attributes {
    Attributes::new().with(RESOURCE, "id", id.as_str()).with(RESOURCE, "type", "app")
}

impl Manager {
    /// Somebody who has this right. `is_beyond` tells the scopes that they do not give by themselves.
    pub fn new(right: Right, is_beyond: fn(&str) -> bool) -> Self {
        Self { right, is_beyond }
    }

    /// Who acts, for the record.
    pub fn actor(&self) -> &Actor {
        match &self.right {
            Right::Administrator(permit) => permit.actor(),
            Right::Developer(permit) => permit.actor(),
        }
    }

    /// Where.
    pub fn account(&self) -> &AccountId {
        match &self.right {
            Right::Administrator(permit) => permit.account(),
            Right::Developer(permit) => permit.account(),
        }
    }

    /// Who.
    pub fn user(&self) -> &UserId {
        match &self.right {
            Right::Administrator(permit) => permit.user(),
            Right::Developer(permit) => permit.user(),
        }
    }

    pub(in crate::apps) fn role(&self) -> Role {
        match &self.right {
            Right::Administrator(_) => Role::Administrator,
            Right::Developer(_) => Role::Developer,
        }
    }

    fn allows(&self, id: &AppId) -> bool {
        match &self.right {
            Right::Administrator(permit) => permit.allows(&resource(id)),
            Right::Developer(permit) => permit.allows(&resource(id)),
        }
    }

    fn filter(&self, first_param: usize) -> Filter {
        match &self.right {
            Right::Administrator(permit) => permit.filter(&COLUMNS, first_param),
            Right::Developer(permit) => permit.filter(&COLUMNS, first_param),
        }
    }

    /// Whose apps are seen; `None`: everybody's.
    fn only(&self) -> Option<&UserId> {
        match &self.right {
            Right::Administrator(_) => None,
            Right::Developer(permit) => Some(permit.user()),
        }
    }

    fn may_see(&self, managed: &Managed) -> bool {
        let is_theirs = self.only().is_none_or(|own| managed.registered_by.as_ref() == Some(own));
        is_theirs && self.allows(&managed.app.id)
    }

    /// Software never sets its own status, allow-list or scopes, whoever uses it.
    pub(in crate::apps) fn keeps_off(&self, id: &AppId) -> Result<(), ManageError> {
        keeps_off(self.actor(), id)
    }
}

/// See [`Manager::keeps_off`].
pub(in crate::apps) fn keeps_off(actor: &Actor, id: &AppId) -> Result<(), ManageError> {
    if actor.app.as_ref() == Some(id) { Err(ManageError::OwnApp) } else { Ok(()) }
}

/// What is recorded of an app.
pub(in crate::apps) fn told(app: &NewApp) -> Value {
    json!({ "status": app.status, "icon_url": app.icon_url, "registration": Wanted::of(app) })
}

impl Apps {
    /// A page of the apps that somebody administers, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn managed_list(
        &self,
        by: &Manager,
        query: &AppQuery,
    ) -> Result<Vec<Managed>, DbError> {
        let filter = by.filter(store_manage::FIRST_FREE);
        store_manage::list(&self.ctx.db, (by.account(), by.only()), query, filter).await
    }

    /// The app, if they administer it.
    ///
    /// # Errors
    /// [`ManageError::Unknown`].
    pub async fn managed(&self, by: &Manager, id: &AppId) -> Result<Managed, ManageError> {
        let found = store_manage::find(&self.ctx.db, by.account(), id).await?;
        found.filter(|managed| by.may_see(managed)).ok_or(ManageError::Unknown)
    }

    /// Registers an app in development. A confidential one gets a secret, which is shown here and
    /// nowhere else.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_new(
        &self,
        by: &Manager,
        edit: Edit,
    ) -> Result<(Managed, Option<Secret>), ManageError> {
        let id = self.new_id();
        if !by.allows(&id) {
            return Err(ManageError::Denied);
        }
        let fresh = NewApp::new(id, by.account().clone(), "");
        let app = edit.over(fresh.clone());
        check(&fresh, &app, true)?;
        if needs_review((&fresh, &app), by.role(), by.is_beyond) {
            return Err(ManageError::NeedsReview("the app may not begin with so much"));
        }
        let secret = (app.kind == Kind::Confidential).then(|| Secret::generate(self.ctx.entropy()));
        let sealed = secret.as_ref().map(|secret| self.sealed(&secret.into()));
        let (ctx, by_them) = (self.ctx.clone(), by.clone());
        let new = New { ctx, by: by_them, app: app.clone(), secret: sealed };
        self.ctx.db.write(new, |tx, new| Box::pin(write_managed(tx, new))).await?;
        let registered_by = Some(by.user().clone());
        let made =
            Managed { app, registered_by, is_suspended: false, disabled_by: None, review: None };
        Ok((made, secret))
    }

    /// Changes an app.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_edit(
        &self,
        by: &Manager,
        id: &AppId,
        edit: Edit,
    ) -> Result<Managed, ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone(), edit);
        self.ctx
            .db
            .write(input, |tx, (ctx, by, id, edit)| {
                Box::pin(async move {
                    let before = held(tx, by, id).await?;
                    let after = edit.clone().over(before.app.clone());
                    check(&before.app, &after, false)?;
                    if needs_review((&before.app, &after), by.role(), by.is_beyond) {
                        return Err(ManageError::NeedsReview("not everybody may change this"));
                    }
                    replace(tx, ctx, by.actor(), (&before.app, &after)).await?;
                    Ok(Managed { app: after, ..before })
                })
            })
            .await
    }

    /// Switches an app on or off.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_status(
        &self,
        by: &Manager,
        id: &AppId,
        status: Status,
    ) -> Result<Managed, ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone(), status);
        self.ctx
            .db
            .write(input, |tx, (ctx, by, id, status)| {
                Box::pin(async move {
                    let before = held(tx, by, id).await?;
                    if before.is_suspended && *status != Status::Disabled {
                        return Err(ManageError::NeedsReview("the platform suspended the app"));
                    }
                    let is_own = before.disabled_by.as_ref() == Some(by.user());
                    if status_needs_review(&before.app, *status, by.role(), is_own) {
                        return Err(ManageError::NeedsReview("the app was not looked at"));
                    }
                    let after = NewApp { status: *status, ..before.app.clone() };
                    check(&before.app, &after, false)?;
                    replace(tx, ctx, by.actor(), (&before.app, &after)).await?;
                    let is_off = *status == Status::Disabled;
                    let already = before.disabled_by.clone().filter(|_| is_off);
                    let disabled_by = already.or_else(|| is_off.then(|| by.user().clone()));
                    store_manage::set_disabled_by(tx, id, disabled_by.as_ref()).await?;
                    Ok(Managed { app: after, disabled_by, ..before })
                })
            })
            .await
    }

    /// Deletes an app with everything that users gave it; its tokens end at once.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_delete(&self, by: &Manager, id: &AppId) -> Result<(), ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone());
        self.ctx
            .db
            .write(input, |tx, (ctx, by, id)| {
                Box::pin(async move {
                    let before = held(tx, by, id).await?;
                    let event = Event::new(Action::Delete, "app", id.as_str()).of(by.account());
                    record(tx, ctx, by.actor(), &event.before(told(&before.app)));
                    Ok(write_removed(tx, id).await?)
                })
            })
            .await
    }
}

struct New {
    ctx: Ctx,
    by: Manager,
    app: NewApp,
    secret: Option<NewSecret>,
}

async fn write_managed(tx: &mut Tx<'_>, new: &New) -> Result<(), ManageError> {
    // Nobody counts beside another.
    administrators::lock(tx, new.by.account()).await?;
    if store_manage::count(tx, new.by.account()).await? >= APPS_MAX {
        return Err(ManageError::TooMany);
    }
    write_new(tx, &new.app, new.secret.as_ref(), new.ctx.now()).await?;
    store_manage::set_registrant(tx, &new.app.id, new.by.user()).await?;
    let event = Event::new(Action::Create, "app", new.app.id.as_str()).of(new.by.account());
    record(tx, &new.ctx, new.by.actor(), &event.after(told(&new.app)));
    Ok(())
}

/// The app that somebody is about to change, held until the unit ends.
pub(in crate::apps) async fn held(
    tx: &mut Tx<'_>,
    by: &Manager,
    id: &AppId,
) -> Result<Managed, ManageError> {
    if !store::hold(tx, id).await? {
        return Err(ManageError::Unknown);
    }
    let found = store_manage::find(&mut *tx, by.account(), id).await?;
    let managed = found.filter(|managed| by.may_see(managed)).ok_or(ManageError::Unknown)?;
    by.keeps_off(id)?;
    Ok(managed)
}

/// Makes an app be so, and has it told if fewer people may use it.
pub(in crate::apps) async fn replace(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    actor: &Actor,
    (before, after): (&NewApp, &NewApp),
) -> Result<(), AppError> {
    let now = ctx.now();
    let event = Event::new(Action::Update, "app", after.id.as_str()).of(&after.account);
    record(tx, ctx, actor, &event.before(told(before)).after(told(after)));
    narrowing::tell(tx, (before, after), now).await?;
    store::update(tx, after, now).await.map_err(refusal)?;
    tx.touch(Topic::Apps);
    Ok(())
}
