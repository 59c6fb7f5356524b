//! A database for each test: a copy of one that is set up already, so that no test waits for
//! migrations and key generation.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use narthex::base::secret::Secret;
use narthex::config::model::{Config, Database};
use narthex::db::Db;
use narthex::server::start;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

use crate::common::server;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// The server that `tests/run` started.
    Postgres,
}

/// A database of one test, gone when dropped.
pub struct TestDatabase {
    /// The folder of the server: its SQLite file, its logs.
    pub folder: TempDir,
    postgres: Option<String>,
}

/// The template's own copy, in the template's folder.
const SQLITE_COPY: &str = "template.db";
/// Databases that nobody needs any more, dropped when the next one is made.
static DONE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static COUNT: AtomicU32 = AtomicU32::new(0);
static SQLITE_TEMPLATE: LazyLock<TempDir> = LazyLock::new(make_sqlite_template);
static POSTGRES_TEMPLATE: LazyLock<String> = LazyLock::new(make_postgres_template);

impl TestDatabase {
    /// A database with schema and keys, and nothing else.
    pub async fn ready(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let postgres = match kind {
            Kind::Sqlite => {
                let template = SQLITE_TEMPLATE.path().join(SQLITE_COPY);
                std::fs::copy(template, sqlite_file(folder.path())).expect("a copy");
                None
            }
            Kind::Postgres => {
                let template = tokio::task::spawn_blocking(|| POSTGRES_TEMPLATE.clone()).await;
                Some(create(&format!("TEMPLATE {}", template.expect("a template"))).await)
            }
        };
        Self { folder, postgres }
    }

    /// A database with nothing in it, not even a schema.
    pub async fn empty(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let postgres = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(create("").await),
        };
        Self { folder, postgres }
    }

    /// The URL on PostgreSQL.
    pub fn postgres_url(&self) -> Option<String> {
        self.postgres.as_deref().map(url_of)
    }

    /// The SQLite file, whether it is used or not.
    pub fn sqlite_file(&self) -> PathBuf {
        sqlite_file(self.folder.path())
    }

    /// Points a configuration here.
    pub fn configure(&self, config: &mut Config) {
        if let Some(url) = self.postgres_url() {
            config.database =
                Database::Postgres { url: Secret::presented(url), connections_max: 5 };
        }
    }

    /// Opens it beside whoever else has it open.
    pub async fn open(&self) -> Db {
        let mut config = Config::for_test(self.folder.path());
        self.configure(&mut config);
        start::open(&config).await.expect("a database")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        DONE.lock().expect("the list").extend(self.postgres.take());
    }
}

fn sqlite_file(folder: &Path) -> PathBuf {
    folder.join(narthex::config::model::SQLITE_FILE)
}

/// The URL of the cluster's first database. A test that needs it fails without it: passing
/// silently would be a lie.
fn cluster_url() -> String {
    std::env::var("TEST_POSTGRES_URL").expect(
        "TEST_POSTGRES_URL is not set: start the tests with tests/run, which starts PostgreSQL",
    )
}

fn url_of(database: &str) -> String {
    let mut url = url::Url::parse(&cluster_url()).expect("a URL");
    url.set_path(database);
    url.into()
}

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a database URL");
    options.disable_statement_logging().connect().await.expect("PostgreSQL answers")
}

async fn create(template: &str) -> String {
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("narthex_{}_{number}", std::process::id());
    let mut connection = connect(&cluster_url()).await;
    let done: Vec<String> = DONE.lock().expect("the list").drain(..).collect();
    for old in done {
        let drop = format!("DROP DATABASE {old} WITH (FORCE)");
        connection.execute(AssertSqlSafe(drop)).await.expect("a database goes");
    }
    let create = format!("CREATE DATABASE {name} {template}");
    connection.execute(AssertSqlSafe(create)).await.expect("a database of one's own");
    connection.close().await.expect("an end");
    name
}

fn make_sqlite_template() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config::for_test(folder.path());
    let (file, copy) = (sqlite_file(folder.path()), folder.path().join(SQLITE_COPY));
    on_a_runtime(async move {
        let _server = server::start(config).await;
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.expect("the template opens");
        // The file itself may lag behind its log; this copy is whole.
        let vacuum = sqlx::query("VACUUM INTO $1").bind(copy.to_string_lossy().into_owned());
        vacuum.execute(&mut connection).await.expect("a whole copy");
    });
    folder
}

fn make_postgres_template() -> String {
    on_a_runtime(async move {
        let folder = tempfile::tempdir().expect("a folder");
        let name = create("").await;
        let mut config = Config::for_test(folder.path());
        let url = Secret::presented(url_of(&name));
        config.database = Database::Postgres { url, connections_max: 2 };
        drop(server::start(config).await);
        let mut connection = connect(&cluster_url()).await;
        let others = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        connection.execute(AssertSqlSafe(others)).await.expect("nobody else is in the template");
        name
    })
}

/// Runs a future on a runtime of its own, which is gone afterwards with all that it started.
fn on_a_runtime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let answer = runtime.block_on(work);
        runtime.shutdown_timeout(std::time::Duration::from_secs(5));
        answer
    });
    thread.join().expect("no panic")
}
