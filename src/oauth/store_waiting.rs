//! Requests that wait for their user, in the database.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::audit::model::{Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AppId, GrantId, UserId};
use crate::base::secret::Digest;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Db, Fetch as _, Tx};
use crate::oauth::grant::Approval;
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::store;
use crate::oauth::waiting::{Asked, INTERVAL_SECONDS, Kind, Stage, Waiting};
use crate::queue::service::push;

const TABLE: &str = "waiting_requests";
/// Most requests of one app; more push out the oldest. Anybody can make them in the name of a
/// public app, and must not fill the disk.
const WAITING_PER_APP_MAX: i64 = 10_000;
/// Every so many openings that limit is looked after.
const TRIM_EVERY: i64 = 64;
/// By how much an app that asks too often has to slow down. Source: RFC 8628 section 3.5.
const SLOWER_SECONDS: i64 = 5;
/// The slowest that it has to be.
const INTERVAL_SECONDS_MAX: i64 = 60;
/// How long a request is kept after its end, so that the app is told that it has ended.
const KEPT: TimeDelta = TimeDelta::minutes(10);
/// Most requests that a user is shown at once.
const LISTED_MAX: i64 = 20;
/// The kind of the jobs that tell apps.
pub(in crate::oauth) const PING: &str = "ciba_ping";
/// Most rows that one sweep deletes.
const SWEEP_MAX: i64 = 500;

/// A request that begins to wait.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Opened {
    pub(in crate::oauth) kind: Kind,
    pub(in crate::oauth) app: AppId,
    pub(in crate::oauth) secret: Digest,
    pub(in crate::oauth) user_code: Option<Digest>,
    pub(in crate::oauth) user: Option<UserId>,
    pub(in crate::oauth) asked: Asked,
    pub(in crate::oauth) now: DateTime<Utc>,
    pub(in crate::oauth) end: DateTime<Utc>,
}

/// What an approval makes.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Yes {
    pub(in crate::oauth) id: i64,
    pub(in crate::oauth) app: AppId,
    pub(in crate::oauth) request: AuthorizeRequest,
    pub(in crate::oauth) by: Approval,
    pub(in crate::oauth) code: Digest,
    /// What tells the app, if it wants to be told.
    pub(in crate::oauth) notice: Option<Value>,
    pub(in crate::oauth) now: DateTime<Utc>,
    pub(in crate::oauth) end: DateTime<Utc>,
}

fn to_json(asked: &Asked) -> Result<String, DbError> {
    serde_json::to_string(asked)
        .map_err(|_| DbError::CorruptRow { table: TABLE, column: "request" })
}

/// Stores a request. [`DbError::Duplicate`]: another one waits under this user code.
pub(in crate::oauth) async fn open(db: &Db, opened: Opened) -> Result<i64, DbError> {
    db.write(opened, |tx, opened| {
        Box::pin(async move {
            let written = tx
                .execute(
                    sql("INSERT INTO waiting_requests (kind, app_id, secret_digest,
                                    user_code_digest, user_id, request, stage, interval_seconds,
                                    created_at, expires_at)
                             VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9) RETURNING id")
                    .bind(opened.kind.as_str())
                    .bind(&opened.app)
                    .bind(opened.secret)
                    .bind(opened.user_code)
                    .bind(opened.user.as_ref().map(UserId::as_str))
                    .bind(to_json(&opened.asked)?)
                    .bind(INTERVAL_SECONDS)
                    .bind(opened.now)
                    .bind(opened.end),
                )
                .await?;
            let row = written.rows.first();
            let id: i64 =
                row.ok_or(DbError::CorruptRow { table: TABLE, column: "id" })?.get("id")?;
            if id % TRIM_EVERY == 0 {
                tx.execute(
                    sql("DELETE FROM waiting_requests WHERE id IN (
                                SELECT id FROM waiting_requests WHERE app_id = $1
                                 ORDER BY id DESC LIMIT $2 OFFSET $3)")
                    .bind(&opened.app)
                    .bind(TRIM_EVERY * 4)
                    .bind(WAITING_PER_APP_MAX),
                )
                .await?;
            }
            Ok(id)
        })
    })
    .await
}

/// The request of this number, whatever its stage.
pub(in crate::oauth) async fn find(
    db: &Db,
    kind: Kind,
    id: i64,
) -> Result<Option<Waiting>, DbError> {
    let query =
        sql("SELECT id, app_id, user_id, secret_digest, request, stage, grant_id, expires_at
                       FROM waiting_requests WHERE id = $1 AND kind = $2");
    let row = db.fetch_optional(query.bind(id).bind(kind.as_str())).await?;
    row.as_ref().map(read).transpose()
}

/// The request that waits under this user code.
pub(in crate::oauth) async fn find_by_code(
    db: &Db,
    user_code: Digest,
) -> Result<Option<Waiting>, DbError> {
    let query =
        sql("SELECT id, app_id, user_id, secret_digest, request, stage, grant_id, expires_at
                       FROM waiting_requests WHERE user_code_digest = $1 AND stage = 'pending'");
    let row = db.fetch_optional(query.bind(user_code)).await?;
    row.as_ref().map(read).transpose()
}

/// Notes that the app asks for the outcome. `false`: it asks faster than it may, and has to be
/// slower from now on.
pub(in crate::oauth) async fn poll(db: &Db, id: i64, now: DateTime<Utc>) -> Result<bool, DbError> {
    db.write((id, now), |tx, (id, now)| {
        Box::pin(async move {
            // Times are microseconds. A tenth of a second is forgiven: networks are uneven.
            let in_time = tx
                .execute(
                    sql("UPDATE waiting_requests SET polled_at = $2
                              WHERE id = $1 AND (polled_at IS NULL
                                OR polled_at + interval_seconds * 1000000 - 100000 <= $2)")
                    .bind(*id)
                    .bind(*now),
                )
                .await?;
            if in_time.affected == 1 {
                return Ok(true);
            }
            tx.execute(
                sql("UPDATE waiting_requests
                            SET polled_at = $2,
                                interval_seconds = CASE WHEN interval_seconds + $3 < $4
                                                        THEN interval_seconds + $3 ELSE $4 END
                          WHERE id = $1")
                .bind(*id)
                .bind(*now)
                .bind(SLOWER_SECONDS)
                .bind(INTERVAL_SECONDS_MAX),
            )
            .await?;
            Ok::<bool, DbError>(false)
        })
    })
    .await
}

/// Makes a grant of a pending request, once.
pub(in crate::oauth) async fn approve(db: &Db, yes: Yes, told: Told) -> Result<bool, DbError> {
    db.write((yes, told), |tx, (yes, (ctx, actor, event))| {
        Box::pin(async move {
            let request = (&yes.app, &yes.request);
            let query = store::approved(request, &yes.by, yes.code, (yes.now, yes.end))?;
            let grant = store::new_id(&tx.execute(query).await?.rows)?;
            let written = tx
                .execute(
                    sql("UPDATE waiting_requests
                                SET stage = 'approved', grant_id = $2, expires_at = $3
                              WHERE id = $1 AND stage = 'pending' AND expires_at > $4")
                    .bind(yes.id)
                    .bind(grant)
                    .bind(yes.end)
                    .bind(yes.now),
                )
                .await?;
            if written.affected == 1 {
                let after = json!({ "approved": true, "scope": yes.request.scope });
                record(tx, ctx, actor, &event.clone().after(after));
                tell(tx, yes.notice.as_ref(), yes.now).await?;
                return Ok(true);
            }
            // Another answer was faster. Nobody has seen the grant.
            tx.execute(sql("DELETE FROM grants WHERE id = $1").bind(grant)).await?;
            Ok::<bool, DbError>(false)
        })
    })
    .await
}

/// What is recorded of an answer.
pub(in crate::oauth) type Told = (Ctx, Actor, Event);

/// The answer that ends a request.
pub(in crate::oauth) struct No {
    pub(in crate::oauth) id: i64,
    pub(in crate::oauth) notice: Option<Value>,
    pub(in crate::oauth) now: DateTime<Utc>,
}

/// Denies a pending request, once.
pub(in crate::oauth) async fn deny(db: &Db, no: No, told: Told) -> Result<bool, DbError> {
    db.write((no, told), |tx, (no, (ctx, actor, event))| {
        Box::pin(async move {
            let query = sql("UPDATE waiting_requests SET stage = 'denied'
                              WHERE id = $1 AND stage = 'pending' AND expires_at > $2");
            let denied = tx.execute(query.bind(no.id).bind(no.now)).await?.affected == 1;
            if denied {
                let after = json!({ "approved": false });
                record(tx, ctx, actor, &event.clone().after(after));
                tell(tx, no.notice.as_ref(), no.now).await?;
            }
            Ok::<bool, DbError>(denied)
        })
    })
    .await
}

/// Has the app told, in the unit of work that writes the answer down.
async fn tell(tx: &mut Tx<'_>, notice: Option<&Value>, now: DateTime<Utc>) -> Result<(), DbError> {
    match notice {
        Some(notice) => push(tx, PING, notice, now).await,
        None => Ok(()),
    }
}

/// What waits for this user, the newest first.
pub(in crate::oauth) async fn list_for(
    db: &Db,
    user: &UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Waiting>, DbError> {
    let query =
        sql("SELECT id, app_id, user_id, secret_digest, request, stage, grant_id, expires_at
                       FROM waiting_requests
                      WHERE user_id = $1 AND stage = 'pending' AND expires_at > $2
                      ORDER BY id DESC LIMIT $3");
    let rows = db.fetch_all(query.bind(user).bind(now).bind(LISTED_MAX)).await?;
    rows.iter().map(read).collect()
}

/// Deletes a bounded number of requests that are over, and says how many.
pub(in crate::oauth) async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    let query = sql("DELETE FROM waiting_requests WHERE id IN (
                        SELECT id FROM waiting_requests
                         WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)");
    Ok(db.write_one(query.bind(now - KEPT).bind(SWEEP_MAX)).await?.affected)
}

fn read(row: &Row) -> Result<Waiting, DbError> {
    let corrupt = |column| DbError::CorruptRow { table: TABLE, column };
    let stage: String = row.get("stage")?;
    let secret: Vec<u8> = row.get("secret_digest")?;
    Ok(Waiting {
        id: row.get("id")?,
        app: row.parsed(TABLE, "app_id")?,
        user: match row.get::<Option<String>>("user_id")? {
            Some(_) => Some(row.parsed(TABLE, "user_id")?),
            None => None,
        },
        secret: Digest::from_slice(&secret).ok_or_else(|| corrupt("secret_digest"))?,
        asked: row.json(TABLE, "request")?,
        stage: match stage.as_str() {
            "pending" => Stage::Pending,
            "denied" => Stage::Denied,
            _ => Stage::Approved(GrantId(row.get("grant_id")?)),
        },
        expires_at: row.time("expires_at")?,
    })
}
