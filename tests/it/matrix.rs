//! The whole matrix: every kind of caller, with every privilege, at every route, held against a
//! file that is made by running it (`WRITE_GOLDEN=1`); and every route with every wrong tenant.
//!
//! Nothing is changed by it: ids lead nowhere and bodies are empty, so whoever passes the gate is
//! told 404 or 400 where others are refused.

mod belongings;
mod callers;
mod tenants;

use std::collections::BTreeMap;

use narthex::gate::routes::{Route, table};
use reqwest::Method;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::matrix::callers::{Caller, everybody};

both!(every_privilege_and_kind_of_caller_at_every_route,);

const GOLDEN: &str = "tests/it/who_may_what.txt";

/// A request at a route: `who` is what is shown, and the account that is named.
async fn ask(http: &Browser, route: &Route, path: &str, who: (&str, &str), body: &str) -> Answer {
    let method = Method::from_bytes(route.method.as_str().as_bytes()).unwrap();
    let mut headers = vec![("content-type", "application/json")];
    for (name, value) in [("authorization", who.0), ("lifeomic-account", who.1)] {
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    http.send(method, path, &headers, body.to_owned()).await
}

/// The path of a route with ids that lead nowhere, but for the account, which the header names.
fn nowhere(route: &Route, account: &str) -> String {
    let path = route.path.replace("/v1/accounts/{id}", &format!("/v1/accounts/{account}"));
    path.split('/')
        .map(|part| if part.starts_with('{') { "no-such" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Who is told what at a route, a line for each answer.
async fn told(http: &Browser, route: &Route, callers: &[Caller]) -> Vec<String> {
    let mut verdicts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for Caller { name, authorization, account } in callers {
        // Nobody has an account deleted here.
        let is_deletion = route.method.as_str() == "DELETE";
        let path = nowhere(route, if is_deletion { "nosuch" } else { account });
        let answer = ask(http, route, &path, (authorization, account), "").await;
        assert!(answer.status < 500, "{name} {path}: {answer:?}");
        let verdict =
            if answer.status < 300 { answer.status.to_string() } else { answer.refusal() };
        verdicts.entry(verdict).or_default().push(name);
    }
    let lines =
        verdicts.iter().map(|(verdict, names)| format!("  {verdict}: {}", names.join(", ")));
    [format!("{} {}", route.method.as_str(), route.path)].into_iter().chain(lines).collect()
}

async fn every_privilege_and_kind_of_caller_at_every_route(db: Kind) {
    let (server, callers) = everybody(db).await;
    let http = server.browser();
    let mut found = String::new();
    for route in table() {
        for line in told(&http, route, &callers).await {
            found += &line;
            found.push('\n');
        }
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "WRITE_GOLDEN=1 writes {GOLDEN} anew");
    }
    assert_eq!(found.len(), expected.len(), "WRITE_GOLDEN=1 writes {GOLDEN} anew");
}
