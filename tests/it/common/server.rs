//! A real server in this process: real listener, real database, a clock that tests move.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use narthex::base::clock::{Clock, ManualClock};
use narthex::base::entropy::OsEntropy;
use narthex::config::mail::Way;
use narthex::config::model::{Config, Issuer};
use narthex::db::Fetch as _;
use narthex::db::query::sql;
use narthex::http;
use narthex::keys::algorithm::Algorithm;
use narthex::mail::read::{self, Kept};
use narthex::server::{Server, ServerParts};
use narthex::setup::service::{Setup, SetupError};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};

/// A server that runs until it is dropped.
pub struct TestServer {
    /// The parts of the running process, for what cannot be seen from outside.
    pub server: Server,
    /// Moves only by [`TestServer::advance`].
    pub clock: Arc<ManualClock>,
    /// Where it is reached: `http://127.0.0.1:port`.
    pub url: String,
    /// Its database.
    pub database: TestDatabase,
    pub(in crate::common) address: SocketAddr,
    _stop: DropGuard,
}

/// The declaration that most tests begin with.
const WORLD: &str = include_str!("world.yaml");

/// When the clock of every test begins.
fn beginning() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

/// The parts of a server on a clock that stands still.
pub async fn start(config: Config) -> (Server, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(beginning()));
    let entropy = Arc::new(OsEntropy::default());
    let server = Server::start(config, clock.clone(), entropy).await.expect("the server starts");
    (server, clock)
}

impl TestServer {
    /// A server with the world of `world.yaml`.
    pub async fn start(kind: Kind) -> Self {
        let server = Self::start_empty(kind).await;
        server.apply(WORLD).await;
        server
    }

    /// A server with the world of `world.yaml`, which may ask sites on the loopback address.
    pub async fn start_reaching_loopback(kind: Kind) -> Self {
        let allowed = vec!["127.0.0.1".to_owned()];
        let server = Self::start_with(kind, |config| config.outbound.allowed_hosts = allowed).await;
        server.apply(WORLD).await;
        server
    }

    /// A server without people, accounts or apps.
    pub async fn start_empty(kind: Kind) -> Self {
        Self::start_with(kind, |_| ()).await
    }

    /// A server without people, accounts or apps, whose configuration `bend` changes.
    pub async fn start_with(kind: Kind, bend: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::ready(kind).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut config = Config::for_test(database.folder.path());
        config.issuer = Issuer::of_loopback(address);
        database.configure(&mut config);
        bend(&mut config);
        let (server, clock) = start(config).await;
        let stop = CancellationToken::new();
        let router = http::router(server.clone());
        tokio::spawn(http::serve::serve(router, listener, stop.clone()));
        let url = format!("http://{address}");
        Self { server, clock, url, database, address, _stop: stop.drop_guard() }
    }

    /// Declares people, accounts, apps and so on, as an operator does with `narthex apply`.
    pub async fn apply(&self, yaml: &str) {
        self.try_apply(yaml).await.unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    }

    /// Declares what may be refused.
    pub async fn try_apply(&self, yaml: &str) -> Result<(), SetupError> {
        let ServerParts { users, accounts, apis, apps, policies, projects, providers, .. } =
            &*self.server;
        let setup = Setup::new(users, accounts, (apps, apis), policies, projects, providers);
        let declaration = Setup::read(yaml, self.database.folder.path())?;
        setup.apply(&declaration).await.map(drop)
    }

    /// Declares an app as it stands in `world.yaml`, with one text replaced by another.
    pub async fn change_app(&self, id: &str, from: &str, to: &str) {
        let start =
            WORLD.find(&format!("  - id: {id}\n    account:")).expect("an app of the world");
        let rest = &WORLD[start..];
        let end = rest[1..].find("\n  - id: ").map_or(rest.len(), |end| end + 2);
        assert!(rest[..end].contains(from), "{id} has no {from}");
        self.apply(&format!("apps:\n{}", rest[..end].replace(from, to))).await;
    }

    /// Signs what an honest server would not.
    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        self.server.keys.sign(Algorithm::ES256, typ, claims).expect("a signature")
    }

    /// A number from the database: `SELECT COUNT(*) AS n FROM …`.
    pub async fn count(&self, query: &'static str) -> i64 {
        let row = self.server.ctx.db.fetch_optional(sql(query)).await.expect("an answer");
        row.expect("a row").get("n").expect("a number")
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Delivers whatever is due, as the background work of a node does all the time.
    pub async fn deliver(&self) {
        narthex::worker::delivery::deliver_due(&self.server).await;
    }

    /// Delivers whatever is due, and answers all letters so far in the order of their posting.
    pub async fn letters(&self) -> Vec<Kept> {
        self.deliver().await;
        let Way::Directory(folder) = &self.server.config.mail.way else {
            panic!("letters of this server go elsewhere");
        };
        read::newest(folder, usize::MAX).expect("the letters")
    }

    /// Seconds since 1970 on the server's clock.
    pub fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }

    /// A fresh browser, or an HTTP client.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// The current code of an authenticator app. Moves the clock on by one step, for a code is
    /// good only once. Source: RFC 6238.
    pub fn totp(&self, secret: &str) -> String {
        self.advance(TimeDelta::seconds(30));
        totp(secret, self.now())
    }
}

/// The code of an authenticator app at a time in seconds since 1970. Source: RFC 6238.
pub fn totp(secret: &str, at: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = hmac::sign(&key, &(at / 30).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 0xF);
    let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes"));
    format!("{:06}", (word & 0x7FFF_FFFF) % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let mut bits = 0_u64;
    let mut count = 0;
    let mut out = Vec::new();
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("not base32: {text}"),
        };
        bits = bits << 5 | u64::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xFF).expect("a byte"));
            bits &= (1 << count) - 1;
        }
    }
    out
}

/// Source: RFC 6238 appendix B, the last six of eight digits.
#[test]
fn rfc6238_b_the_harness_makes_the_codes_of_the_rfc() {
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    assert_eq!(totp(secret, 59), "287082");
    assert_eq!(totp(secret, 1_111_111_109), "081804");
}

crate::common::both!(each_server_has_a_database_of_its_own, the_world_can_be_declared);

async fn each_server_has_a_database_of_its_own(db: Kind) {
    let (first, second) = (TestServer::start_empty(db).await, TestServer::start_empty(db).await);

    first.apply("users: [{ username: ada }]").await;

    assert_eq!(first.count("SELECT COUNT(*) AS n FROM users").await, 1);
    assert_eq!(second.count("SELECT COUNT(*) AS n FROM users").await, 0);
}

async fn the_world_can_be_declared(db: Kind) {
    let server = TestServer::start(db).await;

    server.apply(WORLD).await;

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM apps").await, 5);
}
