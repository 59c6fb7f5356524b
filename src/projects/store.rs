//! The rows of projects.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, ProjectId};
use crate::db::error::DbError;
use crate::db::query::{Param, Query, Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;
use crate::projects::model::{NewProject, Project};

macro_rules! columns {
    () => {
        "id, account_id, name, description, deletion_at, created_at, updated_at FROM projects"
    };
}

/// Which rows of an account, besides what its policies say.
#[derive(Clone, Copy, Debug)]
pub(in crate::projects) struct Which<'q> {
    pub(in crate::projects) name_prefix: &'q str,
    /// All if empty.
    pub(in crate::projects) ids: &'q [ProjectId],
}

impl Which<'_> {
    /// The first parameter that is free for the filter of [`list`] and [`count`].
    pub(in crate::projects) fn first_free(self) -> usize {
        5 + self.ids.len()
    }

    /// `$1` account, `$2` after, `$3` name, `$4` limit, then ids, then the filter's own.
    fn condition(self, filter: &Filter) -> String {
        let ids = if self.ids.is_empty() {
            String::new()
        } else {
            let places: Vec<String> =
                (5..self.first_free()).map(|place| format!("${place}")).collect();
            format!(" AND p.id IN ({})", places.join(", "))
        };
        format!(
            "p.account_id = $1 AND p.id > $2 AND substr(p.name, 1, length($3)) = $3{ids} AND {}",
            filter.sql
        )
    }

    fn bind(self, query: Query, account: &AccountId, page: (&str, u32), filter: Filter) -> Query {
        query
            .bind(account)
            .bind(page.0)
            .bind(self.name_prefix)
            .bind(page.1)
            .bind_all(self.ids.iter().map(Param::from))
            .bind_all(filter.params)
    }
}

/// A page of the account's projects for which `filter` holds, by id.
pub(in crate::projects) async fn list(
    db: impl Fetch,
    account: &AccountId,
    which: Which<'_>,
    (after, limit): (Option<&ProjectId>, u32),
    filter: Filter,
) -> Result<Vec<Project>, DbError> {
    let query = built_sql(format!(
        "SELECT p.id, p.account_id, p.name, p.description, p.deletion_at, p.created_at, p.updated_at
           FROM projects p WHERE {} ORDER BY p.id LIMIT ($4 + 0)",
        which.condition(&filter)
    ));
    let page = (after.map(ProjectId::as_str).unwrap_or_default(), limit);
    let rows = db.fetch_all(which.bind(query, account, page, filter)).await?;
    rows.iter().map(read).collect()
}

/// How many of the account's projects there are for which `filter` holds, at most `$4`.
pub(in crate::projects) async fn count(
    db: impl Fetch,
    account: &AccountId,
    which: Which<'_>,
    count_max: u32,
    filter: Filter,
) -> Result<i64, DbError> {
    let query = built_sql(format!(
        "SELECT count(*) AS many FROM (SELECT 1 FROM projects p WHERE {} LIMIT ($4 + 0)) AS seen",
        which.condition(&filter)
    ));
    let row = db.fetch_optional(which.bind(query, account, ("", count_max), filter)).await?;
    row.map_or(Ok(0), |row| row.get("many"))
}

/// The account's project of this id.
pub(in crate::projects) async fn find(
    db: impl Fetch,
    account: &AccountId,
    id: &ProjectId,
) -> Result<Option<Project>, DbError> {
    let query = sql(concat!("SELECT ", columns!(), " WHERE account_id = $1 AND id = $2"));
    one(db, query.bind(account).bind(id)).await
}

/// The account's project of this name.
pub(in crate::projects) async fn find_named(
    db: impl Fetch,
    account: &AccountId,
    name: &str,
) -> Result<Option<Project>, DbError> {
    let query = sql(concat!("SELECT ", columns!(), " WHERE account_id = $1 AND name = $2"));
    one(db, query.bind(account).bind(name)).await
}

async fn one(db: impl Fetch, query: Query) -> Result<Option<Project>, DbError> {
    db.fetch_optional(query).await?.as_ref().map(read).transpose()
}

/// Adds a project to the account.
pub(in crate::projects) async fn insert(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, project): (&ProjectId, &NewProject),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO projects
               (id, account_id, name, description, status, deletion_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, 'ACTIVE', NULL, $5, $5)")
        .bind(id)
        .bind(account)
        .bind(&project.name)
        .bind(project.description.clone())
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Changes what the account's project says of itself.
pub(in crate::projects) async fn update(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (id, project): (&ProjectId, &NewProject),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("UPDATE projects SET name = $3, description = $4, updated_at = $5
              WHERE account_id = $1 AND id = $2")
        .bind(account)
        .bind(id)
        .bind(&project.name)
        .bind(project.description.clone())
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Says when the account's project will be deleted, or that it stays; whether that is new.
pub(in crate::projects) async fn set_deletion(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &ProjectId,
    (at, now): (Option<DateTime<Utc>>, DateTime<Utc>),
) -> Result<bool, DbError> {
    let status = if at.is_some() { "PENDING_DELETION" } else { "ACTIVE" };
    let query = sql("UPDATE projects
                        SET status = $3, deletion_at = $4, updated_at = $5, reminded_at = NULL
                      WHERE account_id = $1 AND id = $2 AND status <> $3");
    let query = query.bind(account).bind(id).bind(status).bind(at).bind(now);
    Ok(tx.execute(query).await?.affected == 1)
}

/// Removes the account's project; whether there was one.
pub(in crate::projects) async fn delete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &ProjectId,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM projects WHERE account_id = $1 AND id = $2");
    Ok(tx.execute(query.bind(account).bind(id)).await?.affected == 1)
}

/// Removes the account's project if its grace period is over; whether it was.
pub(in crate::projects) async fn delete_due(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &ProjectId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM projects WHERE account_id = $1 AND id = $2 AND deletion_at <= $3");
    Ok(tx.execute(query.bind(account).bind(id).bind(now)).await?.affected == 1)
}

/// Projects of any account whose grace period is over.
pub(in crate::projects) async fn due(
    db: impl Fetch,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<(AccountId, ProjectId)>, DbError> {
    let query = sql("SELECT account_id, id FROM projects
                      WHERE deletion_at <= $1 ORDER BY deletion_at LIMIT ($2 + 0)");
    let rows = db.fetch_all(query.bind(now).bind(limit)).await?;
    rows.iter().map(read_ids).collect()
}

/// Projects of any account that will be deleted before `until`, whose owners were not reminded.
pub(in crate::projects) async fn to_remind(
    db: impl Fetch,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    limit: u32,
) -> Result<Vec<(AccountId, ProjectId)>, DbError> {
    let query = sql("SELECT account_id, id FROM projects
                      WHERE deletion_at > $1 AND deletion_at <= $2 AND reminded_at IS NULL
                      ORDER BY deletion_at LIMIT ($3 + 0)");
    let rows = db.fetch_all(query.bind(now).bind(until).bind(limit)).await?;
    rows.iter().map(read_ids).collect()
}

/// Notes that the owner of the account is reminded of its project; `true` to exactly one caller.
pub(in crate::projects) async fn remind(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &ProjectId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE projects SET reminded_at = $3
                      WHERE account_id = $1 AND id = $2 AND deletion_at > $3
                        AND reminded_at IS NULL");
    Ok(tx.execute(query.bind(account).bind(id).bind(now)).await?.affected == 1)
}

fn read_ids(row: &Row) -> Result<(AccountId, ProjectId), DbError> {
    Ok((row.parsed("projects", "account_id")?, row.parsed("projects", "id")?))
}

fn read(row: &Row) -> Result<Project, DbError> {
    Ok(Project {
        id: row.parsed("projects", "id")?,
        account: row.parsed("projects", "account_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        deletion_at: row.optional_time("deletion_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
