//! The decision point: searches. Source: AuthZEN Authorization API 1.0 section 8.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::{ada, ben};
use crate::gateway::authzen::{Asking, a_machine, a_user, question};
use crate::gateway::start;

both!(
    authzen_8_searches_find_what_evaluations_permit,
    case_59_searches_reach_no_other_account,
    case_70_pages_of_searches_are_of_one_search,
    a_search_for_another_tells_of_nothing_that_one_could_not_read,
);

async fn search(asking: &Asking<'_>, what: &str, body: &Value) -> Value {
    asking.ask(&format!("search/{what}"), body).await.expect(200).json()
}

fn names<'v>(answer: &'v Value, member: &str) -> Vec<&'v str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().map(|one| one[member].as_str().expect("a text")).collect()
}

async fn authzen_8_searches_find_what_evaluations_permit(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;

    let who = search(&machine, "subject", &question("x", "readData", "heart")).await;
    let admins = search(&machine, "subject", &question("x", "accessAdmin", "heart")).await;
    let bens = search(&machine, "resource", &question("ben", "readData", "x")).await;
    let all = search(&machine, "resource", &question("ada", "readData", "x")).await;
    let actions = search(&machine, "action", &question("ada", "x", "heart")).await;

    assert_eq!(names(&who, "id"), ["ada", "ben", "dev"]);
    assert_eq!(names(&admins, "id"), ["ada"]);
    assert_eq!(bens["results"], json!([{"type": "project", "id": "heart"}]));
    assert_eq!(names(&all, "id"), ["heart", "liver", "lung"]);
    assert_eq!(names(&actions, "name"), ["accessAdmin", "projectAdmin", "readData"]);
    assert_eq!(all["page"], json!({"next_token": "", "count": 3}));
    let mut unknown = question("ada", "readData", "x");
    unknown["resource"]["type"] = "file".into();
    assert_eq!(search(&machine, "resource", &unknown).await["results"], json!([]));
    unknown["subject"]["type"] = "robot".into();
    assert_eq!(search(&machine, "action", &unknown).await["results"], json!([]));
}

async fn case_59_searches_reach_no_other_account(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;

    for what in ["resource", "action"] {
        let found = search(&machine, what, &question("eve", "readData", "beta-secret")).await;
        assert_eq!(found["results"], json!([]), "{what}");
    }
    let who = search(&machine, "subject", &question("x", "readData", "beta-secret")).await;
    assert!(!names(&who, "id").contains(&"eve"));
    let all = search(&machine, "resource", &question("ada", "readData", "x")).await;
    assert!(!names(&all, "id").contains(&"beta-secret"));
}

async fn case_70_pages_of_searches_are_of_one_search(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;
    for (what, member, expected) in [
        ("subject", "id", ["ada", "ben", "dev"]),
        ("resource", "id", ["heart", "liver", "lung"]),
        ("action", "name", ["accessAdmin", "projectAdmin", "readData"]),
    ] {
        let mut asked = question("ada", "readData", "heart");
        asked["page"] = json!({ "limit": 1 });
        let mut seen = Vec::new();
        let mut token = String::new();
        for _ in 0..5 {
            asked["page"]["token"] = token.clone().into();
            let answer = search(&machine, what, &asked).await;
            seen.extend(names(&answer, member).iter().map(|name| (*name).to_owned()));
            let next = answer["page"]["next_token"].as_str().expect("a token").to_owned();
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(seen, expected, "{what}");

        asked["page"]["token"] = token.clone().into();
        asked["page"]["limit"] = 2.into();
        let answer = machine.ask(&format!("search/{what}"), &asked).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{what}");
        // The limit need not be said again.
        asked["page"] = json!({ "token": token });
        let last = search(&machine, what, &asked).await;
        assert_eq!(names(&last, member), expected[2..], "{what}");
        asked["page"] = json!({ "limit": 0 });
        let answer = machine.ask(&format!("search/{what}"), &asked).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{what}");
        asked["page"] = json!({ "limit": 1, "token": "AAAA" });
        let answer = machine.ask(&format!("search/{what}"), &asked).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{what}");
    }
}

async fn a_search_for_another_tells_of_nothing_that_one_could_not_read(db: Kind) {
    let server = start(db).await;
    server
        .apply(
            "accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    policies:
      - name: Nurse Access
        rules:
          accessAdmin: [{ user.groups: { comparison: includes, value: acme-nurses } }]
          readData:
            - user.groups: { comparison: includes, value: acme-nurses }
              resource.dataset: { comparison: in, value: [heart] }
",
        )
        .await;
    let nurse = a_user(&server, &ben(&server)).await;
    let admin = a_user(&server, &ada(&server)).await;

    let others = search(&nurse, "resource", &question("ada", "readData", "x")).await;
    let own = search(&admin, "resource", &question("ada", "readData", "x")).await;

    assert_eq!(names(&others, "id"), ["heart"]);
    assert_eq!(names(&own, "id"), ["heart", "liver", "lung"]);
}
