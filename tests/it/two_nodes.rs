//! Two nodes on one PostgreSQL: what is forbidden on one is soon refused by both, and nobody goes
//! back to the old rule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use narthex::base::entropy::OsEntropy;
use narthex::http;
use narthex::server::Server;
use narthex::worker;
use tokio::net::TcpListener;
use tokio::sync::{RwLock, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::common::actors::ClientApp;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ben;

/// How often each of the three things is forbidden and allowed again.
const ROUNDS: usize = 12;
/// Clients of each node, each with one request after the other.
const CLIENTS: usize = 3;
/// The longest that 99 of 100 changes may take until both nodes refuse.
const TIME_MAX: Duration = Duration::from_secs(1);
/// How long it is looked whether a node goes back.
const WATCHED: Duration = Duration::from_millis(400);

/// Three ways to take away what ben may, and the same the other way round.
const CHANGES: [(&str, &str, &str); 3] = [
    ("policy", "readData: [{ user.id: { comparison: equals, value: nobody } }]", POLICY),
    ("group", "members: []", GROUP),
    ("app", "status: disabled", APP),
];
const POLICY: &str = "accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    policies: [{ name: Nurse Access, rules: { WHAT } }]
";
const GROUP: &str = "accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    groups: [{ id: acme-nurses, name: Nurses, WHAT }]
";
const APP: &str = "apps:
  - id: ward
    account: acme
    title: Ward
    WHAT
    type: public
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    callback_urls: [https://ward.example/callback]
";

/// What allows it again.
fn restored(change: &str) -> &'static str {
    match change {
        "policy" => "readData: [{ user.groups: { comparison: includes, value: acme-nurses } }]",
        "group" => "members: [ben]",
        _ => "status: live",
    }
}

fn ward(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "ward",
        secret: None,
        redirect_uri: "https://ward.example/callback",
        scope: "openid project.read",
        http: server.browser(),
    }
}

/// Another node on the same database.
pub async fn second(first: &TestServer) -> (Server, String, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = first.server.config.as_ref().clone();
    let entropy = Arc::new(OsEntropy::default());
    let clock = Arc::clone(&first.clock);
    let server = Server::start(config, clock, entropy).await.expect("the server starts");
    let stop = CancellationToken::new();
    tokio::spawn(http::serve::serve(http::router(server.clone()), listener, stop.clone()));
    (server, format!("http://{address}"), stop.drop_guard())
}

/// What one request saw.
#[derive(Clone, Copy, Debug)]
struct Seen {
    node: usize,
    sent: Instant,
    answered: Instant,
    passed: bool,
}

/// Asks a node again and again until `over`.
async fn ask(
    (node, url): (usize, String),
    token: Arc<RwLock<String>>,
    told: mpsc::UnboundedSender<Seen>,
    over: Arc<AtomicBool>,
) {
    let http = Browser::new(&url);
    while !over.load(Ordering::Relaxed) {
        let bearer = format!("Bearer {}", *token.read().await);
        let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
        let sent = Instant::now();
        let answer = http.get_with("/v1/projects", &headers).await;
        assert!(matches!(answer.status, 200 | 401 | 403), "{answer:?}");
        let seen = Seen { node, sent, answered: Instant::now(), passed: answer.status == 200 };
        if told.send(seen).is_err() {
            return;
        }
    }
}

/// How long each node took from `start` until it answered `passed`; nobody went back after it.
async fn turned(
    seen: &mut mpsc::UnboundedReceiver<Seen>,
    (start, passed): (Instant, bool),
    what: &str,
) -> Vec<Duration> {
    let mut first: [Option<Instant>; 2] = [None; 2];
    let mut until = start + Duration::from_secs(20);
    while Instant::now() < until {
        let one = tokio::time::timeout(Duration::from_secs(20), seen.recv()).await;
        let one = one.expect("the nodes answer").expect("the clients ask");
        if one.sent < start {
            continue;
        }
        let turned = &mut first[one.node];
        if let Some(at) = turned.filter(|at| one.sent > *at) {
            assert_eq!(one.passed, passed, "{what}: node {} went back after {at:?}", one.node);
        } else if one.passed == passed {
            let earlier = turned.is_none_or(|at| one.answered < at);
            *turned = if earlier { Some(one.answered) } else { *turned };
            if first.iter().all(Option::is_some) {
                until = Instant::now() + WATCHED;
            }
        }
    }
    first.iter().map(|at| at.expect("each node turns") - start).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forbidden_is_refused_by_both_nodes_within_a_second_for_good() {
    let server = TestServer::start(Kind::Postgres).await;
    server.apply(&APP.replace("WHAT", "status: live")).await;
    server.apply(&POLICY.replace("WHAT", restored("policy"))).await;
    let (other, url, _stop) = second(&server).await;
    let stop = CancellationToken::new();
    for node in [server.server.clone(), other] {
        tokio::spawn(worker::run(node, stop.clone()));
    }
    let _workers = stop.drop_guard();
    let (app, ben) = (ward(&server), ben(&server));
    let token = Arc::new(RwLock::new(app.tokens(&server, &ben).await.access));
    let (told, mut seen) = mpsc::unbounded_channel();
    let over = Arc::new(AtomicBool::new(false));
    for client in 0..CLIENTS * 2 {
        let node = client % 2;
        let url = if node == 0 { server.url.clone() } else { url.clone() };
        tokio::spawn(ask((node, url), token.clone(), told.clone(), over.clone()));
    }
    turned(&mut seen, (Instant::now(), true), "the beginning").await;

    let mut times = Vec::new();
    for round in 0..ROUNDS {
        for (what, forbidden, yaml) in CHANGES {
            let start = Instant::now();
            server.apply(&yaml.replace("WHAT", forbidden)).await;
            times.extend(turned(&mut seen, (start, false), what).await.into_iter().max());
            server.apply(&yaml.replace("WHAT", restored(what))).await;
            // What somebody gave an app is gone for good when they may not use it any more.
            server.advance(TimeDelta::seconds(1));
            let fresh = app.tokens(&server, &ben).await.access;
            *token.write().await = fresh;
            let start = Instant::now();
            turned(&mut seen, (start, true), &format!("{what} again, round {round}")).await;
        }
    }
    over.store(true, Ordering::Relaxed);

    times.sort_unstable();
    // The nearest rank: of fewer than a hundred, the slowest.
    let rank = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    let p99 = rank(99);
    eprintln!("{} changes until both refuse: p50 {:?}, p99 {p99:?}", times.len(), rank(50));
    assert!(p99 < TIME_MAX, "{times:?}");
}
