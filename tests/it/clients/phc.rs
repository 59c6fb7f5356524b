//! The platform's Python SDK, `phc`, unmodified: pointed here by what its sessions and adapters offer.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narthex::base::clock::{Clock as _, SystemClock};
use serde_json::json;
use tokio::process::Command;

use crate::clients::lo;
use crate::clients::node::scripts;
use crate::common::actors::ClientApp;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ada;

/// It loads libraries for statistics before it does anything.
const TIME_MAX: Duration = Duration::from_mins(3);

fn sdk(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "sdk",
        secret: None,
        redirect_uri: "http://localhost:8787",
        scope: "",
        http: server.browser(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_python_sdk_lists_and_creates() {
    let python = std::env::var_os("TEST_PHC_PYTHON")
        .expect("TEST_PHC_PYTHON is not set: start the tests with tests/run, which installs phc");
    let server = TestServer::start(Kind::Postgres).await;
    server.advance(SystemClock.now() - server.clock.now());
    server.apply(&lo::everything()).await;
    let yaml = lo::declared(3_600).replace("id: cli", "id: sdk");
    server
        .apply(&yaml.replace("rotate_refresh_tokens: false", "rotate_refresh_tokens: true"))
        .await;
    let tokens = sdk(&server).tokens(&server, &ada(&server)).await;
    // What is over is not shown to anybody: the SDK reads it, and refreshes.
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "typ": "JWT"}));
    let claims = part(json!({"exp": server.now() - 60, "client_id": "sdk", "iss": server.url}));
    let over = format!("{header}.{claims}.AA");

    let is_here = |method| narthex::gate::routes::find(method, "/v1/projects/{id}").is_some();
    let more = [("PATCH", "change"), ("DELETE", "delete")];
    let more = more.iter().filter(|(method, _)| is_here(method)).map(|(_, what)| what);

    let run = Command::new(python)
        .arg(scripts().join("phc-client.py"))
        .args([&server.url, &over, &tokens.refresh, "acme"])
        .args(more)
        .env_remove("PHC_ACCESS_TOKEN")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(TIME_MAX, run).await.expect("it ends").expect("it starts");

    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
