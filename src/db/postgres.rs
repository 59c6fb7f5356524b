//! PostgreSQL: a pool, one transaction for each unit of work.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};

use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, Written};
use crate::db::tx::{Tx, run_postgres};

/// How often a unit runs at most when PostgreSQL says that it lost a race.
const ATTEMPTS_MAX: usize = 5;

pub(in crate::db) struct Postgres {
    pub(in crate::db) pool: PgPool,
}

impl Postgres {
    pub(in crate::db) async fn open(url: &str, connections_max: u32) -> Result<Self, DbError> {
        let options: PgConnectOptions = url.parse().map_err(DbError::Driver)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .connect_with(options.disable_statement_logging())
            .await?;
        Ok(Self { pool })
    }

    pub(in crate::db) async fn fetch_all(&self, query: Query) -> Result<Vec<Row>, DbError> {
        let mut connection = self.pool.acquire().await?;
        Ok(run_postgres(&mut connection, query).await?.rows)
    }

    pub(in crate::db) async fn write_one(&self, query: Query) -> Result<Written, DbError> {
        let mut connection = self.pool.acquire().await?;
        run_postgres(&mut connection, query).await
    }

    pub(in crate::db) async fn write<I, T, E, F>(
        &self,
        input: I,
        unit: F,
    ) -> Result<(T, Vec<Topic>), E>
    where
        E: From<DbError>,
        F: for<'t> Fn(&'t mut Tx<'_>, &'t I) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut attempt = 1;
        loop {
            let mut transaction = self.pool.begin().await.map_err(DbError::from)?;
            let mut tx = Tx::postgres(&mut transaction);
            let outcome = tx.whole(&unit, &input).await;
            let again = tx.lost_race() && attempt < ATTEMPTS_MAX;
            let after = tx.into_after();
            let answer = match outcome {
                Ok(answer) => answer,
                Err(error) => {
                    transaction.rollback().await.map_err(DbError::from)?;
                    if again {
                        attempt += 1;
                        continue;
                    }
                    return Err(error);
                }
            };
            match transaction.commit().await.map_err(DbError::from) {
                Ok(()) => return Ok((answer, after.tell())),
                Err(error) if error.may_pass() && attempt < ATTEMPTS_MAX => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Postgres {
    pub(in crate::db) async fn migrate(&self) -> Result<Vec<&'static str>, DbError> {
        let (answer, _) = self
            .write((), |tx, ()| Box::pin(crate::db::migrate::run(tx, crate::db::migrate::POSTGRES)))
            .await?;
        Ok(answer)
    }
}
