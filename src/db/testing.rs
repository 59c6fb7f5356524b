//! Databases for the tests of stores and services: SQLite, or PostgreSQL when `TEST_STORES` says
//! so. `tests/run` runs them on both.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::base::secret::Secret;
use crate::db::query::built_sql;
use crate::db::{Db, Place};

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
