//! The end of projects: after a grace period in which everything works as before, or at once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::accounts::owner::Owner;
use crate::accounts::tenancy::Tenancy;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, ProjectId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::permit::Permit;
use crate::policy::privilege::ProjectAdmin;
use crate::projects::model::{KIND, Project, ProjectError, resource};
use crate::projects::service::Projects;
use crate::projects::store;

/// How long a deletion can be taken back.
pub const GRACE: TimeDelta = TimeDelta::days(14);
/// How long before the end the owner of the account is reminded.
pub const REMINDER: TimeDelta = TimeDelta::days(3);
const ASKED: &str = "mail-project-asked";
pub(in crate::projects) const KEPT: &str = "mail-project-kept";
const SOON: &str = "mail-project-soon";
const DONE: &str = "mail-project-done";
/// Most projects that are looked after in one go.
const PROJECTS_MAX: u32 = 100;

/// A unit of work about one project.
struct Work {
    ctx: Ctx,
    account: AccountId,
    actor: Actor,
    id: ProjectId,
    owner: Owner,
    now: DateTime<Utc>,
}

impl Work {
    /// Writes to the owner of the account.
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        at: DateTime<Utc>,
    ) -> Result<(), DbError> {
        self.owner.tell_of_project(tx, kind, (&self.id, at)).await
    }

    fn note(&self, tx: &mut Tx<'_>, event: Event) {
        record(tx, &self.ctx, &self.actor, &event.of(&self.account));
    }

    async fn find(&self, tx: &mut Tx<'_>) -> Result<Project, ProjectError> {
        let found = store::find(&mut *tx, &self.account, &self.id).await?;
        found.ok_or(ProjectError::Unknown)
    }
}

impl Projects {
    async fn work(
        &self,
        tenancy: &Tenancy,
        permit: &Permit<ProjectAdmin>,
        id: &ProjectId,
    ) -> Result<Work, ProjectError> {
        if !permit.allows(&resource(id)) {
            return Err(ProjectError::Unknown);
        }
        Ok(Work {
            ctx: self.ctx.clone(),
            account: permit.account().clone(),
            actor: permit.actor().clone(),
            id: id.clone(),
            owner: tenancy.owner_of(permit.account()).await?,
            now: self.ctx.now(),
        })
    }

    fn due_work(&self, (account, id): (AccountId, ProjectId), owner: Owner) -> Work {
        let (ctx, now) = (self.ctx.clone(), self.ctx.now());
        Work { ctx, account, actor: Actor::operator(), id, owner, now }
    }

    /// Has a project deleted when its grace period is over, and until then keeps all as it is; the
    /// owner of the account is told. Asking again changes nothing.
    ///
    /// # Errors
    /// [`ProjectError::Unknown`], or [`ProjectError::Internal`].
    pub async fn ask_deletion(
        &self,
        tenancy: &Tenancy,
        permit: &Permit<ProjectAdmin>,
        id: &ProjectId,
    ) -> Result<(), ProjectError> {
        let work = self.work(tenancy, permit, id).await?;
        let unit = self.ctx.db.write(work, |tx, work| {
            Box::pin(async move {
                let project = work.find(tx).await?;
                let at = work.now + GRACE;
                let (account, id) = (&work.account, &work.id);
                if store::set_deletion(tx, account, id, (Some(at), work.now)).await? {
                    let event = Event::new(Action::Update, KIND, id.as_str())
                        .before(json!({ "name": project.name, "status": "ACTIVE" }))
                        .after(json!({ "status": "PENDING_DELETION", "deletionDate": at.to_rfc3339() }));
                    work.note(tx, event);
                    work.tell(tx, ASKED, at).await?;
                }
                Ok(())
            })
        });
        unit.await
    }

    /// Deletes a project for good, at once.
    ///
    /// # Errors
    /// [`ProjectError::Unknown`], or [`ProjectError::Internal`].
    pub async fn delete(
        &self,
        tenancy: &Tenancy,
        permit: &Permit<ProjectAdmin>,
        id: &ProjectId,
    ) -> Result<(), ProjectError> {
        let work = self.work(tenancy, permit, id).await?;
        let unit = self.ctx.db.write(work, |tx, work| {
            Box::pin(async move {
                let project = work.find(tx).await?;
                if !store::delete(tx, &work.account, &work.id).await? {
                    return Err(ProjectError::Unknown);
                }
                let event = Event::new(Action::Delete, KIND, work.id.as_str())
                    .before(json!({ "name": project.name }));
                work.note(tx, event);
                work.tell(tx, DONE, work.now).await?;
                tx.touch(Topic::Accounts);
                Ok(())
            })
        });
        unit.await
    }

    /// Reminds the owners of accounts of projects that will be deleted soon, each once, and says how
    /// many there were.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn remind_of_deletions(&self, tenancy: &Tenancy) -> Result<usize, DbError> {
        let now = self.ctx.now();
        let mut reminded = 0;
        let soon = (now, now + REMINDER);
        for due in store::to_remind(&self.ctx.db, soon, PROJECTS_MAX).await? {
            let owner = tenancy.owner_of(&due.0).await?;
            let unit = self.ctx.db.write(self.due_work(due, owner), |tx, work| {
                Box::pin(async move {
                    let found = store::find(&mut *tx, &work.account, &work.id).await?;
                    let Some(at) = found.and_then(|project| project.deletion_at) else {
                        return Ok(false);
                    };
                    if !store::remind(tx, &work.account, &work.id, work.now).await? {
                        return Ok(false);
                    }
                    work.tell(tx, SOON, at).await?;
                    Ok::<_, DbError>(true)
                })
            });
            reminded += usize::from(unit.await?);
        }
        Ok(reminded)
    }

    /// Deletes projects for good whose grace period is over, a bounded number, and tells how many.
    /// Any node does it, and all may at once.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn purge_due(&self, tenancy: &Tenancy) -> Result<usize, DbError> {
        let now = self.ctx.now();
        let due = store::due(&self.ctx.db, now, PROJECTS_MAX).await?;
        let mut purged = 0;
        for due in due {
            let owner = tenancy.owner_of(&due.0).await?;
            let unit = self.ctx.db.write(self.due_work(due, owner), |tx, work| {
                Box::pin(async move {
                    // Whoever took it back meanwhile was in time.
                    if !store::delete_due(tx, &work.account, &work.id, work.now).await? {
                        return Ok::<_, DbError>(false);
                    }
                    work.note(tx, Event::new(Action::Delete, KIND, work.id.as_str()));
                    work.tell(tx, DONE, work.now).await?;
                    // What policies know of those who are patients in it goes with it.
                    tx.touch(Topic::Accounts);
                    Ok(true)
                })
            });
            purged += usize::from(unit.await?);
        }
        Ok(purged)
    }
}
