//! A unit of work that is open.

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::db::Fetch;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Inner, Param, Query, Row, Written, sql};

/// The inside of a transaction. Only [`crate::db::Db::write`] makes one.
pub struct Tx<'c> {
    connection: Connection<'c>,
    touched: Vec<Topic>,
    lost_race: bool,
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
        Self { connection: Connection::Sqlite(connection), touched: Vec::new(), lost_race: false }
    }

    pub(in crate::db) fn postgres(connection: &'c mut PgConnection) -> Self {
        Self { connection: Connection::Postgres(connection), touched: Vec::new(), lost_race: false }
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
    /// # Errors
    /// [`DbError`] if the statement fails.
    pub async fn touch(&mut self, topic: Topic) -> Result<(), DbError> {
        if self.touched.contains(&topic) {
            return Ok(());
        }
        self.execute(
            sql("INSERT INTO changes (topic, seq) VALUES ($1, 1)
                 ON CONFLICT (topic) DO UPDATE SET seq = changes.seq + 1")
            .bind(topic.name()),
        )
        .await?;
        self.touched.push(topic);
        Ok(())
    }

    /// Whether a statement failed because another transaction won, so that the unit may run again.
    pub(in crate::db) fn lost_race(&self) -> bool {
        self.lost_race
    }

    pub(in crate::db) fn into_touched(self) -> Vec<Topic> {
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
