//! Storage: one door to SQLite and PostgreSQL.
//!
//! SQL is written once, in the subset that both speak: `$1`, `TEXT`, `BIGINT`, bytes,
//! `ON CONFLICT`, `RETURNING`. Times are microseconds since 1970, JSON is text, truth is 0 or 1.
//! A page ends in `LIMIT ($1 + 0)`: a bare `LIMIT $1` makes SQLite plan the statement again for
//! each value that is bound to it.
//! Reads go through [`Fetch`], by [`Db`] or inside a unit of work; writes go through
//! [`Db::write`] (a unit of several statements) or [`Db::write_one`] (a single statement).
//! It does not know any table but its own.

pub mod cache;
pub mod cause;
pub mod changes;
pub mod ctx;
pub mod error;
mod migrate;
mod postgres;
pub mod query;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tx;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::secret::Secret;
use crate::db::changes::Changes;
use crate::db::error::DbError;
use crate::db::postgres::Postgres;
use crate::db::query::{Query, Row, Written};
use crate::db::sqlite::Sqlite;
pub use crate::db::tx::{Closing, Telling, Tx};

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file of its own; the folder must exist.
    Sqlite(PathBuf),
    /// A server; the URL may hold a password, so it is a secret.
    Postgres {
        /// `postgres://user:password@host:port/database`
        url: Secret,
        /// Most connections at once.
        connections_max: u32,
    },
}

/// A database that is open. Cheap to clone.
///
/// The futures of its drivers are kilobytes large, and those of all who ask it hold them. They have
/// room of their own, therefore: a future is moved as often as it is nested, whole.
#[derive(Clone)]
pub struct Db {
    backend: Backend,
    changes: Changes,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.backend {
            Backend::Sqlite(_) => "Db(SQLite)",
            Backend::Postgres(_) => "Db(PostgreSQL)",
        })
    }
}

/// Something that answers reading queries: the database, or the unit of work one is in.
pub trait Fetch: Send {
    /// All rows.
    fn fetch_all(self, query: Query) -> impl Future<Output = Result<Vec<Row>, DbError>> + Send;

    /// The first row, if there is one.
    fn fetch_optional(
        self,
        query: Query,
    ) -> impl Future<Output = Result<Option<Row>, DbError>> + Send
    where
        Self: Sized,
    {
        async { Ok(self.fetch_all(query).await?.into_iter().next()) }
    }
}

impl Db {
    /// Opens the database at `place`. Does not touch its schema.
    ///
    /// # Errors
    /// [`DbError`] if it cannot be reached.
    pub async fn open(place: &Place) -> Result<Self, DbError> {
        let backend = match place {
            Place::Sqlite(path) => Backend::Sqlite(Arc::new(Sqlite::open(path).await?)),
            Place::Postgres { url, connections_max } => {
                Backend::Postgres(Arc::new(Postgres::open(url.reveal(), *connections_max).await?))
            }
        };
        Ok(Self { backend, changes: Changes::default() })
    }

    /// Brings the schema up to date, under a lock, and says which migrations it ran.
    ///
    /// # Errors
    /// [`DbError::Schema`] if the database holds a migration that this build does not know.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, DbError> {
        match &self.backend {
            Backend::Sqlite(lite) => lite.migrate().await,
            Backend::Postgres(pg) => pg.migrate().await,
        }
    }

    /// Runs `unit` as one transaction and answers when it is durable.
    ///
    /// A unit that answers `Err` leaves nothing behind. On PostgreSQL it may run again after a
    /// deadlock or serialization failure, so it does nothing but talk to the database.
    ///
    /// # Errors
    /// What the unit answers, or the failure of the commit.
    pub async fn write<I, T, E, F>(&self, input: I, unit: F) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    {
        let (answer, touched) = match &self.backend {
            Backend::Sqlite(lite) => lite.write(input, unit).await?,
            Backend::Postgres(pg) => Box::pin(pg.write(input, unit)).await?,
        };
        self.changes.bump_all(&touched);
        Ok(answer)
    }

    /// Runs one writing statement as a transaction of its own: the cheap way, for hot paths.
    ///
    /// # Errors
    /// [`DbError`] if the statement or its commit fails.
    pub async fn write_one(&self, query: Query) -> Result<Written, DbError> {
        match &self.backend {
            Backend::Sqlite(lite) => lite.write_one(query).await,
            Backend::Postgres(pg) => Box::pin(pg.write_one(query)).await,
        }
    }

    /// What changed, for caches.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Looks whether another process changed something, so that caches forget it.
    ///
    /// # Errors
    /// [`DbError`] if the database does not answer; caches are forgotten then, too.
    pub async fn poll_changes(&self) -> Result<(), DbError> {
        self.changes.poll(self).await
    }
}

impl Fetch for &Db {
    async fn fetch_all(self, query: Query) -> Result<Vec<Row>, DbError> {
        match &self.backend {
            Backend::Sqlite(lite) => Box::pin(lite.fetch_all(query)).await,
            Backend::Postgres(pg) => Box::pin(pg.fetch_all(query)).await,
        }
    }
}
