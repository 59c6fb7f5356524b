//! Where people are signed in: tower-sessions on a store of our own.
//!
//! A cookie holds 128 random bits; the table knows their SHA-256. A session begins with the right
//! password, gets a new id at every step up, and ends when it was idle too long, too old, or ended
//! by somebody. Whatever is complete is held in memory, so that a request costs no query.
//! Visitors who never tried to sign in have no session.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, Session};

use crate::base::clock::{from_micros, micros};
use crate::base::id::{ProviderId, UserId};
use crate::base::secret::Digest;
use crate::config::model;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::users::login::Login;
use crate::users::own_sessions::Seat;
use crate::users::store_sessions as store;
use crate::users::store_sessions::SessionRow;

/// How long the second factor may take after the first.
pub const PENDING_TTL: TimeDelta = TimeDelta::minutes(5);
/// How long adding a first one may take: an app has to be installed.
pub const ENROLLING_TTL: TimeDelta = TimeDelta::minutes(15);
/// How often at most it is written down that a session is in use.
const SEE_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Most sessions held in memory.
const HELD_MAX: u64 = 50_000;
/// Under which name a session keeps its [`Stage`].
const STAGE: &str = "stage";

/// How far a sign-in has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Stage {
    /// One factor was shown; another is missing. Not a sign-in.
    Pending {
        /// Who.
        user: UserId,
        /// What was shown so far. Source: RFC 8176 section 2.
        #[serde(default = "password_alone")]
        amr: Vec<String>,
        /// The provider that they came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider: Option<ProviderId>,
        /// Whether they have no second factor, and must add one now: that takes longer.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        enrols: bool,
    },
    /// Every factor was shown.
    Complete {
        /// Who.
        user: UserId,
        /// When the last factor was shown, in microseconds.
        auth_time: i64,
        /// How. Source: RFC 8176 section 2.
        amr: Vec<String>,
        /// The session that goes on; `None` for one that begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<Digest>,
        /// From where.
        #[serde(default)]
        seat: Seat,
        /// The provider that they came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider: Option<ProviderId>,
    },
}

fn password_alone() -> Vec<String> {
    vec!["pwd".to_owned()]
}

impl Stage {
    fn user(&self) -> &UserId {
        match self {
            Self::Pending { user, .. } | Self::Complete { user, .. } => user,
        }
    }
}

/// What a cookie stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// One factor was shown; another is missing.
    Pending(Half),
    /// A complete sign-in.
    Login(Arc<Login>),
}

/// Half a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// Who.
    pub user: UserId,
    /// What was shown so far: `amr`.
    pub amr: Vec<String>,
    /// The provider that they came from.
    pub provider: Option<ProviderId>,
}

#[derive(Debug)]
struct Live {
    login: Arc<Login>,
    expires_at: DateTime<Utc>,
    last_seen: AtomicI64,
}

/// The sessions of this server. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    settings: model::Sessions,
    live: Cache<[u8; 32], Arc<Live>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    /// The sessions in this database.
    pub fn new(ctx: Ctx, settings: model::Sessions) -> Self {
        let live = Cache::new(ctx.db.changes(), Topic::Sessions, HELD_MAX);
        Self(Arc::new(Inner { ctx, settings, live }))
    }

    /// What the id in a cookie stands for; `None` if it is malformed, unknown, idle or expired.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn read(&self, cookie: &str) -> Result<Option<Held>, DbError> {
        let Ok(id) = cookie.parse::<Id>() else { return Ok(None) };
        let digest = digest_of(&id);
        let now = self.0.ctx.now();
        if let Some(live) = self.0.live.get(&digest.0)
            && self.is_alive(now, from_micros(live.last_seen.load(Ordering::Acquire)))
            && now < live.expires_at
        {
            self.see(digest, &live, now).await;
            return Ok(Some(Held::Login(Arc::clone(&live.login))));
        }
        // Perhaps another process has seen it since: ask the table before it counts as idle.
        self.load_held(digest, now).await
    }

    async fn load_held(&self, digest: Digest, now: DateTime<Utc>) -> Result<Option<Held>, DbError> {
        self.0.live.forget(&digest.0);
        let load = async || self.live(digest, now).await;
        match self.0.live.get_or_load(&digest.0, load).await {
            Ok(live) => {
                self.see(digest, &live, now).await;
                Ok(Some(Held::Login(Arc::clone(&live.login))))
            }
            Err(NotLive::Pending(held)) => Ok(Some(held)),
            Err(NotLive::Ended) => Ok(None),
            Err(NotLive::Internal(error)) => Err(error),
        }
    }

    async fn live(&self, digest: Digest, now: DateTime<Utc>) -> Result<Arc<Live>, NotLive> {
        let row = store::find(&self.0.ctx.db, digest).await?;
        let row = row.filter(|row| self.is_usable(row, now)).ok_or(NotLive::Ended)?;
        match stage_of(&row)? {
            Stage::Pending { user, amr, provider, .. } => {
                Err(NotLive::Pending(Held::Pending(Half { user, amr, provider })))
            }
            Stage::Complete { user, auth_time, amr, session, provider, .. } => {
                let (auth_time, key) = (from_micros(auth_time), digest);
                let session = session.unwrap_or(key);
                Ok(Arc::new(Live {
                    login: Arc::new(Login { user, auth_time, amr, provider, session, key }),
                    expires_at: row.expires_at,
                    last_seen: AtomicI64::new(micros(row.last_seen_at)),
                }))
            }
        }
    }

    fn is_alive(&self, now: DateTime<Utc>, last_seen: DateTime<Utc>) -> bool {
        now - last_seen < TimeDelta::seconds(i64::from(self.0.settings.idle_seconds))
    }

    pub(in crate::users) fn is_usable(&self, row: &SessionRow, now: DateTime<Utc>) -> bool {
        now < row.expires_at && self.is_alive(now, row.last_seen_at)
    }

    /// Writes down that a session is in use, once a minute; one of those who race does it.
    async fn see(&self, digest: Digest, live: &Live, now: DateTime<Utc>) {
        let before = live.last_seen.load(Ordering::Acquire);
        if now - from_micros(before) < SEE_EVERY {
            return;
        }
        let won = live
            .last_seen
            .compare_exchange(before, micros(now), Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if won && let Err(error) = store::see(&self.0.ctx.db, digest, now).await {
            tracing::warn!(?error, "a session could not be marked as in use");
        }
    }

    /// What the id in a cookie is stored by.
    pub fn key_of(cookie: &str) -> Option<Digest> {
        Some(digest_of(&cookie.parse::<Id>().ok()?))
    }

    /// Begins a session, or takes one a step up: always under a new id, and the old one ends.
    ///
    /// Returns the text for the cookie.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn begin(&self, old: Option<&str>, stage: &Stage) -> Result<String, DbError> {
        let old = old.and_then(|cookie| cookie.parse::<Id>().ok());
        let session = Session::new(old, Arc::new(self.clone()), Some(Expiry::OnSessionEnd));
        let failed = |error: tower_sessions::session::Error| {
            tracing::error!(%error, "a session could not be begun");
            DbError::Closed
        };
        session.insert(STAGE, stage).await.map_err(failed)?;
        session.cycle_id().await.map_err(failed)?;
        session.save().await.map_err(failed)?;
        session.id().map(|id| id.to_string()).ok_or(DbError::Closed)
    }

    /// Ends the session of a cookie.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn end(&self, cookie: &str) -> Result<(), DbError> {
        let Ok(id) = cookie.parse::<Id>() else { return Ok(()) };
        self.end_session(digest_of(&id)).await
    }

    async fn end_session(&self, digest: Digest) -> Result<(), DbError> {
        let db = &self.0.ctx.db;
        db.write(digest, |tx, digest| Box::pin(store::delete(tx, digest))).await
    }

    /// Longest life of a session.
    pub fn absolute(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.0.settings.absolute_seconds))
    }

    /// Drops sessions that have ended by themselves; returns how many.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        let now = self.0.ctx.now();
        let idle = TimeDelta::seconds(i64::from(self.0.settings.idle_seconds));
        Ok(store::sweep(&self.0.ctx.db, now, now - idle).await?.affected)
    }

    fn lifetime(&self, stage: Option<&Stage>) -> TimeDelta {
        match stage {
            Some(Stage::Complete { .. }) => self.absolute(),
            Some(Stage::Pending { enrols: true, .. }) => ENROLLING_TTL,
            Some(Stage::Pending { .. }) | None => PENDING_TTL,
        }
    }

    fn row_of(&self, record: &Record) -> session_store::Result<SessionRow> {
        let encode = |error: serde_json::Error| session_store::Error::Encode(error.to_string());
        let stage: Option<Stage> = record
            .data
            .get(STAGE)
            .cloned()
            .map(serde_json::from_value)
            .transpose()
            .map_err(encode)?;
        let now = self.0.ctx.now();
        Ok(SessionRow {
            digest: digest_of(&record.id),
            user: stage.as_ref().map(|stage| stage.user().clone()),
            data: serde_json::to_string(&record.data).map_err(encode)?,
            created_at: now,
            last_seen_at: now,
            expires_at: now + self.lifetime(stage.as_ref()),
        })
    }
}

/// Not a complete session: what it is instead. None of this is held in memory.
enum NotLive {
    Pending(Held),
    Ended,
    Internal(DbError),
}

impl From<DbError> for NotLive {
    fn from(error: DbError) -> Self {
        Self::Internal(error)
    }
}

fn digest_of(id: &Id) -> Digest {
    Digest::of(id.to_string().as_bytes())
}

/// The session that a row is of, if it is a complete one.
pub(in crate::users) fn session_of(key: Digest, data: &str) -> Result<Option<Digest>, DbError> {
    match stage_in(data)? {
        Stage::Complete { session, .. } => Ok(Some(session.unwrap_or(key))),
        Stage::Pending { .. } => Ok(None),
    }
}

pub(in crate::users) fn stage_of(row: &SessionRow) -> Result<Stage, DbError> {
    stage_in(&row.data)
}

fn stage_in(data: &str) -> Result<Stage, DbError> {
    #[derive(Deserialize)]
    struct Data {
        stage: Stage,
    }
    let corrupt = |_| DbError::CorruptRow { table: "sessions", column: "data" };
    Ok(serde_json::from_str::<Data>(data).map_err(corrupt)?.stage)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn backend(error: DbError) -> session_store::Error {
    tracing::error!(?error, "sessions could not be stored");
    session_store::Error::Backend(error.to_string())
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // Our own randomness: 128 bits, which nobody meets twice.
        record.id = Id(i128::from_be_bytes(self.0.ctx.entropy().bytes()));
        store::insert(&self.0.ctx.db, &self.row_of(record)?).await.map_err(backend)?;
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let row = self.row_of(record)?;
        let unit = self.0.ctx.db.write(row, |tx, row| Box::pin(store::update(tx, row)));
        unit.await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let row = store::find(&self.0.ctx.db, digest_of(id)).await.map_err(backend)?;
        let Some(row) = row.filter(|row| self.is_usable(row, self.0.ctx.now())) else {
            return Ok(None);
        };
        let decode = |error: serde_json::Error| session_store::Error::Decode(error.to_string());
        let expiry = time::OffsetDateTime::from_unix_timestamp(row.expires_at.timestamp());
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&row.data).map_err(decode)?,
            expiry_date: expiry.map_err(|error| session_store::Error::Decode(error.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let (db, digest) = (&self.0.ctx.db, digest_of(id));
        // A half-done sign-in is in no cache: its end need not be told to anybody.
        let found = store::find(db, digest).await.map_err(backend)?;
        let Some(row) = found else { return Ok(()) };
        if matches!(stage_of(&row), Ok(Stage::Pending { .. })) {
            store::delete_uncached(db, digest).await.map_err(backend)?;
            return Ok(());
        }
        self.end_session(digest).await.map_err(backend)
    }
}
