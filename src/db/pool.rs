//! Connections that are used again and again.
//!
//! The driver's own pool asks the database after each use whether the connection is still good: one
//! more exchange and one more task for every statement. Here it is asked only where a statement did not
//! come to its end, or failed in a way that tells nothing about the connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::db::error::DbError;

/// How long somebody waits for a connection.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the first connection rests before it is tried again, while nobody listens yet.
const RETRY: Duration = Duration::from_millis(100);

/// Makes a connection.
pub(in crate::db) type Connect<C> =
    Box<dyn Fn() -> BoxFuture<'static, Result<C, sqlx::Error>> + Send + Sync>;

/// How long connections are kept; `None` is for good.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::db) struct Keep {
    /// From when they were made.
    pub(in crate::db) lifetime: Option<Duration>,
    /// Without being used, but for one of them.
    pub(in crate::db) idle: Option<Duration>,
}

/// Connections to one database, at most so many at once. Cheap to clone.
pub(in crate::db) struct Pool<C>(Arc<Inner<C>>);

struct Inner<C> {
    connect: Connect<C>,
    keep: Keep,
    places: Arc<Semaphore>,
    /// Those that nobody uses, the last used at the end.
    idle: Mutex<Vec<Kept<C>>>,
}

struct Kept<C> {
    connection: C,
    made: Instant,
    used: Instant,
}

impl<C> Inner<C> {
    fn idle(&self) -> MutexGuard<'_, Vec<Kept<C>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, mut kept: Kept<C>) {
        let now = Instant::now();
        let is_over = |since: Instant, max: Option<Duration>| {
            max.is_some_and(|max| now.duration_since(since) > max)
        };
        // Closed after the lock is free.
        let mut over = None;
        if is_over(kept.made, self.keep.lifetime) {
            over = Some(kept);
        } else {
            kept.used = now;
            let mut idle = self.idle();
            if idle.first().is_some_and(|first| is_over(first.used, self.keep.idle)) {
                over = Some(idle.remove(0));
            }
            idle.push(kept);
        }
        drop(over);
    }
}

impl<C> Pool<C>
where
    C: Connection + Send + 'static,
{
    /// At most `max` connections, the first of which is made now.
    ///
    /// # Errors
    /// [`DbError::Driver`] if it cannot be made.
    pub(in crate::db) async fn open(
        connect: Connect<C>,
        max: u32,
        keep: Keep,
    ) -> Result<Self, DbError> {
        let places = usize::try_from(max).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        let idle = Mutex::new(Vec::new());
        let places = Arc::new(Semaphore::new(places));
        let pool = Self(Arc::new(Inner { connect, keep, places, idle }));
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            match pool.lend().await {
                Ok(lent) => {
                    lent.give_back();
                    return Ok(pool);
                }
                // Both may have been started at the same time.
                Err(DbError::Driver(sqlx::Error::Io(error)))
                    if error.kind() == std::io::ErrorKind::ConnectionRefused
                        && Instant::now() < deadline =>
                {
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A connection, for one statement or one unit of work.
    ///
    /// # Errors
    /// [`DbError::Driver`] if none is free in time, or none can be made.
    pub(in crate::db) async fn lend(&self) -> Result<Lent<C>, DbError> {
        let places = Arc::clone(&self.0.places);
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => in_time(async { Ok(places.acquire_owned().await) })
                .await?
                .map_err(|_| DbError::Closed)?,
        };
        let held = self.0.idle().pop();
        let kept = match held {
            Some(kept) => kept,
            None => {
                let connection = in_time((self.0.connect)()).await?;
                let now = Instant::now();
                Kept { connection, made: now, used: now }
            }
        };
        Ok(Lent { used: Some((kept, place)), pool: Arc::clone(&self.0) })
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DbError> {
    Ok(timeout(WAIT_MAX, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
}

/// A connection that somebody uses.
pub(in crate::db) struct Lent<C: Connection + Send + 'static> {
    used: Option<(Kept<C>, OwnedSemaphorePermit)>,
    pool: Arc<Inner<C>>,
}

impl<C: Connection + Send + 'static> Lent<C> {
    /// The connection.
    ///
    /// # Errors
    /// Never: it is there until it is given back.
    pub(in crate::db) fn connection(&mut self) -> Result<&mut C, DbError> {
        self.used.as_mut().map(|(kept, _)| &mut kept.connection).ok_or(DbError::Closed)
    }

    /// For the next one: nothing is under way on it.
    pub(in crate::db) fn give_back(mut self) {
        if let Some((kept, place)) = self.used.take() {
            self.pool.put(kept);
            drop(place);
        }
    }

    /// For the next one, if what came of it tells that the connection is good.
    pub(in crate::db) fn after<T>(self, outcome: &Result<T, DbError>) {
        match outcome {
            Ok(_) | Err(DbError::Duplicate(_) | DbError::Refused(_)) => self.give_back(),
            Err(_) => drop(self),
        }
    }
}

impl<C: Connection + Send + 'static> Drop for Lent<C> {
    fn drop(&mut self) {
        let Some((mut kept, place)) = self.used.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let pool = Arc::clone(&self.pool);
        runtime.spawn(async move {
            // Ends what was under way, if the connection is there at all.
            if let Ok(Ok(())) = timeout(WAIT_MAX, kept.connection.ping()).await {
                pool.put(kept);
            }
            drop(place);
        });
    }
}
