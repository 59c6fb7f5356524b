//! The decision point: evaluations. Source: AuthZEN Authorization API 1.0.

use http::Method;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::gateway::{machine, reader, start};

both!(
    authzen_6_a_machine_asks_about_the_members_of_its_account,
    authzen_7_several_questions_are_answered_in_their_order,
    authzen_9_the_metadata_name_what_is_there,
    case_60_each_element_of_a_batch_is_authorized_by_itself,
    case_61_who_asks_is_known_and_asks_in_its_own_account,
    case_65_who_asks_about_others_must_administer_them,
    case_66_what_is_claimed_of_the_subject_counts_for_nothing,
    case_75_questions_are_bounded,
);

/// Somebody who asks.
pub struct Asking<'s> {
    pub server: &'s TestServer,
    pub token: String,
    /// Empty: none is named.
    pub account: &'static str,
}

impl Asking<'_> {
    pub async fn ask(&self, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("authorization", &*bearer),
            ("content-type", "application/json"),
            ("x-request-id", "r-17"),
        ];
        if !self.account.is_empty() {
            headers.push(("lifeomic-account", self.account));
        }
        let http = self.server.browser();
        http.send(Method::POST, &format!("/access/v1/{path}"), &headers, body.to_string()).await
    }

    async fn may(&self, subject: &str, action: &str, resource: &str) -> Value {
        let answer = self.ask("evaluation", &question(subject, action, resource)).await;
        answer.expect(200).json()
    }
}

pub async fn a_machine(server: &TestServer) -> Asking<'_> {
    let token = machine(server).client_credentials("decision.ask").await.expect(200).json();
    let token = token["access_token"].as_str().expect("a token").to_owned();
    Asking { server, token, account: "" }
}

pub async fn a_user<'s>(
    server: &'s TestServer,
    person: &crate::common::actors::Person,
) -> Asking<'s> {
    let token = reader(server).tokens(server, person).await.access;
    Asking { server, token, account: "acme" }
}

pub fn question(subject: &str, action: &str, resource: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": "project", "id": resource},
    })
}

async fn authzen_6_a_machine_asks_about_the_members_of_its_account(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;

    let answer = machine.ask("evaluation", &question("ben", "readData", "heart")).await.expect(200);

    assert_eq!(answer.json(), json!({"decision": true}));
    assert_eq!(answer.header("x-request-id"), "r-17");
    assert_eq!(machine.may("ben", "readData", "liver").await, json!({"decision": false}));
    assert_eq!(machine.may("ben", "projectAdmin", "heart").await, json!({"decision": false}));
    assert_eq!(machine.may("ada", "projectAdmin", "liver").await, json!({"decision": true}));
    // A stranger, nobody, and what cannot be somebody look alike.
    for nobody in ["eve", "nobody", "a b"] {
        assert_eq!(machine.may(nobody, "readData", "heart").await, json!({"decision": false}));
    }
    let file = json!({
        "subject": {"type": "user", "id": "ben"}, "action": {"name": "readData"},
        "resource": {"type": "file", "id": "f1", "properties": {"dataset": "heart"}},
        "unknown": 1,
    });
    let answer = machine.ask("evaluation", &file).await.expect(200);
    assert_eq!(answer.json(), json!({"decision": true}));
}

async fn authzen_7_several_questions_are_answered_in_their_order(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;
    let resource = |id: &str| json!({"resource": {"type": "project", "id": id}});
    let all = async |semantic: &str| {
        let body = json!({
            "subject": {"type": "user", "id": "ben"},
            "action": {"name": "readData"},
            "options": {"evaluations_semantic": semantic, "other": 1},
            "evaluations": [
                resource("heart"), resource("liver"), resource("heart"),
                {"resource": {"type": "project"}},
            ],
        });
        let answer = machine.ask("evaluations", &body).await.expect(200).json();
        let list = answer["evaluations"].as_array().unwrap().clone();
        list.iter().map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };

    assert_eq!(all("execute_all").await, [true, false, true, false]);
    assert_eq!(all("deny_on_first_deny").await, [true, false]);
    assert_eq!(all("permit_on_first_permit").await, [true]);
    let single = machine.ask("evaluations", &question("ben", "readData", "heart")).await;
    assert_eq!(single.expect(200).json(), json!({"decision": true}));
    let mut empty = question("ben", "readData", "heart");
    empty["evaluations"] = json!([]);
    assert_eq!(machine.ask("evaluations", &empty).await.expect(200).json()["decision"], true);
    let bent =
        json!({"evaluations": [resource("heart")], "options": {"evaluations_semantic": "x"}});
    assert_eq!(machine.ask("evaluations", &bent).await.status, 400);
}

async fn authzen_9_the_metadata_name_what_is_there(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;

    let answer = server.browser().get("/.well-known/authzen-configuration").await.expect(200);
    let metadata = answer.json();

    assert_eq!(metadata["policy_decision_point"], *server.url);
    let endpoints = metadata.as_object().unwrap().iter();
    for (name, url) in endpoints.filter(|(name, _)| name.ends_with("_endpoint")) {
        let url = url.as_str().unwrap();
        let path = url.strip_prefix(&format!("{}/access/v1/", server.url)).unwrap();
        let answer = machine.ask(path, &question("ben", "readData", "heart")).await;
        assert_eq!(answer.status, 200, "{name}");
    }
}

async fn case_60_each_element_of_a_batch_is_authorized_by_itself(db: Kind) {
    let server = start(db).await;
    let ben = a_user(&server, &ben(&server)).await;
    let subject = |id: &str| json!({"subject": {"type": "user", "id": id}});
    let body = json!({
        "action": {"name": "readData"},
        "resource": {"type": "project", "id": "heart"},
        "evaluations": [subject("ben"), subject("ada"), subject("ben"), subject("eve")],
    });

    let answer = ben.ask("evaluations", &body).await.expect(200).json();

    let list = answer["evaluations"].as_array().unwrap();
    let status = |at: usize| list[at]["context"]["error"]["status"].clone();
    assert_eq!(list[0], json!({"decision": true}));
    assert_eq!(list[2], json!({"decision": true}));
    for other in [1, 3] {
        assert_eq!(list[other]["decision"], false);
        assert_eq!(status(other), 403);
    }
}

async fn case_61_who_asks_is_known_and_asks_in_its_own_account(db: Kind) {
    let server = start(db).await;
    let body = question("ben", "readData", "heart");
    let none = server.browser();
    let json = [("content-type", "application/json")];
    let ask = async |asking: &Asking<'_>| asking.ask("evaluation", &body).await.refusal();

    let answer = none.send(Method::POST, "/access/v1/evaluation", &json, body.to_string()).await;
    assert_eq!(answer.refusal(), "401 missing_token");
    let mut machine = a_machine(&server).await;
    machine.account = "beta";
    assert_eq!(ask(&machine).await, "403 app_not_allowed");
    machine.account = "acme";
    assert_eq!(machine.ask("evaluation", &body).await.status, 200);
    let mut user = a_user(&server, &ben(&server)).await;
    user.account = "";
    assert_eq!(ask(&user).await, "400 account_required");
    user.account = "beta";
    assert_eq!(ask(&user).await, "403 not_a_member");
    let stranger = a_user(&server, &eve(&server)).await;
    assert_eq!(ask(&stranger).await, "403 not_a_member");
    let mut narrow = crate::common::world::portal(&server);
    narrow.scope = "openid project.read";
    let token = narrow.tokens(&server, &ada(&server)).await.access;
    let other = Asking { server: &server, token, account: "acme" };
    assert_eq!(ask(&other).await, "403 insufficient_scope");
}

async fn case_65_who_asks_about_others_must_administer_them(db: Kind) {
    let server = start(db).await;
    let admin = a_user(&server, &ada(&server)).await;
    let nurse = a_user(&server, &ben(&server)).await;

    assert_eq!(admin.may("ben", "readData", "heart").await, json!({"decision": true}));
    assert_eq!(nurse.may("ben", "readData", "heart").await, json!({"decision": true}));
    let other = nurse.may("ada", "readData", "heart").await;
    assert_eq!(other["decision"], false);
    assert_eq!(other, nurse.may("nobody", "readData", "heart").await);
    for search in ["search/action", "search/resource"] {
        let answer = nurse.ask(search, &question("ada", "readData", "heart")).await;
        assert_eq!(answer.refusal(), "403 policy_denies", "{search}");
    }
    let everybody = nurse.ask("search/subject", &question("", "readData", "heart")).await;
    assert_eq!(everybody.refusal(), "403 policy_denies");
}

async fn case_66_what_is_claimed_of_the_subject_counts_for_nothing(db: Kind) {
    let server = start(db).await;
    server
        .apply(
            "accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    policies:
      - name: Hours
        rules: { updateData: [{ environment.ip: { comparison: equals, value: 192.0.2.1 } }] }
",
        )
        .await;
    let machine = a_machine(&server).await;
    let forged = json!({
        "subject": {"type": "user", "id": "ben", "properties": {"groups": ["acme-admins"]}},
        "action": {"name": "projectAdmin", "properties": {"x": 1}},
        "resource": {"type": "project", "id": "liver",
                     "properties": {"id": "heart", "dataset": "heart", "type": "file"}},
        "context": {"user": {"groups": ["acme-admins"]}, "time": "1970-01-01T00:00:00Z"},
    });
    let decision = async |change: &dyn Fn(&mut Value)| {
        let mut body = forged.clone();
        change(&mut body);
        machine.ask("evaluation", &body).await.expect(200).json()["decision"].clone()
    };

    assert_eq!(decision(&|_| ()).await, false);
    assert_eq!(decision(&|body| body["action"]["name"] = "readData".into()).await, false);
    for name in ["__proto__", "toString", "", "read data"] {
        let mut body = forged.clone();
        body["action"]["name"] = name.into();
        let answer = machine.ask("evaluation", &body).await;
        assert!(answer.status == 400 || answer.json()["decision"] == false, "{name}");
    }
    // The environment is the asker's to tell: it acts on the answer.
    let from = async |ip: &str| {
        let mut body = question("ben", "updateData", "heart");
        body["context"] = json!({ "ip": ip });
        machine.ask("evaluation", &body).await.expect(200).json()["decision"].clone()
    };
    assert_eq!(from("192.0.2.1").await, true);
    assert_eq!(from("192.0.2.2").await, false);
}

async fn case_75_questions_are_bounded(db: Kind) {
    let server = start(db).await;
    let machine = a_machine(&server).await;
    let good = question("ben", "readData", "heart");
    let refused = async |path: &str, body: &Value| machine.ask(path, body).await.refusal();

    let many = json!({"evaluations": vec![good.clone(); 101]});
    assert_eq!(refused("evaluations", &many).await, "400 invalid_body");
    let fits = json!({"evaluations": vec![good.clone(); 100]});
    assert_eq!(machine.ask("evaluations", &fits).await.status, 200);
    let mut wide = good.clone();
    let properties: serde_json::Map<_, _> = (0..65).map(|n| (format!("p{n}"), json!(n))).collect();
    wide["resource"]["properties"] = properties.clone().into();
    assert_eq!(refused("evaluation", &wide).await, "400 invalid_body");
    let mut wide = good.clone();
    wide["context"] = properties.into();
    assert_eq!(refused("evaluation", &wide).await, "400 invalid_body");
    let mut long = good.clone();
    long["resource"]["id"] = "x".repeat(1025).into();
    assert_eq!(refused("evaluation", &long).await, "400 invalid_body");
    for part in ["subject", "action", "resource"] {
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove(part);
        assert_eq!(refused("evaluation", &less).await, "400 invalid_body", "{part}");
    }
}
