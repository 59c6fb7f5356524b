//! The decision point before the scenario by which the OpenID Foundation certifies: its levels Basic
//! Core, Batch Core, Search Core and Discovery. Resources are projects, the ones that are found here.
//! Source: AuthZEN Authorization API 1.0, Certification Scenario.

use http::Method;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::gateway::authzen::{Asking, a_machine};
use crate::gateway::start;

both!(
    authzen_basic_core,
    authzen_batch_core,
    authzen_search_core,
    authzen_what_is_no_question_is_refused,
);

/// Its fixture: rules 1 to 4.
const FIXTURE: &str = "
users:
  - { id: alice, username: alice }
  - { id: bob, username: bob }
accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    groups:
      - { id: writers, name: Writers, members: [alice] }
      - { id: readers, name: Readers, members: [alice, bob] }
    projects:
      - { id: record-1, name: First }
      - { id: record-2, name: Second }
    policies:
      - name: Certification
        rules:
          read: [{ user.groups: { comparison: includes, value: readers } }]
          write: [{ user.groups: { comparison: includes, value: writers } }]
";

async fn fixture(db: Kind) -> TestServer {
    let server = start(db).await;
    server.apply(FIXTURE).await;
    server
}

fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

fn record(number: u8) -> Value {
    json!({"type": "project", "id": format!("record-{number}")})
}

fn asked(subject: &str, action: &str) -> Value {
    json!({"subject": user(subject), "action": {"name": action}, "resource": record(1)})
}

fn with(mut body: Value, more: &Value) -> Value {
    let members = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    body
}

fn context() -> Value {
    json!({"context": {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}})
}

async fn authzen_basic_core(db: Kind) {
    let server = fixture(db).await;
    let pep = a_machine(&server).await;
    let many = json!({
        "subject": {"type": "user", "id": "alice", "properties": {"role": "manager"}},
        "action": {"name": "read", "properties": {"method": "GET"}},
        "resource": {"type": "project", "id": "record-1", "properties": {"owner": "bob"}},
    });

    for (body, expected) in [
        (asked("alice", "read"), true),
        (asked("alice", "write"), true),
        (asked("bob", "read"), true),
        (asked("bob", "write"), false),
        (with(asked("alice", "read"), &context()), true),
        (with(asked("bob", "write"), &context()), false),
        (
            with(asked("alice", "read"), &json!({"context": null, "page": null, "options": null})),
            true,
        ),
        (many, true),
        (with(asked("alice", "read"), &json!({"foo": "bar", "future": {"nested": true}})), true),
    ] {
        for _ in 0..2 {
            let answer = pep.ask("evaluation", &body).await.expect(200);
            assert_eq!(answer.json(), json!({"decision": expected}), "{body}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("x-request-id"), "r-17");
        }
    }
}

async fn authzen_batch_core(db: Kind) {
    let server = fixture(db).await;
    let pep = a_machine(&server).await;
    let decisions = async |body: Value| {
        let answer = pep.ask("evaluations", &body).await.expect(200).json();
        let list = answer["evaluations"].as_array().expect("a list").clone();
        list.iter().map(|one| one["decision"].as_bool().expect("a decision")).collect::<Vec<_>>()
    };
    let bob = json!({
        "subject": user("bob"), "resource": record(1),
        "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "write"}}],
    });
    let alone = json!({"evaluations": [asked("alice", "read"), asked("bob", "write")]});
    let inherited = json!({
        "subject": user("alice"), "action": {"name": "read"}, "context": {"time": "x"},
        "evaluations": [{"resource": record(1)}, {"resource": record(2), "context": {"a": "b"}}],
    });
    let whole =
        with(asked("alice", "write"), &json!({"evaluations": [{}, {"subject": user("bob")}]}));
    assert_eq!(decisions(bob).await, [true, false]);
    assert_eq!(decisions(alone).await, [true, false]);
    assert_eq!(decisions(inherited).await, [true, true]);
    assert_eq!(decisions(whole).await, [true, false]);
    // What is missing in one of them is said of that one.
    for lacking in [
        json!({}),
        json!({"resource": {"type": "project"}}),
        json!({"resource": {"id": "record-1"}}),
        json!({"resource": record(1), "action": {}}),
        json!({"resource": record(1), "subject": {"id": "alice"}}),
    ] {
        let body = json!({
            "subject": user("alice"), "action": {"name": "read"},
            "options": {"evaluations_semantic": "execute_all"},
            "evaluations": [{"resource": record(1)}, lacking],
        });
        assert_eq!(decisions(body).await, [true, false], "{lacking}");
    }
    for single in
        [asked("alice", "read"), with(asked("alice", "read"), &json!({"evaluations": []}))]
    {
        let answer = pep.ask("evaluations", &single).await.expect(200);
        assert_eq!(answer.json(), json!({"decision": true}));
    }
}

/// The ids or names that a search finds.
async fn found(pep: &Asking<'_>, what: &str, body: &Value) -> Vec<String> {
    let answer = pep.ask(&format!("search/{what}"), body).await.expect(200).json();
    assert_eq!(answer["page"]["next_token"], "", "{answer}");
    let member = if what == "action" { "name" } else { "id" };
    let list = answer["results"].as_array().expect("a list");
    list.iter().map(|one| one[member].as_str().expect("a text").to_owned()).collect()
}

async fn authzen_search_core(db: Kind) {
    let server = fixture(db).await;
    let pep = a_machine(&server).await;
    let kind = |kind: &str| json!({"type": kind});
    let subjects =
        json!({"subject": kind("user"), "action": {"name": "read"}, "resource": record(1)});
    let resources =
        json!({"subject": user("alice"), "action": {"name": "read"}, "resource": kind("project")});
    let actions = json!({"subject": user("alice"), "resource": record(1)});

    for (what, body, ignored, expected) in [
        ("subject", &subjects, json!({"subject": user("bob")}), ["alice", "bob"]),
        ("resource", &resources, json!({"resource": record(1)}), ["record-1", "record-2"]),
        ("action", &actions, json!({"action": {"name": "read"}}), ["read", "write"]),
    ] {
        let all = found(&pep, what, body).await;
        assert!(expected.iter().all(|one| all.iter().any(|id| id == one)), "{what}: {all:?}");
        assert_eq!(found(&pep, what, &with(body.clone(), &context())).await, all, "{what}");
        assert_eq!(found(&pep, what, &with(body.clone(), &ignored)).await, all, "{what}");
    }
    let nobody = json!({"subject": user("nonexistent-user")});
    let strange = json!({"subject": {"type": "spaceship", "id": "x"}});
    for (what, body) in [
        ("action", with(actions.clone(), &nobody)),
        ("resource", with(resources.clone(), &nobody)),
        ("resource", with(resources.clone(), &json!({"resource": kind("spaceship")}))),
        ("subject", with(subjects.clone(), &json!({"subject": kind("spaceship")}))),
        ("action", with(actions.clone(), &strange)),
        ("resource", with(resources.clone(), &strange)),
    ] {
        assert_eq!(found(&pep, what, &body).await, Vec::<String>::new(), "{what} {body}");
    }
    let unnamed =
        json!({"subject": kind("user"), "action": {"name": "read"}, "resource": kind("project")});
    for (what, body) in [
        ("subject", json!({"subject": kind("user"), "resource": record(1)})),
        ("resource", json!({"action": {"name": "read"}, "resource": kind("project")})),
        ("action", json!({"subject": user("alice")})),
        ("subject", unnamed.clone()),
        ("resource", unnamed),
        ("action", json!({"subject": kind("user"), "resource": record(1)})),
    ] {
        let answer = pep.ask(&format!("search/{what}"), &body).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{what} {body}");
    }
}

async fn authzen_what_is_no_question_is_refused(db: Kind) {
    let server = fixture(db).await;
    let pep = a_machine(&server).await;
    let bearer = format!("Bearer {}", pep.token);
    let raw = async |kind: &str, body: &str| -> Answer {
        let headers =
            [("authorization", &*bearer), ("content-type", kind), ("x-request-id", "a b")];
        let path = "/access/v1/evaluation";
        server.browser().send(Method::POST, path, &headers, body.to_owned()).await
    };
    let good = asked("alice", "read").to_string();
    assert_eq!(raw("application/json", &good).await.status, 200);
    for (kind, body) in [
        ("text/plain", &*good),
        ("application/x-www-form-urlencoded", "a=b"),
        ("application/json", ""),
        ("application/json", "{"),
        ("application/json", "[]"),
    ] {
        let answer = raw(kind, body).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{kind} {body}");
        assert_eq!(answer.header("x-request-id"), "a b");
    }
    for bent in [
        json!({"subject": null}),
        json!({"action": null}),
        json!({"resource": null}),
        json!({"subject": {"id": "alice"}}),
        json!({"subject": {"type": "user"}}),
        json!({"action": {}}),
        json!({"resource": {"id": "record-1"}}),
        json!({"resource": {"type": "project"}}),
        json!({"subject": "alice"}),
        json!({"action": {"name": 123}}),
    ] {
        let answer = pep.ask("evaluation", &with(asked("alice", "read"), &bent)).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{bent}");
    }
}
