//! Grants in the database.
//!
//! Every change of a stage repeats the stage in its `WHERE`: one affected row means success,
//! however many requests race.

use chrono::{DateTime, Utc};

use crate::base::id::{AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, sql};
use crate::db::{Db, Fetch, Tx};
use crate::oauth::binding::Binding;
use crate::oauth::grant::{Approval, CODE_TTL, Grant, LastAccess, PENDING_TTL, Stage};
use crate::oauth::refresh::RefreshState;
use crate::oauth::request::AuthorizeRequest;

/// Most requests that one browser may have open; more push out the oldest.
const PENDING_PER_BROWSER_MAX: i64 = 20;
/// Most requests that wait in all, about: whoever drops the cookie counts as a new browser each
/// time, and must not fill the disk.
const PENDING_MAX: i64 = 50_000;
/// Every so many openings the limit on all of them is looked after.
const TRIM_EVERY: i64 = 64;

const TABLE: &str = "grants";

/// A request that waits for its user.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Opened {
    pub(in crate::oauth) app: AppId,
    pub(in crate::oauth) request: AuthorizeRequest,
    pub(in crate::oauth) browser: Digest,
    pub(in crate::oauth) session: Option<Digest>,
    pub(in crate::oauth) at: DateTime<Utc>,
}

/// What the first exchange leaves in the grant's row.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Given {
    pub(in crate::oauth) access: LastAccess,
    /// The refresh tokens, if there are any.
    pub(in crate::oauth) refresh: Option<RefreshState>,
    /// What the tokens are bound to.
    pub(in crate::oauth) binding: Option<Binding>,
    /// When nothing of the grant is good any more.
    pub(in crate::oauth) expires_at: DateTime<Utc>,
}

/// The grant of this number, whatever its stage: replay must be seen to be punished.
pub(in crate::oauth) async fn find(db: impl Fetch, id: GrantId) -> Result<Option<Grant>, DbError> {
    let row = db
        .fetch_optional(
            sql(
                "SELECT id, app_id, stage, request, browser_digest, user_id, session_digest, scope,
                        auth_time, amr, code_digest, spent_at, refresh_family_digest,
                        refresh_digest, refresh_previous_digest, refresh_expires_at, access_jti,
                        access_expires_at, access_seen, binding, revoked_at, created_at,
                        expires_at
                   FROM grants WHERE id = $1",
            )
            .bind(id),
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// Opens a grant that waits for its user.
pub(in crate::oauth) async fn open(db: &Db, opened: Opened) -> Result<GrantId, DbError> {
    db.write(opened, |tx, opened| {
        Box::pin(async move {
            tx.execute(
                sql("DELETE FROM grants WHERE id IN (
                        SELECT id FROM grants
                         WHERE stage = 'pending' AND browser_digest = $1
                         ORDER BY id DESC LIMIT 1000 OFFSET $2)")
                .bind(opened.browser)
                .bind(PENDING_PER_BROWSER_MAX - 1),
            )
            .await?;
            let inserted = tx
                .execute(
                    sql("INSERT INTO grants (app_id, stage, request, browser_digest,
                                session_digest, scope, amr, access_seen, created_at, expires_at)
                         VALUES ($1, 'pending', $2, $3, $4, '', '', 0, $5, $6) RETURNING id")
                    .bind(&opened.app)
                    .bind(to_json(&opened.request)?)
                    .bind(opened.browser)
                    .bind(opened.session)
                    .bind(opened.at)
                    .bind(opened.at + PENDING_TTL),
                )
                .await?;
            let id = new_id(&inserted.rows)?;
            if id.0 % TRIM_EVERY == 0 {
                trim_pending(tx, PENDING_MAX).await?;
            }
            Ok(id)
        })
    })
    .await
}

/// Forgets pending grants beyond the youngest `keep`, a bounded number at a time.
pub(in crate::oauth) async fn trim_pending(tx: &mut Tx<'_>, keep: i64) -> Result<u64, DbError> {
    let written = tx
        .execute(
            sql("DELETE FROM grants WHERE id IN (
                    SELECT id FROM grants WHERE stage = 'pending'
                     ORDER BY id DESC LIMIT $1 OFFSET $2)")
            .bind(TRIM_EVERY * 4)
            .bind(keep),
        )
        .await?;
    Ok(written.affected)
}

/// Stores a grant that its user agreed to before it was asked: one statement, for the hot path.
pub(in crate::oauth) async fn insert_approved(
    db: &Db,
    app: &AppId,
    request: &AuthorizeRequest,
    by: &Approval,
    code: Digest,
    now: DateTime<Utc>,
) -> Result<GrantId, DbError> {
    let query = approved((app, request), by, code, (now, now + CODE_TTL))?;
    new_id(&db.write_one(query).await?.rows)
}

/// Inserts an approved grant whose code is good until the second of the times.
pub(in crate::oauth) fn approved(
    (app, request): (&AppId, &AuthorizeRequest),
    by: &Approval,
    code: Digest,
    (now, end): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Query, DbError> {
    Ok(sql("INSERT INTO grants (app_id, stage, request, user_id, session_digest, scope,
                        auth_time, amr, code_digest, access_seen, created_at, expires_at)
                 VALUES ($1, 'approved', $2, $3, $4, $5, $6, $7, $8, 0, $9, $10) RETURNING id")
    .bind(app)
    .bind(to_json(request)?)
    .bind(&by.user)
    .bind(by.session)
    .bind(&by.scope)
    .bind(by.auth_time)
    .bind(by.amr.join(" "))
    .bind(code)
    .bind(now)
    .bind(end))
}

/// Approves a pending grant, once. `false`: it is not pending any more, or not this browser's.
pub(in crate::oauth) async fn approve(
    tx: &mut Tx<'_>,
    id: GrantId,
    browser: Digest,
    by: &Approval,
    code: Digest,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("UPDATE grants
                    SET stage = 'approved', user_id = $3, session_digest = $4, scope = $5,
                        auth_time = $6, amr = $7, code_digest = $8, expires_at = $9
                  WHERE id = $1 AND browser_digest = $2 AND stage = 'pending'
                    AND expires_at > $10")
            .bind(id)
            .bind(browser)
            .bind(&by.user)
            .bind(by.session)
            .bind(&by.scope)
            .bind(by.auth_time)
            .bind(by.amr.join(" "))
            .bind(code)
            .bind(now + CODE_TTL)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Denies a pending grant, once.
pub(in crate::oauth) async fn deny(
    db: &Db,
    id: GrantId,
    browser: Digest,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("UPDATE grants SET stage = 'denied', expires_at = $3
                  WHERE id = $1 AND browser_digest = $2 AND stage = 'pending'
                    AND expires_at > $3")
            .bind(id)
            .bind(browser)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Spends the code of an approved grant, once.
///
/// Answers `true` to exactly one caller, however many race: the stage in the `WHERE` is the lock.
pub(in crate::oauth) async fn spend(
    db: &Db,
    id: GrantId,
    code: Digest,
    given: &Given,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let refresh = given.refresh.as_ref();
    let written = db
        .write_one(
            sql("UPDATE grants
                    SET stage = 'spent', spent_at = $3, refresh_family_digest = $4,
                        refresh_digest = $5, refresh_expires_at = $6, access_jti = $7,
                        access_expires_at = $8, expires_at = $9, binding = $10
                  WHERE id = $1 AND code_digest = $2 AND stage = 'approved'
                    AND expires_at >= $3 AND revoked_at IS NULL")
            .bind(id)
            .bind(code)
            .bind(now)
            .bind(refresh.map(|state| state.family))
            .bind(refresh.map(|state| state.current))
            .bind(refresh.map(|state| state.expires_at))
            .bind(given.access.jti.as_str())
            .bind(given.access.expires_at)
            .bind(given.expires_at)
            .bind(given.binding.as_ref().map(to_binding).transpose()?),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Replaces the current refresh token `from` by `to`, once.
pub(in crate::oauth) async fn rotate(
    db: &Db,
    id: GrantId,
    from: Digest,
    (to, access): (Digest, &LastAccess),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("UPDATE grants
                    SET refresh_digest = $3, refresh_previous_digest = $2, access_jti = $4,
                        access_expires_at = $5, access_seen = 0
                  WHERE id = $1 AND refresh_digest = $2 AND refresh_expires_at > $6
                    AND revoked_at IS NULL")
            .bind(id)
            .bind(from)
            .bind(to)
            .bind(access.jti.as_str())
            .bind(access.expires_at)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Replaces the successor `unused` of the refresh token `from`, once, unless it or its access
/// token was used meanwhile.
pub(in crate::oauth) async fn replace_successor(
    tx: &mut Tx<'_>,
    id: GrantId,
    (from, unused): (Digest, Digest),
    (to, access): (Digest, &LastAccess),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("UPDATE grants
                    SET refresh_digest = $4, access_jti = $5, access_expires_at = $6
                  WHERE id = $1 AND refresh_previous_digest = $2 AND refresh_digest = $3
                    AND access_seen = 0 AND refresh_expires_at > $7 AND revoked_at IS NULL")
            .bind(id)
            .bind(from)
            .bind(unused)
            .bind(to)
            .bind(access.jti.as_str())
            .bind(access.expires_at)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Notes that one of our endpoints saw the grant's last access token.
///
/// `false`: it is not the last one any more, perhaps because its answer was taken for lost.
pub(in crate::oauth) async fn mark_seen(db: &Db, id: GrantId, jti: &str) -> Result<bool, DbError> {
    let written = db
        .write_one(
            sql("UPDATE grants SET access_seen = 1 WHERE id = $1 AND access_jti = $2")
                .bind(id)
                .bind(jti),
        )
        .await?;
    Ok(written.affected == 1)
}

fn to_json(request: &AuthorizeRequest) -> Result<String, DbError> {
    serde_json::to_string(request)
        .map_err(|_| DbError::CorruptRow { table: TABLE, column: "request" })
}

fn to_binding(binding: &Binding) -> Result<String, DbError> {
    serde_json::to_string(binding)
        .map_err(|_| DbError::CorruptRow { table: TABLE, column: "binding" })
}

pub(in crate::oauth) fn new_id(rows: &[Row]) -> Result<GrantId, DbError> {
    let row = rows.first().ok_or(DbError::CorruptRow { table: TABLE, column: "id" })?;
    row.get("id").map(GrantId)
}

fn read(row: &Row) -> Result<Grant, DbError> {
    let stage: String = row.get("stage")?;
    Ok(Grant {
        id: GrantId(row.get("id")?),
        app: row.parsed(TABLE, "app_id")?,
        request: row.json(TABLE, "request")?,
        stage: read_stage(row, &stage)?,
        refresh: read_refresh(row)?,
        access: match row.get::<Option<String>>("access_jti")? {
            Some(jti) => Some(LastAccess {
                jti,
                expires_at: row.time("access_expires_at")?,
                seen: row.flag("access_seen")?,
            }),
            None => None,
        },
        binding: match row.get::<Option<String>>("binding")? {
            Some(_) => Some(row.json(TABLE, "binding")?),
            None => None,
        },
        revoked_at: row.optional_time("revoked_at")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn read_stage(row: &Row, stage: &str) -> Result<Stage, DbError> {
    match stage {
        "pending" => Ok(Stage::Pending {
            browser: digest(row, "browser_digest")?,
            session: optional_digest(row, "session_digest")?,
        }),
        "approved" => {
            Ok(Stage::Approved { by: read_approval(row)?, code: digest(row, "code_digest")? })
        }
        "spent" => Ok(Stage::Spent {
            by: read_approval(row)?,
            code: digest(row, "code_digest")?,
            at: row.time("spent_at")?,
        }),
        "denied" => Ok(Stage::Denied),
        _ => Err(DbError::CorruptRow { table: TABLE, column: "stage" }),
    }
}

fn read_approval(row: &Row) -> Result<Approval, DbError> {
    let scope: String = row.get("scope")?;
    let amr: String = row.get("amr")?;
    Ok(Approval {
        user: row.parsed::<UserId>(TABLE, "user_id")?,
        session: digest(row, "session_digest")?,
        auth_time: row.time("auth_time")?,
        amr: amr.split_whitespace().map(str::to_owned).collect(),
        scope: Scope::parse(&scope)
            .map_err(|_| DbError::CorruptRow { table: TABLE, column: "scope" })?,
    })
}

fn read_refresh(row: &Row) -> Result<Option<RefreshState>, DbError> {
    let Some(current) = optional_digest(row, "refresh_digest")? else { return Ok(None) };
    Ok(Some(RefreshState {
        family: digest(row, "refresh_family_digest")?,
        current,
        previous: optional_digest(row, "refresh_previous_digest")?,
        expires_at: row.time("refresh_expires_at")?,
    }))
}

fn optional_digest(row: &Row, column: &'static str) -> Result<Option<Digest>, DbError> {
    row.get::<Option<Vec<u8>>>(column)?
        .map(|bytes| Digest::from_slice(&bytes).ok_or(DbError::CorruptRow { table: TABLE, column }))
        .transpose()
}

fn digest(row: &Row, column: &'static str) -> Result<Digest, DbError> {
    optional_digest(row, column)?.ok_or(DbError::CorruptRow { table: TABLE, column })
}
