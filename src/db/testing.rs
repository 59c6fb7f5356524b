//! Databases for the tests of stores and services: SQLite, or PostgreSQL when `TEST_STORES` says
//! so. `tests/run` runs them on both.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::base::secret::Secret;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, built_sql};
use crate::db::{Backend, Db, Fetch, Place};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Holds what a test database lies in, until the test ends.
pub(crate) struct Guard {
    folder: TempDir,
    place: Place,
}

impl Guard {
    /// A folder for whatever else the test needs.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same database, as another process sees it.
    pub(crate) async fn reopen(&self) -> Db {
        Db::open(&self.place).await.unwrap()
    }
}

/// An empty database whose schema is up to date.
pub(crate) async fn open() -> (Guard, Db) {
    let folder = tempfile::tempdir().unwrap();
    let place = match std::env::var("TEST_STORES").as_deref() {
        Ok("postgres") => postgres().await,
        _ => Place::Sqlite(folder.path().join("test.db")),
    };
    let db = Db::open(&place).await.unwrap();
    db.migrate().await.unwrap();
    (Guard { folder, place }, db)
}

fn at(url: &str) -> Place {
    Place::Postgres { url: Secret::presented(url), connections_max: 8 }
}

/// A database of its own in the cluster of `TEST_POSTGRES_URL`.
async fn postgres() -> Place {
    let server = std::env::var("TEST_POSTGRES_URL").expect("tests/run says where PostgreSQL is");
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("stores_{}_{number}", std::process::id());
    let admin = Db::open(&at(&server)).await.unwrap();
    admin.write_one(built_sql(format!("CREATE DATABASE {name}"))).await.unwrap();
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(&name);
    at(url.as_str())
}

/// Takes questions and answers none, for looking at how they would be answered.
#[derive(Default)]
pub(crate) struct Recorder {
    asked: Mutex<Vec<Query>>,
}

impl Fetch for &Recorder {
    async fn fetch_all(self, query: Query) -> Result<Vec<Row>, DbError> {
        self.asked.lock().unwrap().push(query);
        Ok(Vec::new())
    }
}

impl Recorder {
    /// SQLite would answer each question by looking something up, never by reading a whole table or
    /// index. Of PostgreSQL, which decides by how many rows there are, nothing is said.
    pub(crate) async fn assert_searched(&self, db: &Db) {
        if !matches!(db.backend, Backend::Sqlite(_)) {
            return;
        }
        let asked = self.asked.lock().unwrap().clone();
        assert!(!asked.is_empty());
        for query in asked {
            let plan = Query {
                sql: format!("EXPLAIN QUERY PLAN {}", query.sql).into(),
                params: query.params.clone(),
            };
            for row in db.fetch_all(plan).await.unwrap() {
                let step: String = row.get("detail").unwrap();
                // What was found already is counted or put in order.
                let is_found = [" seen", " page"].iter().any(|name| step.ends_with(name));
                let is_read = step.starts_with("SCAN") && !is_found;
                assert!(!is_read, "{step}\n{}", query.sql);
            }
        }
    }
}
