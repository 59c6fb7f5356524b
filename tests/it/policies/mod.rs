//! Policies: written, renamed, removed, brought back, and who may.

mod attributes;
mod insight;

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::{Session, ids};
use crate::common::world::{ada, ben};

both!(
    a_policy_is_written_over_renamed_and_removed,
    what_terraform_does_goes_round,
    faults_point_into_the_body,
    a_policy_can_be_made_what_it_was,
    case_63_nobody_makes_their_own_policy_wider,
    case_63_a_policy_that_gives_more_than_one_holds_can_be_made_narrower_only,
    case_60_every_part_of_a_policy_is_held_against_its_author,
    the_last_administrator_cannot_lock_the_account_out,
    of_two_administrators_who_remove_each_other_one_is_refused,
    what_is_changed_is_in_force_on_the_next_request,
);

const NURSES: &str = "/v1/policies/Nurse%20Access";

fn for_group(group: &str) -> Value {
    json!([{ "user.groups": { "comparison": "includes", "value": group } }])
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
fn policy(name: &str, rules: Value) -> Value {
    json!({ "name": name, "policy": { "rules": rules } })
}

async fn a_policy_is_written_over_renamed_and_removed(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let wider = policy("Nurse Access", json!({ "readData": for_group("acme-nurses") }));
    let renamed = policy("Nürses & Co/2", json!({ "readData": for_group("acme-nurses") }));

    assert_eq!(ada.put(NURSES, &wider).await.expect(200).json(), wider);
    assert_eq!(ada.get(NURSES).await.expect(200).json(), wider);
    assert_eq!(ada.put(NURSES, &renamed).await.expect(200).json(), renamed);
    assert_eq!(ada.get(NURSES).await.refusal(), "404 not_found");
    let path = "/v1/policies/N%C3%BCrses%20%26%20Co%2F2";
    assert_eq!(ada.get(path).await.expect(200).json(), renamed);
    let taken = policy("Administrator Access", json!({}));
    assert_eq!(ada.put(path, &taken).await.refusal(), "409 already_exists");
    assert_eq!(ada.put(NURSES, &wider).await.refusal(), "404 not_found");
    assert_eq!(ada.delete(path).await.expect(204).body, "");
    assert_eq!(ada.delete(path).await.refusal(), "404 not_found");
    let listed = ada.get("/v1/policies").await;
    assert_eq!(ids(&listed), "Administrator Access Developer Access");
}

/// Every rule has one attribute, and values are text: what its provider can read.
async fn what_terraform_does_goes_round(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let rules = json!({
        "readData": [
            { "user.groups": { "comparison": "superset", "value": ["g-1", "g-2"] } },
            { "user.id": { "comparison": "equals", "target": "resource.ownerId" } },
        ],
        "projectAdmin": [{ "resource.dataset": { "comparison": "in", "value": ["heart"] } }],
        "accessAdmin": true,
    });
    let made = policy("terraform test", rules.clone());

    assert_eq!(ada.post("/v1/policies", &made).await.expect(201).json(), made);
    assert_eq!(ada.get("/v1/policies/terraform%20test").await.expect(200).json(), made);
    let renamed = policy("terraform test 2", rules);
    let put = ada.put("/v1/policies/terraform%20test", &renamed).await.expect(200);
    assert_eq!(put.json(), renamed);
    ada.delete("/v1/policies/terraform%20test%202").await.expect(204);
}

async fn faults_point_into_the_body(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let bad = policy("X", json!({ "readData": [{ "user.my-attr": { "comparison": "gt" } }] }));

    for answer in [ada.put(NURSES, &bad).await, ada.post("/v1/policies", &bad).await] {
        assert_eq!(answer.refusal(), "400 invalid_policy");
        let faults = answer.json()["faults"].clone();
        let pointers: Vec<&str> = faults
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|fault| fault["pointer"].as_str())
            .collect();
        let place = "/policy/rules/readData/0/user.my-attr";
        assert_eq!(pointers, [place, &format!("{place}/comparison")]);
    }
    for body in [json!([]), json!({ "name": "X" }), json!({ "name": "X", "policy": {}, "id": 1 })] {
        assert_eq!(ada.put(NURSES, &body).await.status, 400, "{body}");
    }
    // Clients take these for steps in a path and would never find them again.
    for name in [".", ".."] {
        let answer = ada.post("/v1/policies", &policy(name, json!({}))).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{name}");
    }
}

async fn a_policy_can_be_made_what_it_was(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let versions = async |path: &str| {
        let list = ada.get(&format!("{path}/versions")).await.expect(200).json();
        let shown = |item: &Value| {
            let by = item["changedBy"].as_str().unwrap_or("operator");
            format!("{} {} {by}", item["version"], item["change"].as_str().unwrap())
        };
        list["items"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    let first = ada.get(NURSES).await.expect(200).json();
    let restore = format!("{NURSES}/restore");

    assert_eq!(versions(NURSES).await, "1 CREATED operator");
    let wider = policy("Nurse Access", json!({ "readData": for_group("acme-nurses") }));
    ada.put(NURSES, &wider).await.expect(200);
    ada.put(NURSES, &wider).await.expect(200);
    assert_eq!(versions(NURSES).await, "2 UPDATED ada, 1 CREATED operator");
    let back = ada.post(&restore, &json!({ "version": 1 })).await.expect(200);
    assert_eq!(back.json(), first);
    ada.delete(NURSES).await.expect(204);
    let expected = "4 DELETED ada, 3 RESTORED ada, 2 UPDATED ada, 1 CREATED operator";
    assert_eq!(versions(NURSES).await, expected);
    assert_eq!(ada.get(NURSES).await.refusal(), "404 not_found");
    ada.post(&restore, &json!({ "version": 2 })).await.expect(200);
    assert_eq!(ada.get(NURSES).await.expect(200).json(), wider);
    let renamed = json!({ "name": "Carers", "policy": wider["policy"] });
    ada.put(NURSES, &renamed).await.expect(200);
    assert!(versions(NURSES).await.starts_with("6 RENAMED_TO ada, 5 RESTORED ada"));
    assert_eq!(versions("/v1/policies/Carers").await, "1 RENAMED_FROM ada");

    for number in [0, 99, -1, i64::MAX] {
        let answer = ada.post("/v1/policies/Carers/restore", &json!({ "version": number })).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{number}");
    }
    let never = "/v1/policies/Never";
    assert_eq!(ada.get(&format!("{never}/versions")).await.refusal(), "404 not_found");
    let answer = ada.post(&format!("{never}/restore"), &json!({ "version": 1 })).await;
    assert_eq!(answer.refusal(), "404 not_found");
    // One page after the other, the newest first.
    let page = ada.get(&format!("{NURSES}/versions?pageSize=4")).await.expect(200).json();
    let next = page["links"]["next"].as_str().unwrap();
    let rest = ada.get(next).await.expect(200).json();
    assert_eq!((rest["items"][0]["version"].as_i64(), rest["links"].get("next")), (Some(2), None));
}

/// ben administers access, and reads one project; that is all he may give.
const DELEGATE: &str = "accounts:
  - id: acme
    name: Acme Hospital
    groups: [{ id: acme-visitors, name: Visitors, members: [] }]
    policies:
      - name: Delegate
        rules: { accessAdmin: [{ user.groups: { comparison: includes, value: acme-nurses } }] }
      - name: Super
        rules:
          billingAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }]
          readData: [{ user.groups: { comparison: includes, value: acme-admins } }]
";

async fn case_63_nobody_makes_their_own_policy_wider(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(DELEGATE).await;
    let ben = Session::of(&server, &ben(&server), "acme").await;
    let everything = |group: &str| policy("Nurse Access", json!({ "readData": for_group(group) }));
    let only = |dataset: Value| {
        json!({ "readData": [{
            "user.groups": { "comparison": "includes", "value": "acme-nurses" },
            "resource.dataset": { "comparison": "in", "value": dataset },
        }] })
    };

    for wider in [
        everything("acme-nurses"),
        policy("Nurse Access", only(json!(["heart", "lung"]))),
        policy("Nurse Access", json!({ "readData": true })),
        policy("Nurse Access", json!({ "projectAdmin": for_group("acme-nurses") })),
    ] {
        assert_eq!(ben.put(NURSES, &wider).await.refusal(), "403 grants_more_than_held", "{wider}");
        let mut other = wider.clone();
        other["name"] = "Other".into();
        let answer = ben.post("/v1/policies", &other).await;
        assert_eq!(answer.refusal(), "403 grants_more_than_held", "{other}");
    }
    // What he holds, he may give: to the extent to which he holds it.
    let visitors = json!({ "readData": [{
        "user.groups": { "comparison": "includes", "value": "acme-visitors" },
        "resource.dataset": { "comparison": "equals", "value": "heart" },
    }] });
    ben.post("/v1/policies", &policy("Visitors", visitors)).await.expect(201);
    ben.put(NURSES, &policy("Nurse Access", only(json!(["heart"])))).await.expect(200);
    // What was taken from him, he does not bring back.
    let ada = Session::of(&server, &ada(&server), "acme").await;
    ada.put(NURSES, &everything("acme-nurses")).await.expect(200);
    ada.put(NURSES, &policy("Nurse Access", only(json!(["heart"])))).await.expect(200);
    let answer = ben.post(&format!("{NURSES}/restore"), &json!({ "version": 2 })).await;
    assert_eq!(answer.refusal(), "403 grants_more_than_held");
}

async fn case_63_a_policy_that_gives_more_than_one_holds_can_be_made_narrower_only(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(DELEGATE).await;
    let ben = Session::of(&server, &ben(&server), "acme").await;
    let path = "/v1/policies/Super";
    let put = async |rules: Value| ben.put(path, &policy("Super", rules)).await.refusal();

    let admins = for_group("acme-admins");
    let more = "403 grants_more_than_held";
    assert_eq!(put(json!({ "billingAdmin": for_group("acme-nurses") })).await, more);
    assert_eq!(put(json!({ "billingAdmin": true })).await, more);
    let mut both = admins.clone();
    both.as_array_mut().unwrap().push(for_group("acme-nurses")[0].clone());
    assert_eq!(put(json!({ "billingAdmin": both, "readData": admins })).await, more);
    let mut narrower = admins.clone();
    narrower[0]["environment.ip"] = json!({ "comparison": "startsWith", "value": "10." });
    assert_eq!(put(json!({ "billingAdmin": narrower, "readData": admins })).await, "200 ");
    // And not back again.
    assert_eq!(put(json!({ "billingAdmin": admins })).await, more);
    assert_eq!(put(json!({ "readData": admins })).await, "200 ");
}

async fn case_60_every_part_of_a_policy_is_held_against_its_author(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let good = for_group("acme-admins");
    let parts = ["readData", "accessAdmin", "projectAdmin"];
    for place in 0..=parts.len() {
        let mut rules = serde_json::Map::new();
        for (at, part) in parts.iter().enumerate() {
            if at == place {
                rules.insert("billingAdmin".to_owned(), good.clone());
            }
            rules.insert((*part).to_owned(), good.clone());
        }
        rules.entry("billingAdmin").or_insert_with(|| good.clone());
        let answer = ada.post("/v1/policies", &policy("Bulk", Value::Object(rules))).await;
        assert_eq!(answer.refusal(), "403 grants_more_than_held", "{place}");
    }
    // A list by ids shows those that may be seen, and simulations ask for each user by itself.
    let ben = Session::of(&server, &ben(&server), "acme").await;
    let listed = ben.get("/v1/projects?id=heart&id=lung&id=beta-secret&include=count").await;
    assert_eq!((ids(&listed), &listed.json()["count"]), ("heart".to_owned(), &json!(1)));
    let questions =
        ["ben", "eve", "nobody"].map(|user| json!({ "user": user, "operation": "readData" }));
    let asked = json!({ "policies": [], "questions": questions });
    let answer = ada.post("/v1/policy-simulations", &asked).await.expect(200).json();
    let gates = |at: usize| answer["items"][at]["now"]["refusedBy"].clone();
    assert_eq!(
        (gates(0), gates(1), gates(2)),
        (Value::Null, json!("membership"), json!("membership"))
    );
}

async fn the_last_administrator_cannot_lock_the_account_out(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let path = "/v1/policies/Administrator%20Access";
    let without = |rules: Value| policy("Administrator Access", rules);

    assert_eq!(ada.delete(path).await.refusal(), "409 last_administrator");
    for rules in [
        json!({ "readData": for_group("acme-admins") }),
        json!({ "accessAdmin": for_group("acme-visitors") }),
        json!({ "accessAdmin": [{
            "user.groups": { "comparison": "includes", "value": "acme-admins" },
            "resource.type": { "comparison": "equals", "value": "group" },
        }] }),
    ] {
        assert_eq!(ada.put(path, &without(rules)).await.refusal(), "409 last_administrator");
    }
    assert_eq!(
        ada.get(path).await.expect(200).json()["policy"]["rules"].as_object().unwrap().len(),
        3
    );
    let second = policy("Second", json!({ "accessAdmin": for_group("acme-admins") }));
    ada.post("/v1/policies", &second).await.expect(201);
    ada.delete(path).await.expect(204);
    assert_eq!(ada.delete("/v1/policies/Second").await.refusal(), "409 last_administrator");
}

async fn of_two_administrators_who_remove_each_other_one_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    for round in 0..4 {
        let second = policy("Second", json!({ "accessAdmin": for_group("acme-admins") }));
        let first = policy("First", json!({ "accessAdmin": for_group("acme-admins") }));
        let _ = ada.post("/v1/policies", &first).await;
        let _ = ada.post("/v1/policies", &second).await;
        let narrower =
            policy("Administrator Access", json!({ "readData": for_group("acme-admins") }));
        ada.put("/v1/policies/Administrator%20Access", &narrower).await.expect(200);

        let (one, other) =
            tokio::join!(ada.delete("/v1/policies/First"), ada.delete("/v1/policies/Second"));

        let mut answers = [one.status, other.status];
        answers.sort_unstable();
        assert_eq!(answers, [204, 409], "{round}");
    }
}

async fn what_is_changed_is_in_force_on_the_next_request(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let ben = Session::of(&server, &ben(&server), "acme").await;
    let seen = async || ids(&ben.get("/v1/projects").await);
    assert_eq!(seen().await, "heart");

    let wider = policy("Nurse Access", json!({ "readData": for_group("acme-nurses") }));
    ada.put(NURSES, &wider).await.expect(200);
    assert_eq!(seen().await, "heart liver lung");
    ada.delete(NURSES).await.expect(204);
    assert_eq!(ben.get("/v1/projects").await.refusal(), "403 policy_denies");
    ada.post(&format!("{NURSES}/restore"), &json!({ "version": 1 })).await.expect(200);
    assert_eq!(seen().await, "heart");
}
