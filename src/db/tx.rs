//! A unit of work that is open.

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::db::Fetch;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Inner, Param, Query, Row, Written, sql};

/// Work that a unit leaves for its end, see [`Tx::at_end`].
pub type Closing =
    Box<dyn for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<(), DbError>> + Send>;

/// What is told once a unit is durable, see [`Tx::once_durable`].
pub type Telling = Box<dyn FnOnce() + Send>;

/// The inside of a transaction. Only [`crate::db::Db::write`] makes one.
pub struct Tx<'c> {
    connection: Connection<'c>,
    closing: Vec<(String, Closing)>,
    after: After,
    lost_race: bool,
}

/// What follows the commit of a unit.
#[derive(Default)]
pub(in crate::db) struct After {
    pub(in crate::db) touched: Vec<Topic>,
    pub(in crate::db) told: Vec<Telling>,
}

enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl<'c> Tx<'c> {
    pub(in crate::db) fn sqlite(connection: &'c mut SqliteConnection) -> Self {
        Self::on(Connection::Sqlite(connection))
    }

    pub(in crate::db) fn postgres(connection: &'c mut PgConnection) -> Self {
        Self::on(Connection::Postgres(connection))
    }

    fn on(connection: Connection<'c>) -> Self {
        Self { connection, closing: Vec::new(), after: After::default(), lost_race: false }
    }

    /// Runs a writing statement.
    ///
    /// # Errors
    /// [`DbError`] if it fails.
    pub async fn execute(&mut self, query: Query) -> Result<Written, DbError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => run_sqlite(connection, query).await,
            Connection::Postgres(connection) => {
                let outcome = run_postgres(connection, query).await;
                self.lost_race |= matches!(&outcome, Err(error) if error.may_pass());
                outcome
            }
        }
    }

    /// Says that this unit changes what caches hold of `topic`, in this process and others.
    ///
    /// It is written at the very end of the unit, for the reason of [`Tx::at_end`].
    pub fn touch(&mut self, topic: Topic) {
        if !self.after.touched.contains(&topic) {
            self.after.touched.push(topic);
        }
    }

    /// Leaves `work` for the end of this unit, after everything else, in the order of `order`.
    ///
    /// For rows that many units write: they are locked last and shortly, and always in the same
    /// order, so that no two units wait for each other.
    pub fn at_end(&mut self, order: &str, work: Closing) {
        self.closing.push((order.to_owned(), work));
    }

    /// Has `tell` called when this unit is durable, and never otherwise.
    pub fn once_durable(&mut self, tell: Telling) {
        self.after.told.push(tell);
    }

    /// Runs a unit with what it leaves for its end.
    pub(in crate::db) async fn whole<I, T, E, F>(&mut self, unit: &F, input: &I) -> Result<T, E>
    where
        E: From<DbError>,
        F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>>,
    {
        let answer = unit(self, input).await?;
        self.close().await?;
        Ok(answer)
    }

    async fn close(&mut self) -> Result<(), DbError> {
        let mut closing = std::mem::take(&mut self.closing);
        closing.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, work) in closing {
            work(self).await?;
        }
        self.after.touched.sort_unstable_by_key(|topic| topic.name());
        for topic in self.after.touched.clone() {
            self.execute(
                sql("INSERT INTO changes (topic, seq) VALUES ($1, 1)
                     ON CONFLICT (topic) DO UPDATE SET seq = changes.seq + 1")
                .bind(topic.name()),
            )
            .await?;
        }
        Ok(())
    }

    /// Whether a statement failed because another transaction won, so that the unit may run again.
    pub(in crate::db) fn lost_race(&self) -> bool {
        self.lost_race
    }

    pub(in crate::db) fn into_after(self) -> After {
        self.after
    }
}

impl After {
    /// Tells what was to be told, and gives what caches have to forget.
    pub(in crate::db) fn tell(self) -> Vec<Topic> {
        for tell in self.told {
            tell();
        }
        self.touched
    }
}

impl Fetch for &mut Tx<'_> {
    async fn fetch_all(self, query: Query) -> Result<Vec<Row>, DbError> {
        Ok(self.execute(query).await?.rows)
    }
}

macro_rules! runner {
    ($name:ident, $connection:ty, $variant:ident) => {
        /// Runs any statement on one connection.
        pub(in crate::db) async fn $name(
            connection: &mut $connection,
            query: Query,
        ) -> Result<Written, DbError> {
            use futures_util::TryStreamExt as _;
            let mut statement = match query.sql {
                std::borrow::Cow::Borrowed(text) => sqlx::query(text),
                std::borrow::Cow::Owned(text) => sqlx::query(AssertSqlSafe(text)),
            };
            for param in query.params {
                statement = match param {
                    Param::Int(value) => statement.bind(value),
                    Param::Text(value) => statement.bind(value),
                    Param::Bytes(value) => statement.bind(value),
                };
            }
            let mut written = Written { affected: 0, rows: Vec::new() };
            #[expect(deprecated, reason = "one call that gives both rows and the affected count")]
            let mut stream = statement.fetch_many(connection);
            while let Some(step) = stream.try_next().await? {
                match step {
                    sqlx::Either::Left(done) => written.affected += done.rows_affected(),
                    sqlx::Either::Right(row) => written.rows.push(Row(Inner::$variant(row))),
                }
            }
            Ok(written)
        }
    };
}

runner!(run_sqlite, SqliteConnection, Sqlite);
runner!(run_postgres, PgConnection, Postgres);
