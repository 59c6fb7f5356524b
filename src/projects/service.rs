//! What may be asked and told about projects.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::accounts::tenancy::Tenancy;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, ProjectId};
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::{Fetch, Tx};
use crate::policy::administrators::lock;
use crate::policy::filter::Columns;
use crate::policy::model::Declared;
use crate::policy::permit::Permit;
use crate::policy::privilege::{ProjectAdmin, ReadData};
use crate::policy::reach::Reach;
use crate::projects::deletion::KEPT;
use crate::projects::model::{KIND, NewProject, Project, ProjectChange, ProjectError, resource};
use crate::projects::store::{self, Which};

/// The most that [`Projects::count`] counts to: whoever has more is told this.
pub const COUNT_MAX: u32 = 10_000;

/// The attributes of a project as a resource, as columns: the same as [`resource`] makes of it.
const COLUMNS: Columns = Columns::new(&[
    ("resource.id", "p.id"),
    ("resource.dataset", "p.id"),
    ("resource.type", "'project'"),
]);

/// Which projects are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectQuery {
    /// Only those whose name begins so. Upper and lower case differ.
    pub name_prefix: Option<String>,
    /// Only these; all if empty.
    pub ids: Vec<ProjectId>,
    /// Only those after this one, by id. [`Projects::count`] does not look at it.
    pub after: Option<ProjectId>,
    /// At most so many. [`Projects::count`] does not look at it.
    pub limit: u32,
}

impl ProjectQuery {
    fn which(&self) -> Which<'_> {
        Which { name_prefix: self.name_prefix.as_deref().unwrap_or_default(), ids: &self.ids }
    }
}

/// The projects of all accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Projects {
    pub(in crate::projects) ctx: Ctx,
}

impl Projects {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx) -> Self {
        Self { ctx: ctx.clone() }
    }

    /// The projects that the caller may see, by id. What the policies hide is not fetched.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn list(
        &self,
        permit: &Permit<ReadData>,
        query: &ProjectQuery,
    ) -> Result<Vec<Project>, DbError> {
        let which = query.which();
        let filter = permit.filter(&COLUMNS, which.first_free());
        let page = (query.after.as_ref(), query.limit);
        store::list(&self.ctx.db, permit.account(), which, page, filter).await
    }

    /// At most `limit` projects that are within reach after `after`, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn within(
        &self,
        reach: &Reach,
        after: Option<&ProjectId>,
        limit: u32,
    ) -> Result<Vec<Project>, DbError> {
        let which = Which { name_prefix: "", ids: &[] };
        let filter = reach.filter(&COLUMNS, which.first_free());
        store::list(&self.ctx.db, reach.account(), which, (after, limit), filter).await
    }

    /// How many projects the caller may see, up to [`COUNT_MAX`], page or no page.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn count(
        &self,
        permit: &Permit<ReadData>,
        query: &ProjectQuery,
    ) -> Result<i64, DbError> {
        let which = query.which();
        let filter = permit.filter(&COLUMNS, which.first_free());
        store::count(&self.ctx.db, permit.account(), which, COUNT_MAX, filter).await
    }

    /// The project, if there is one that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn get(
        &self,
        permit: &Permit<ReadData>,
        id: &ProjectId,
    ) -> Result<Option<Project>, DbError> {
        if !permit.allows(&resource(id)) {
            return Ok(None);
        }
        store::find(&self.ctx.db, permit.account(), id).await
    }

    /// Makes a project in the permit's account, with an id of its own.
    ///
    /// A privilege that holds for some projects only does not make new ones.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub async fn create(
        &self,
        permit: &Permit<ProjectAdmin>,
        project: &NewProject,
    ) -> Result<Project, ProjectError> {
        project.check()?;
        let now = self.ctx.now();
        let id = project.id.clone().unwrap_or_else(|| ProjectId::generate(now, self.ctx.entropy()));
        if !permit.allows(&resource(&id)) {
            return Err(ProjectError::Denied);
        }
        let by = (self.ctx.clone(), permit.actor().clone());
        let input = (permit.account().clone(), id, project.clone(), now, by);
        self.ctx
            .db
            .write(input, |tx, (account, id, project, now, (ctx, actor))| {
                Box::pin(async move {
                    let made = insert(tx, account, (id, project), *now).await?;
                    let event = Event::new(Action::Create, KIND, id.as_str()).of(account);
                    record(tx, ctx, actor, &event.after(shown(&made)));
                    Ok(made)
                })
            })
            .await
    }

    /// Changes what a project says of itself.
    ///
    /// # Errors
    /// [`ProjectError`].
    pub async fn change(
        &self,
        tenancy: &Tenancy,
        permit: &Permit<ProjectAdmin>,
        (id, change): (&ProjectId, &ProjectChange),
    ) -> Result<Project, ProjectError> {
        if !permit.allows(&resource(id)) {
            return Err(ProjectError::Unknown);
        }
        let owner = tenancy.owner_of(permit.account()).await?;
        let by = (self.ctx.clone(), permit.actor().clone(), owner);
        let input = (permit.account().clone(), id.clone(), change.clone(), by);
        self.ctx
            .db
            .write(input, |tx, (account, id, change, (ctx, actor, owner))| {
                Box::pin(async move {
                    // Of two who change it at once neither undoes what the other did.
                    lock(tx, account).await?;
                    let before = store::find(&mut *tx, account, id).await?;
                    let before = before.ok_or(ProjectError::Unknown)?;
                    let after = changed(tx, &before, change, ctx.now()).await?;
                    let event = Event::new(Action::Update, KIND, id.as_str()).of(account);
                    let event = event.before(shown(&before)).after(shown(&after));
                    record(tx, ctx, actor, &event);
                    if before.deletion_at.is_some() && after.deletion_at.is_none() {
                        owner.tell_of_project(tx, KEPT, (id, ctx.now())).await?;
                    }
                    Ok(after)
                })
            })
            .await
    }

    /// What [`Projects::declare`] would do. In an account that is yet to be declared, a project is
    /// [`Declared::Created`].
    ///
    /// # Errors
    /// As [`Projects::declare`], except for what only the database can tell.
    pub async fn compare(
        &self,
        account: &AccountId,
        project: &NewProject,
    ) -> Result<Declared, ProjectError> {
        project.check()?;
        let found = find_declared(&self.ctx.db, account, project).await?;
        let namesake = store::find_named(&self.ctx.db, account, &project.name).await?;
        outcome(found.as_ref(), namesake.as_ref(), project)
    }

    /// Makes the project be so, on behalf of the operator, and tells its id.
    ///
    /// # Errors
    /// [`ProjectError`] except `Denied`.
    pub async fn declare(
        &self,
        account: &AccountId,
        project: &NewProject,
    ) -> Result<(ProjectId, Declared), ProjectError> {
        project.check()?;
        let now = self.ctx.now();
        let fresh =
            project.id.clone().unwrap_or_else(|| ProjectId::generate(now, self.ctx.entropy()));
        self.ctx
            .db
            .write((self.ctx.clone(), account.clone(), fresh, project.clone()), |tx, input| {
                let (ctx, account, fresh, project) = input;
                Box::pin(write(tx, ctx, account, (fresh, project)))
            })
            .await
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, project): (&ProjectId, &NewProject),
    now: DateTime<Utc>,
) -> Result<Project, ProjectError> {
    if store::find_named(&mut *tx, account, &project.name).await?.is_some() {
        return Err(ProjectError::NameTaken);
    }
    store::insert(tx, account, (id, project), now).await.map_err(|error| match error {
        // The name was free a moment ago; on PostgreSQL another transaction may have taken it.
        DbError::Duplicate(_) if project.id.is_none() => ProjectError::NameTaken,
        DbError::Duplicate(_) => ProjectError::IdTaken(id.clone()),
        DbError::Refused(_) => ProjectError::UnknownAccount(account.clone()),
        other => ProjectError::Internal(other),
    })?;
    Ok(Project {
        id: id.clone(),
        account: account.clone(),
        name: project.name.clone(),
        description: project.description.clone(),
        deletion_at: None,
        created_at: now,
        updated_at: now,
    })
}

/// A project in the record.
fn shown(project: &Project) -> Value {
    let mut shown = json!({ "name": project.name, "description": project.description });
    if let (Some(at), Some(members)) = (project.deletion_at, shown.as_object_mut()) {
        members.insert("deletionDate".to_owned(), at.to_rfc3339().into());
    }
    shown
}

async fn changed(
    tx: &mut Tx<'_>,
    before: &Project,
    change: &ProjectChange,
    now: DateTime<Utc>,
) -> Result<Project, ProjectError> {
    let wanted = NewProject {
        id: Some(before.id.clone()),
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        description: change.description.clone().unwrap_or_else(|| before.description.clone()),
    };
    wanted.check()?;
    let namesake = store::find_named(&mut *tx, &before.account, &wanted.name).await?;
    if namesake.is_some_and(|other| other.id != before.id) {
        return Err(ProjectError::NameTaken);
    }
    store::update(tx, &before.account, (&before.id, &wanted), now).await.map_err(|error| {
        match error {
            // The name was free a moment ago; on PostgreSQL another transaction may have taken it.
            DbError::Duplicate(_) => ProjectError::NameTaken,
            other => ProjectError::Internal(other),
        }
    })?;
    if change.stays {
        store::set_deletion(tx, &before.account, &before.id, (None, now)).await?;
    }
    let NewProject { name, description, .. } = wanted;
    let deletion_at = before.deletion_at.filter(|_| !change.stays);
    Ok(Project { name, description, deletion_at, updated_at: now, ..before.clone() })
}

async fn write(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: &AccountId,
    (fresh, project): (&ProjectId, &NewProject),
) -> Result<(ProjectId, Declared), ProjectError> {
    let found = find_declared(&mut *tx, account, project).await?;
    let namesake = store::find_named(&mut *tx, account, &project.name).await?;
    let outcome = outcome(found.as_ref(), namesake.as_ref(), project)?;
    let id = found.as_ref().map_or_else(|| fresh.clone(), |found| found.id.clone());
    let after = json!({ "name": project.name, "description": project.description });
    let event = |action| Event::new(action, KIND, id.as_str()).of(account).after(after);
    match (outcome, &found) {
        (Declared::Unchanged, _) => {}
        (Declared::Updated, Some(found)) => {
            store::update(tx, account, (&id, project), ctx.now()).await?;
            let event = event(Action::Update).before(shown(found));
            record(tx, ctx, &Actor::operator(), &event);
        }
        (Declared::Created | Declared::Updated, _) => {
            insert(tx, account, (&id, project), ctx.now()).await?;
            record(tx, ctx, &Actor::operator(), &event(Action::Create));
        }
    }
    Ok((id, outcome))
}

/// The project that is meant: by its id, or else by its name.
async fn find_declared(
    db: impl Fetch,
    account: &AccountId,
    project: &NewProject,
) -> Result<Option<Project>, DbError> {
    match &project.id {
        Some(id) => store::find(db, account, id).await,
        None => store::find_named(db, account, &project.name).await,
    }
}

fn outcome(
    found: Option<&Project>,
    namesake: Option<&Project>,
    wanted: &NewProject,
) -> Result<Declared, ProjectError> {
    if namesake.is_some_and(|other| found.is_none_or(|found| found.id != other.id)) {
        return Err(ProjectError::NameTaken);
    }
    let Some(found) = found else { return Ok(Declared::Created) };
    let same = found.name == wanted.name && found.description == wanted.description;
    Ok(if same { Declared::Unchanged } else { Declared::Updated })
}
