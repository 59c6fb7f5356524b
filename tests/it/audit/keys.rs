//! A key that is revoked on one node is refused by the other within a second, for good.

use std::time::{Duration, Instant};

use narthex::worker;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ada;
use crate::tenants::Desk;
use crate::two_nodes::second;

/// How many keys are revoked, one after the other.
const ROUNDS: usize = 8;
/// How long one may still open something.
const TIME_MAX: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_by_both_nodes_within_a_second() {
    let server = TestServer::start(Kind::Postgres).await;
    server
        .apply(
            "accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE,
               policies: [{ name: Keys, rules: { apiKeyUser: true } }] }]",
        )
        .await;
    let (other, url, _stop) = second(&server).await;
    let stop = CancellationToken::new();
    for node in [server.server.clone(), other] {
        tokio::spawn(worker::run(node, stop.clone()));
    }
    let _workers = stop.drop_guard();
    let desk = Desk::of(&server, &ada(&server)).await;
    let nodes = [Browser::new(&server.url), Browser::new(&url)];
    for round in 0..ROUNDS {
        let body = json!({"name": format!("K{round}"), "expireInDays": 1});
        let made = desk.post("/v1/api-keys", "acme", body).await.expect(201);
        let bearer = format!("Bearer {}", made.text("apiKey"));
        let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
        for node in &nodes {
            node.get_with("/v1/projects", &headers).await.expect(200);
        }

        desk.delete(&format!("/v1/api-keys/{}", made.text("id")), "acme").await.expect(204);
        let start = Instant::now();

        let mut open = [true; 2];
        while open.iter().any(|open| *open) {
            for (node, open) in nodes.iter().zip(&mut open) {
                let status = node.get_with("/v1/projects", &headers).await.status;
                assert!(*open || status == 401, "a node went back");
                *open = status != 401;
            }
            assert!(start.elapsed() < TIME_MAX, "round {round}: {open:?}");
        }
    }
}
