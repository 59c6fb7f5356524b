//! SQLite: one writer with group commit, readers beside it.
//!
//! Units queue to the writer, which runs as many as are waiting inside one transaction, each in a
//! savepoint of its own, and answers them after the one commit: with `synchronous=FULL` the disk
//! is asked to be sure once for all of them. Whoever is answered is durable.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use crate::db::cause::{self, Cause};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, Written};
use crate::db::tx::{After, Tx, run_sqlite};

/// Most units in one commit: bounds how long the first of them waits.
const BATCH_MAX: usize = 256;
/// Most units that wait; whoever comes then waits to be let into the queue.
const QUEUE_MAX: usize = 1024;
const READERS_MAX: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

pub(in crate::db) struct Sqlite {
    readers: SqlitePool,
    writer: mpsc::Sender<Job>,
}

/// Answers whoever waits, after the commit.
type Answer = Box<dyn FnOnce(Result<(), DbError>) + Send>;

enum Job {
    /// One statement: needs no savepoint.
    Statement(Query, oneshot::Sender<Result<Written, DbError>>),
    /// Several statements.
    Unit(Box<dyn Unit>),
}

trait Unit: Send {
    fn run<'t>(self: Box<Self>, connection: &'t mut SqliteConnection) -> BoxFuture<'t, Answer>
    where
        Self: 't;
}

impl Sqlite {
    pub(in crate::db) async fn open(path: &Path) -> Result<Self, DbError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let connection = options.connect().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .min_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        let (writer, jobs) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(write_loop(connection, jobs));
        Ok(Self { readers, writer })
    }

    pub(in crate::db) async fn fetch_all(&self, query: Query) -> Result<Vec<Row>, DbError> {
        let mut connection = self.readers.acquire().await?;
        Ok(run_sqlite(&mut connection, query).await?.rows)
    }

    pub(in crate::db) async fn write_one(&self, query: Query) -> Result<Written, DbError> {
        let (tell, told) = oneshot::channel();
        self.writer.send(Job::Statement(query, tell)).await.map_err(|_| DbError::Closed)?;
        told.await.map_err(|_| DbError::Closed)?
    }

    pub(in crate::db) async fn write<I, T, E, F>(
        &self,
        input: I,
        unit: F,
    ) -> Result<(T, Vec<Topic>), E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job = Job::Unit(Box::new(Waiting { input, unit, tell, cause: cause::current() }));
        self.writer.send(job).await.map_err(|_| DbError::Closed)?;
        told.await.map_err(|_| DbError::Closed)?
    }
}

struct Waiting<I, T, E, F> {
    input: I,
    unit: F,
    tell: oneshot::Sender<Result<(T, Vec<Topic>), E>>,
    /// The request that waits: the writer is a task of its own.
    cause: Option<Arc<Cause>>,
}

impl<I, T, E, F> Unit for Waiting<I, T, E, F>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
{
    fn run<'t>(self: Box<Self>, connection: &'t mut SqliteConnection) -> BoxFuture<'t, Answer>
    where
        Self: 't,
    {
        Box::pin(async move {
            let Self { input, unit, tell, cause } = *self;
            let outcome = cause::within(cause, in_savepoint(connection, &input, &unit)).await;
            let answer: Answer = Box::new(move |committed| {
                let answer = match (outcome, committed) {
                    // Told here: whoever asked may have gone.
                    (Ok((answer, after)), Ok(())) => Ok((answer, after.tell())),
                    (Ok(_), Err(error)) => Err(E::from(error)),
                    (Err(error), _) => Err(error),
                };
                // Whoever asked may have gone; the work is done all the same.
                let _ = tell.send(answer);
            });
            answer
        })
    }
}

async fn in_savepoint<I, T, E, F>(
    connection: &mut SqliteConnection,
    input: &I,
    unit: &F,
) -> Result<(T, After), E>
where
    E: From<DbError>,
    F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>>,
{
    run(connection, "SAVEPOINT unit").await?;
    let mut tx = Tx::sqlite(connection);
    let outcome = tx.whole(unit, input).await;
    let after = tx.into_after();
    match outcome {
        Ok(answer) => {
            run(connection, "RELEASE unit").await?;
            Ok((answer, after))
        }
        Err(error) => {
            run(connection, "ROLLBACK TO unit").await?;
            run(connection, "RELEASE unit").await?;
            Err(error)
        }
    }
}

async fn run(connection: &mut SqliteConnection, text: &'static str) -> Result<(), DbError> {
    connection.execute(sqlx::query(text)).await?;
    Ok(())
}

async fn write_loop(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while jobs.recv_many(&mut batch, BATCH_MAX).await > 0 {
        if let [Job::Statement(..)] = batch.as_slice() {
            // Alone: the statement is its own transaction, and BEGIN and COMMIT are saved.
            if let Some(Job::Statement(query, tell)) = batch.pop() {
                let _ = tell.send(run_sqlite(&mut connection, query).await);
            }
            continue;
        }
        write_batch(&mut connection, batch.drain(..)).await;
    }
}

async fn write_batch(connection: &mut SqliteConnection, jobs: impl Iterator<Item = Job>) {
    let begun = run(connection, "BEGIN IMMEDIATE").await;
    if let Err(error) = &begun {
        tracing::error!(?error, "a transaction could not begin");
    }
    let mut answers: Vec<Answer> = Vec::new();
    for job in jobs {
        if begun.is_err() {
            // Dropping the job tells whoever waits that the database is closed to it.
            continue;
        }
        answers.push(match job {
            Job::Unit(unit) => unit.run(connection).await,
            Job::Statement(query, tell) => {
                let outcome = run_sqlite(connection, query).await;
                Box::new(move |committed| {
                    let _ = tell.send(outcome.and_then(|written| committed.map(|()| written)));
                })
            }
        });
    }
    if begun.is_err() {
        return;
    }
    let committed = run(connection, "COMMIT").await;
    if let Err(error) = &committed {
        tracing::error!(?error, "a transaction could not be committed");
        let _ = run(connection, "ROLLBACK").await;
    }
    for answer in answers {
        answer(if committed.is_ok() { Ok(()) } else { Err(DbError::Closed) });
    }
}

impl Sqlite {
    pub(in crate::db) async fn migrate(&self) -> Result<Vec<&'static str>, DbError> {
        let (answer, _) = self
            .write((), |tx, ()| Box::pin(crate::db::migrate::run(tx, crate::db::migrate::SQLITE)))
            .await?;
        Ok(answer)
    }
}
