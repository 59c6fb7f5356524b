//! The end of projects: after a grace period in which everything works as before, or at once.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

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
/// Most projects that are purged in one go.
const PROJECTS_MAX: u32 = 100;

/// A unit of work about one project.
struct Work {
    ctx: Ctx,
    account: AccountId,
    actor: Actor,
    id: ProjectId,
    now: DateTime<Utc>,
}

impl Work {
    fn note(&self, tx: &mut Tx<'_>, event: Event) {
        record(tx, &self.ctx, &self.actor, &event.of(&self.account));
    }

    async fn find(&self, tx: &mut Tx<'_>) -> Result<Project, ProjectError> {
        let found = store::find(&mut *tx, &self.account, &self.id).await?;
        found.ok_or(ProjectError::Unknown)
    }
}

impl Projects {
    fn work(&self, permit: &Permit<ProjectAdmin>, id: &ProjectId) -> Result<Work, ProjectError> {
        if !permit.allows(&resource(id)) {
            return Err(ProjectError::Unknown);
        }
        Ok(Work {
            ctx: self.ctx.clone(),
            account: permit.account().clone(),
            actor: permit.actor().clone(),
            id: id.clone(),
            now: self.ctx.now(),
        })
    }

    /// Has a project deleted when its grace period is over, and until then keeps all as it is;
    /// asking again changes nothing.
    ///
    /// # Errors
    /// [`ProjectError::Unknown`], or [`ProjectError::Internal`].
    pub async fn ask_deletion(
        &self,
        permit: &Permit<ProjectAdmin>,
        id: &ProjectId,
    ) -> Result<(), ProjectError> {
        let work = self.work(permit, id)?;
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
        permit: &Permit<ProjectAdmin>,
        id: &ProjectId,
    ) -> Result<(), ProjectError> {
        let work = self.work(permit, id)?;
        let unit = self.ctx.db.write(work, |tx, work| {
            Box::pin(async move {
                let project = work.find(tx).await?;
                if !store::delete(tx, &work.account, &work.id).await? {
                    return Err(ProjectError::Unknown);
                }
                let event = Event::new(Action::Delete, KIND, work.id.as_str())
                    .before(json!({ "name": project.name }));
                work.note(tx, event);
                tx.touch(Topic::Accounts).await?;
                Ok(())
            })
        });
        unit.await
    }

    /// Deletes projects for good whose grace period is over, a bounded number, and tells how many.
    /// Any node does it, and all may at once.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn purge_due(&self) -> Result<usize, DbError> {
        let now = self.ctx.now();
        let due = store::due(&self.ctx.db, now, PROJECTS_MAX).await?;
        let mut purged = 0;
        for (account, id) in due {
            let (ctx, actor) = (self.ctx.clone(), Actor::operator());
            let work = Work { ctx, account, actor, id, now };
            let unit = self.ctx.db.write(work, |tx, work| {
                Box::pin(async move {
                    // Whoever took it back meanwhile was in time.
                    if !store::delete_due(tx, &work.account, &work.id, work.now).await? {
                        return Ok::<_, DbError>(false);
                    }
                    work.note(tx, Event::new(Action::Delete, KIND, work.id.as_str()));
                    // What policies know of those who are patients in it goes with it.
                    tx.touch(Topic::Accounts).await?;
                    Ok(true)
                })
            });
            purged += usize::from(unit.await?);
        }
        Ok(purged)
    }
}
