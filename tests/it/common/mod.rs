//! The harness: a real server for each test, and the actors who use it.

pub mod actors;
pub mod answer;
pub mod browser;
pub mod chromium;
pub mod database;
pub mod fapi;
pub mod form;
pub mod host;
pub mod jwt;
pub mod opener;
pub mod program;
pub mod proof;
pub mod raw;
pub mod server;
pub mod session;
pub mod signer;
pub mod tls;
pub mod world;

/// Runs each of the named `async fn(Kind)` on SQLite and on PostgreSQL, as `name::sqlite` and
/// `name::postgres`.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::common::database::Kind;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Kind::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(Kind::Postgres).await;
            }
        }
    )+};
}
pub(crate) use both;
