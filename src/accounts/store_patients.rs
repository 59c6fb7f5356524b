//! Which Patients the members of an account are, in SQL.

use chrono::{DateTime, Utc};

use crate::accounts::invitations::model::Patient;
use crate::accounts::patients::Mapping;
use crate::base::id::{AccountId, PatientId, ProjectId, UserId};
use crate::db::error::DbError;
use crate::db::query::{built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;

const TABLE: &str = "patient_mappings";
/// The first parameter that is free for a filter of [`list`].
pub(in crate::accounts) const FIRST_FREE: usize = 6;

/// Notes that a user is a Patient of a project of the account; whether that is new.
pub(in crate::accounts) async fn map(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (user, patient): (&UserId, &Patient),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("INSERT INTO patient_mappings
               (account_id, user_id, project_id, patient_id, mapped_at)
         SELECT p.account_id, $2, p.id, $4, $5 FROM projects p
          WHERE p.account_id = $1 AND p.id = $3
             ON CONFLICT (account_id, user_id, project_id, patient_id) DO NOTHING");
    let query = query.bind(account).bind(user).bind(&patient.project).bind(patient.id.as_str());
    Ok(tx.execute(query.bind(now)).await?.affected == 1)
}

/// A page of the Patients that a user is in the account, for which `filter` holds, by project.
pub(in crate::accounts) async fn list(
    db: impl Fetch,
    (account, user): (&AccountId, &UserId),
    (after, limit): (Option<&Patient>, u32),
    filter: Filter,
) -> Result<Vec<Mapping>, DbError> {
    let query = built_sql(format!(
        "SELECT p.project_id, j.name AS project_name, p.patient_id, p.mapped_at
           FROM patient_mappings p
           JOIN projects j ON j.id = p.project_id
          WHERE p.account_id = $1 AND p.user_id = $2
            AND (p.project_id > $3 OR (p.project_id = $3 AND p.patient_id > $4))
            AND {}
          ORDER BY p.project_id, p.patient_id LIMIT ($5 + 0)",
        filter.sql
    ));
    let query = query
        .bind(account)
        .bind(user)
        .bind(after.map_or("", |last| last.project.as_str()))
        .bind(after.map_or("", |last| last.id.as_str()))
        .bind(limit)
        .bind_all(filter.params);
    let rows = db.fetch_all(query).await?;
    let read = rows.iter().map(|row| {
        let project = row.parsed(TABLE, "project_id")?;
        let patient = Patient { project, id: row.parsed(TABLE, "patient_id")? };
        let project_name = row.get("project_name")?;
        Ok(Mapping { patient, project_name, mapped_at: row.time("mapped_at")? })
    });
    read.collect()
}

/// The projects of the account in which a user is this Patient.
pub(in crate::accounts) async fn projects_of(
    db: impl Fetch,
    (account, user): (&AccountId, &UserId),
    patient: &PatientId,
) -> Result<Vec<ProjectId>, DbError> {
    let query = sql("SELECT project_id FROM patient_mappings
          WHERE account_id = $1 AND user_id = $2 AND patient_id = $3 ORDER BY project_id");
    let rows = db.fetch_all(query.bind(account).bind(user).bind(patient.as_str())).await?;
    rows.iter().map(|row| row.parsed(TABLE, "project_id")).collect()
}

/// Makes a user no longer a Patient of a project of the account; whether they were.
pub(in crate::accounts) async fn unmap(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    patient: &Patient,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM patient_mappings
          WHERE account_id = $1 AND user_id = $2 AND project_id = $3 AND patient_id = $4");
    let query = query.bind(account).bind(user).bind(&patient.project).bind(patient.id.as_str());
    Ok(tx.execute(query).await?.affected == 1)
}
