//! Invitations and Patients in SQL.

use chrono::{DateTime, Utc};

use crate::accounts::invitations::model::{Invitation, NewInvitation, Patient, Status};
use crate::base::id::{AccountId, GroupId, InvitationId, ProjectId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Query, Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;
use crate::users::username::UsernameKey;
use crate::words::Language;

const TABLE: &str = "invitations";
/// The first parameter that is free for a filter of [`list`].
pub(in crate::accounts) const FIRST_FREE: usize = 5;

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT i.id, i.account_id, a.name AS account_name, i.group_id, g.name AS group_name,
                    i.project_id, p.name AS project_name, i.patient_id, i.email, i.status,
                    i.language, i.letters, i.invited_by, i.created_at, i.expires_at
               FROM invitations i
               JOIN accounts a ON a.id = i.account_id
               JOIN account_groups g ON g.id = i.group_id
               LEFT JOIN projects p ON p.id = i.project_id
              WHERE ",
            $condition
        )
    };
}

fn read(row: &Row) -> Result<Invitation, DbError> {
    let optional = |name| row.get::<Option<String>>(name);
    let patient = match optional("project_id")? {
        Some(_) => Some(Patient {
            project: row.parsed(TABLE, "project_id")?,
            id: row.parsed(TABLE, "patient_id")?,
        }),
        None => None,
    };
    let invited_by = match optional("invited_by")? {
        Some(_) => Some(row.parsed(TABLE, "invited_by")?),
        None => None,
    };
    Ok(Invitation {
        id: row.parsed(TABLE, "id")?,
        account: row.parsed(TABLE, "account_id")?,
        account_name: row.get("account_name")?,
        group: row.parsed(TABLE, "group_id")?,
        group_name: row.get("group_name")?,
        patient,
        project_name: optional("project_name")?,
        email: row.get("email")?,
        status: row.parsed(TABLE, "status")?,
        language: Language::of_tag(&row.get::<String>("language")?).unwrap_or_default(),
        letters: row.get("letters")?,
        invited_by,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

async fn one(db: impl Fetch, query: Query) -> Result<Option<Invitation>, DbError> {
    db.fetch_optional(query).await?.as_ref().map(read).transpose()
}

/// A page of the account's invitations that wait for an answer, for which `filter` holds, by id.
pub(in crate::accounts) async fn list(
    db: impl Fetch,
    account: &AccountId,
    (after, limit, now): (Option<&InvitationId>, u32, DateTime<Utc>),
    filter: Filter,
) -> Result<Vec<Invitation>, DbError> {
    let rows = db
        .fetch_all(
            built_sql(format!(
                "{} AND {} ORDER BY i.id LIMIT ($3 + 0)",
                select!("i.account_id = $1 AND i.id > $2 AND i.status = 'AWAITING' AND i.expires_at > $4"),
                filter.sql
            ))
            .bind(account)
            .bind(after.map(InvitationId::as_str).unwrap_or_default())
            .bind(limit)
            .bind(now)
            .bind_all(filter.params),
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The account's invitation of this id.
pub(in crate::accounts) async fn find(
    db: impl Fetch,
    account: &AccountId,
    id: &InvitationId,
) -> Result<Option<Invitation>, DbError> {
    one(db, sql(select!("i.account_id = $1 AND i.id = $2")).bind(account).bind(id)).await
}

/// The invitation of this id, if it is for whoever has this address.
pub(in crate::accounts) async fn find_for(
    db: impl Fetch,
    email_key: &str,
    id: &InvitationId,
) -> Result<Option<Invitation>, DbError> {
    one(db, sql(select!("i.email_key = $1 AND i.id = $2")).bind(email_key).bind(id)).await
}

/// The invitation of this id, for whoever brings the secret of its letter.
pub(in crate::accounts) async fn find_by_letter(
    db: impl Fetch,
    id: &InvitationId,
) -> Result<Option<Invitation>, DbError> {
    one(db, sql(select!("i.id = $1")).bind(id)).await
}

/// A page of the invitations of an address that wait for an answer, by id.
pub(in crate::accounts) async fn list_for(
    db: impl Fetch,
    email_key: &str,
    (after, limit, now): (Option<&InvitationId>, u32, DateTime<Utc>),
) -> Result<Vec<Invitation>, DbError> {
    let query = sql(select!(
        "i.email_key = $1 AND i.id > $2 AND i.status = 'AWAITING' AND i.expires_at > $4
         ORDER BY i.id LIMIT ($3 + 0)"
    ));
    let after = after.map(InvitationId::as_str).unwrap_or_default();
    let rows = db.fetch_all(query.bind(email_key).bind(after).bind(limit).bind(now)).await?;
    rows.iter().map(read).collect()
}

/// How many invitations of the account wait for an answer.
pub(in crate::accounts) async fn count(
    db: impl Fetch,
    account: &AccountId,
    now: DateTime<Utc>,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS number FROM invitations
          WHERE account_id = $1 AND status = 'AWAITING' AND expires_at > $2");
    let row = db.fetch_optional(query.bind(account).bind(now)).await?;
    row.map_or(Ok(0), |row| row.get("number"))
}

/// Whether the same address was invited to the same group, as the same Patient, and has not
/// answered.
pub(in crate::accounts) async fn is_invited(
    db: impl Fetch,
    account: &AccountId,
    (email_key, group, patient): (&str, &GroupId, Option<&Patient>),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("SELECT id FROM invitations
          WHERE account_id = $1 AND group_id = $2 AND email_key = $3
            AND COALESCE(project_id, '') = $4 AND COALESCE(patient_id, '') = $5
            AND status = 'AWAITING' AND expires_at > $6 LIMIT 1");
    let query = query
        .bind(account)
        .bind(group)
        .bind(email_key)
        .bind(patient.map_or("", |patient| patient.project.as_str()))
        .bind(patient.map_or("", |patient| patient.id.as_str()))
        .bind(now);
    Ok(db.fetch_optional(query).await?.is_some())
}

/// Whether the account has this project.
pub(in crate::accounts) async fn has_project(
    db: impl Fetch,
    account: &AccountId,
    project: &ProjectId,
) -> Result<bool, DbError> {
    let query = sql("SELECT id FROM projects WHERE account_id = $1 AND id = $2");
    Ok(db.fetch_optional(query.bind(account).bind(project)).await?.is_some())
}

/// Who is invited where, and by whom.
#[derive(Clone, Debug)]
pub(in crate::accounts) struct Fresh {
    pub(in crate::accounts) id: InvitationId,
    pub(in crate::accounts) group: GroupId,
    pub(in crate::accounts) patient: Option<Patient>,
    pub(in crate::accounts) email_key: String,
    pub(in crate::accounts) invited_by: UserId,
    pub(in crate::accounts) expires_at: DateTime<Utc>,
}

/// Adds an invitation, of which one letter is about to be posted.
pub(in crate::accounts) async fn insert(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (fresh, wanted): (&Fresh, &NewInvitation),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO invitations
               (id, account_id, group_id, project_id, patient_id, email, email_key, language,
                status, letters, invited_by, created_at, sent_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'AWAITING', 1, $9, $10, $10, $11)")
        .bind(&fresh.id)
        .bind(account)
        .bind(&fresh.group)
        .bind(fresh.patient.as_ref().map(|patient| patient.project.as_str()))
        .bind(fresh.patient.as_ref().map(|patient| patient.id.as_str()))
        .bind(&wanted.email)
        .bind(&fresh.email_key)
        .bind(wanted.language.code())
        .bind(&fresh.invited_by)
        .bind(now)
        .bind(fresh.expires_at),
    )
    .await?;
    Ok(())
}

/// Notes that one more letter is about to be posted, and that the invitation lasts longer; `true`
/// unless it was answered meanwhile, or there were as many letters as there may be.
pub(in crate::accounts) async fn send_again(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &InvitationId,
    (letters_max, expires_at, now): (i64, DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, DbError> {
    let query = sql("UPDATE invitations
            SET letters = letters + 1, sent_at = $5, expires_at = $4
          WHERE account_id = $1 AND id = $2 AND status = 'AWAITING' AND expires_at > $5
            AND letters < $3");
    let query = query.bind(account).bind(id).bind(letters_max).bind(expires_at).bind(now);
    Ok(tx.execute(query).await?.affected == 1)
}

/// Decides what becomes of an invitation that waits for an answer; `true` to exactly one caller.
pub(in crate::accounts) async fn decide(
    tx: &mut Tx<'_>,
    (account, id): (&AccountId, &InvitationId),
    (status, by): (Status, Option<&UserId>),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = sql("UPDATE invitations SET status = $3, decided_by = $4, decided_at = $5
          WHERE account_id = $1 AND id = $2 AND status = 'AWAITING' AND expires_at > $5");
    let query = query.bind(account).bind(id).bind(status.as_str());
    Ok(tx.execute(query.bind(by.map(UserId::as_str)).bind(now)).await?.affected == 1)
}

/// Takes back what somebody who leaves the account invited others to.
pub(in crate::accounts) async fn revoke_of(
    tx: &mut Tx<'_>,
    account: &AccountId,
    inviter: &UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE invitations SET status = 'REVOKED', decided_at = $3
          WHERE account_id = $1 AND invited_by = $2 AND status = 'AWAITING'");
    tx.execute(query.bind(account).bind(inviter).bind(now)).await?;
    Ok(())
}

/// Takes back what somebody who leaves the account was invited to.
pub(in crate::accounts) async fn revoke_to(
    tx: &mut Tx<'_>,
    account: &AccountId,
    invited: &UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("SELECT email FROM users WHERE id = $1").bind(invited);
    let row = Fetch::fetch_optional(&mut *tx, query).await?;
    let email: Option<String> = row.map(|row| row.get("email")).transpose()?.flatten();
    let Some(email) = email else { return Ok(()) };
    let query = sql("UPDATE invitations SET status = 'REVOKED', decided_at = $3
          WHERE account_id = $1 AND email_key = $2 AND status = 'AWAITING'");
    tx.execute(query.bind(account).bind(UsernameKey::of(&email).as_str()).bind(now)).await?;
    Ok(())
}

/// Deletes a bounded number of invitations that nobody answered in time, and says how many.
pub(in crate::accounts) async fn sweep(
    tx: &mut Tx<'_>,
    before: DateTime<Utc>,
) -> Result<u64, DbError> {
    let query = sql("DELETE FROM invitations WHERE id IN (
            SELECT id FROM invitations WHERE expires_at <= $1 ORDER BY expires_at LIMIT 200)");
    Ok(tx.execute(query.bind(before)).await?.affected)
}
