//! Jobs in the database.

use chrono::{DateTime, Utc};

use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, sql};
use crate::db::{Db, Fetch as _, Tx};
use crate::queue::model::{DEAD_KEPT, Dead, Fate, Job, LEASE, Lane};

const TABLE: &str = "jobs";
/// Most rows that one sweep deletes.
const SWEEP_MAX: i64 = 1_000;
/// Most dead jobs that are listed.
const LISTED_MAX: i64 = 1_000;

pub(in crate::queue) async fn insert(
    tx: &mut Tx<'_>,
    kind: &str,
    payload: String,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO jobs (kind, payload, attempts, due_at, created_at)
             VALUES ($1, $2, 0, $3, $3)")
        .bind(kind)
        .bind(payload)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Jobs);
    Ok(())
}

/// Whether any job is due: a read, which keeps an idle node from writing every second.
pub(in crate::queue) async fn is_any_due(
    db: &Db,
    lane: Lane,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let query = match lane {
        Lane::Only(kind) => sql("SELECT id FROM jobs
                                  WHERE dead_at IS NULL AND due_at <= $1 AND kind = $2 LIMIT 1")
        .bind(now)
        .bind(kind),
        Lane::Except(kind) => sql("SELECT id FROM jobs
                                    WHERE dead_at IS NULL AND due_at <= $1 AND kind <> $2 LIMIT 1")
        .bind(now)
        .bind(kind),
    };
    Ok(db.fetch_optional(query).await?.is_some())
}

/// Takes due jobs, the longest waiting first.
///
/// Whoever loses a race for a row finds its lease in `due_at` and leaves it: the condition stands
/// outside the sub-select, too, because PostgreSQL looks at that one again when the row is free.
pub(in crate::queue) async fn lease(
    db: &Db,
    lane: Lane,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Job>, DbError> {
    let (query, kind) = match lane {
        Lane::Only(kind) => (
            sql("UPDATE jobs SET due_at = $2, attempts = attempts + 1
                  WHERE dead_at IS NULL AND due_at <= $1 AND id IN (
                        SELECT id FROM jobs WHERE dead_at IS NULL AND due_at <= $1 AND kind = $4
                         ORDER BY due_at LIMIT ($3 + 0))
                RETURNING id, kind, payload, attempts"),
            kind,
        ),
        Lane::Except(kind) => (
            sql("UPDATE jobs SET due_at = $2, attempts = attempts + 1
                  WHERE dead_at IS NULL AND due_at <= $1 AND id IN (
                        SELECT id FROM jobs WHERE dead_at IS NULL AND due_at <= $1 AND kind <> $4
                         ORDER BY due_at LIMIT ($3 + 0))
                RETURNING id, kind, payload, attempts"),
            kind,
        ),
    };
    let written = db.write_one(query.bind(now).bind(now + LEASE).bind(limit).bind(kind)).await?;
    written.rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Job, DbError> {
    Ok(Job {
        id: row.get("id")?,
        kind: row.get("kind")?,
        payload: row.json(TABLE, "payload")?,
        attempt: row.get("attempts")?,
    })
}

/// Notes what became of a job; `false` if its lease was somebody else's meanwhile.
pub(in crate::queue) async fn settle(
    db: &Db,
    job: &Job,
    fate: Fate,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let of = |query: Query| query.bind(job.id).bind(job.attempt);
    let query = match fate {
        Fate::Done => of(sql("DELETE FROM jobs WHERE id = $1 AND attempts = $2")),
        Fate::Later(wait) => {
            of(sql("UPDATE jobs SET due_at = $3 WHERE id = $1 AND attempts = $2")).bind(now + wait)
        }
        Fate::Dead => {
            of(sql("UPDATE jobs SET dead_at = $3 WHERE id = $1 AND attempts = $2")).bind(now)
        }
    };
    Ok(db.write_one(query).await?.affected == 1)
}

/// The jobs that were given up, the oldest first.
pub(in crate::queue) async fn dead(db: &Db) -> Result<Vec<Dead>, DbError> {
    let query = sql("SELECT id, kind, attempts, created_at, dead_at FROM jobs
                      WHERE dead_at IS NOT NULL ORDER BY dead_at, id LIMIT ($1 + 0)")
    .bind(LISTED_MAX);
    let read = |row: &Row| {
        Ok(Dead {
            id: row.get("id")?,
            kind: row.get("kind")?,
            attempts: row.get("attempts")?,
            created_at: row.time("created_at")?,
            dead_at: row.time("dead_at")?,
        })
    };
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// Makes dead jobs due, one or all.
pub(in crate::queue) async fn revive(
    tx: &mut Tx<'_>,
    id: Option<i64>,
    now: DateTime<Utc>,
) -> Result<u64, DbError> {
    let query = match id {
        Some(id) => sql("UPDATE jobs SET dead_at = NULL, attempts = 0, due_at = $1
                          WHERE dead_at IS NOT NULL AND id = $2")
        .bind(now)
        .bind(id),
        None => sql("UPDATE jobs SET dead_at = NULL, attempts = 0, due_at = $1
                      WHERE dead_at IS NOT NULL")
        .bind(now),
    };
    let written = tx.execute(query).await?;
    if written.affected > 0 {
        tx.touch(Topic::Jobs);
    }
    Ok(written.affected)
}

/// Deletes dead jobs that were kept long enough, a bounded number at a time.
pub(in crate::queue) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    let written = db
        .write_one(
            sql("DELETE FROM jobs WHERE id IN (
                    SELECT id FROM jobs WHERE dead_at IS NOT NULL AND dead_at <= $1
                     LIMIT ($2 + 0))")
            .bind(now - DEAD_KEPT)
            .bind(SWEEP_MAX),
        )
        .await?;
    Ok(written.affected)
}
