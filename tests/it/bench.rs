//! `narthex bench` measures every flow without an error, alone and against a running server.

use std::process::{Output, Stdio};

use narthex::cli::bench::flow::Flow;
use serde_json::Value;
use tokio::process::Command;

use crate::common::both;
use crate::common::database::{Kind, TestDatabase};
use crate::common::server::TestServer;

both!(load_against_a_running_server, many_accounts_are_measured_beside_a_few);

const SLOW: [&str; 2] = ["sign-in", "client-credentials-beside"];

async fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex"));
    command.arg("bench").args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.expect("narthex bench runs")
}

/// The report of a short run, which must have ended well.
async fn report(arguments: &[&str]) -> Value {
    let span: &[&str] = if arguments.contains(&"--seconds") { &[] } else { &["--seconds", "1"] };
    let short = ["--warm-up", "0", "--connections", "2", "--json", "-"];
    let output = bench(&[&short, span, arguments].concat()).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).expect("the report is JSON")
}

fn assert_all_good(report: &Value, flows: usize) {
    let measured = report["flows"].as_array().expect("flows");
    assert_eq!(measured.len(), flows, "{report:#}");
    for flow in measured {
        assert!(flow["good"].as_u64() > Some(0), "{flow:#}");
        assert_eq!(flow["errors"], 0, "{flow:#}");
    }
}

#[tokio::test]
async fn load_on_a_server_of_its_own_works_in_every_flow() {
    let flows = Flow::all().into_iter().map(Flow::name);
    let flows: Vec<String> = flows.filter(|name| !SLOW.contains(&&**name)).collect();
    let chosen: Vec<&str> = flows.iter().flat_map(|name| ["--flow", name]).collect();

    let report = report(&chosen).await;

    assert_all_good(&report, 10);
    for flow in report["flows"].as_array().expect("flows") {
        assert!(flow["server_cpu_micros"].as_f64() > Some(0.0), "{flow:#}");
    }
    assert!(report["server"]["ready_millis"].as_f64() > Some(0.0), "{report:#}");
    assert!(report["server"]["idle_kib"].as_u64() > Some(1_000), "{report:#}");
}

/// Hashes are slow, and slower beside other tests: a second is not enough for them.
#[tokio::test]
async fn sign_ins_are_measured_with_apps_beside_them() {
    let report = report(&["--flow", "sign-in", "--seconds", "10"]).await;

    assert_all_good(&report, 2);
    let names = report["flows"].as_array().expect("flows").iter().map(|flow| &flow["flow"]);
    assert_eq!(names.collect::<Vec<_>>(), SLOW);
}

async fn load_against_a_running_server(db: Kind) {
    let server = TestServer::start_empty(db).await;
    let setup = String::from_utf8(bench(&["--print-setup"]).await.stdout).expect("text");
    server.apply(&setup).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, &setup).expect("written");
    let file = file.path().to_str().expect("a path");

    let chosen = ["--flow", "code", "--flow", "refresh", "--flow", "projects"];
    let where_to = ["--url", &server.url, "--setup-file", file];
    let report = report(&[&where_to[..], &chosen].concat()).await;

    assert_all_good(&report, 3);
    assert_eq!(report["flows"][0]["server_cpu_micros"], Value::Null);
}

async fn many_accounts_are_measured_beside_a_few(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let url = database.postgres_url();
    let place = url.iter().flat_map(|url| ["--database-url", url]);
    let chosen: Vec<&str> = ["--accounts", "12"].into_iter().chain(place).collect();

    let report = report(&chosen).await;

    for (accounts, among) in [(10, &report["few"]), (12, &report["many"])] {
        // One more owns the app that speaks for the users.
        assert_eq!(among["rows"]["accounts"], accounts + 1, "{report:#}");
        for (name, each) in [("groups", 50), ("policies", 20), ("users", 100), ("projects", 20)] {
            assert!(among["rows"][name].as_i64() >= Some(accounts * each), "{name}: {report:#}");
        }
        assert_eq!(among["active"], accounts * 10);
        assert!(among["first_cpu_micros"].as_f64() > Some(0.0), "{report:#}");
        for flow in [&among["projects"], &among["evaluation"]] {
            assert!(flow["good"].as_u64() > Some(0), "{report:#}");
            assert_eq!(flow["errors"], 0, "{report:#}");
        }
    }
    assert!(report["ratio"].as_f64() > Some(0.0), "{report:#}");
}
