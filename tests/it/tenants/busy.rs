//! Many changes of one account at once.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ada;
use crate::tenants::Desk;

both!(changes_of_one_account_wait_for_each_other_and_none_fails);

const WORKERS: usize = 10;
const CALLS: usize = 24;
/// Far more than it takes, so that only what stands still is late.
const PATIENCE: Duration = Duration::from_secs(90);

/// One of the calls that change an account: another for each `n`, in another order for each worker.
fn call(n: usize, groups: &[String]) -> (Method, String, Value) {
    let group = &groups[n % groups.len()];
    let members = format!("/v1/account/groups/{group}/members/ben");
    let reading = json!({"rules": {"readData": [
        {"user.groups": {"comparison": "includes", "value": group}}]}});
    let policy = format!("busy-{}", n % 3);
    match n % 8 {
        0 => (Method::PUT, members, Value::Null),
        1 => (Method::DELETE, members, Value::Null),
        2 => (Method::PUT, format!("/v1/account/groups/{group}"), json!({"name": format!("G{n}")})),
        3 => (Method::POST, "/v1/policies".into(), json!({"name": policy, "policy": reading})),
        4 => (Method::DELETE, format!("/v1/policies/{policy}"), Value::Null),
        5 => (Method::POST, "/v1/projects".into(), json!({"name": format!("P{}", n % 4)})),
        6 => {
            let email = format!("u{}@x.example", n % 5);
            let body = json!({"email": email, "groupId": group});
            (Method::POST, "/v1/account/invitations".into(), body)
        }
        _ => (Method::PATCH, "/v1/accounts/acme".into(), json!({"name": format!("Acme {n}")})),
    }
}

async fn changes_of_one_account_wait_for_each_other_and_none_fails(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: A, rules: { accountAdmin: [{ user.id: { comparison: equals, value: ada } }] } }] }]")
        .await;
    let stop = CancellationToken::new();
    let node = tokio::spawn(narthex::worker::run(server.server.clone(), stop.clone()));
    let desk = Arc::new(Desk::of(&server, &ada(&server)).await);
    let mut groups = Vec::new();
    for n in 0..4 {
        let body = json!({"name": format!("Busy {n}")});
        let made = desk.post("/v1/account/groups", "acme", body).await.expect(201).json();
        groups.push(made["id"].as_str().unwrap().to_owned());
    }
    let groups = Arc::new(groups);

    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (desk, groups) = (desk.clone(), groups.clone());
        workers.spawn(async move {
            for step in 0..CALLS {
                let (method, path, body) = call(worker * 7 + step * 5, &groups);
                let answer = desk.ask(method.clone(), &path, "acme", &body).await;
                assert!(answer.status < 500, "{method} {path}: {answer:?}");
            }
        });
    }
    let all = tokio::time::timeout(PATIENCE, workers.join_all()).await;

    assert!(all.is_ok(), "requests stand still");
    // What others do waits for nothing that is left behind.
    desk.get("/v1/accounts/acme", "acme").await.expect(200);
    stop.cancel();
    node.await.expect("it ends");
}
