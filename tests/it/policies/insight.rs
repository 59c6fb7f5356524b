//! Who may what and why: evaluated policies, explanations, holders, simulations.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::Session;
use crate::common::world::{ada, ben, dev, eve};

both!(
    an_evaluated_policy_is_merged_and_reduced,
    case_65_what_others_may_is_shown_to_those_who_administer_access,
    an_explanation_names_the_gate_the_policy_the_rule_and_the_condition,
    holders_are_told_with_the_reason,
    a_simulation_changes_nothing,
);

async fn an_evaluated_policy_is_merged_and_reduced(db: Kind) {
    let server = TestServer::start(db).await;
    let of = async |person| Session::of(&server, &person, "acme").await;
    let (ada, ben) = (of(ada(&server)).await, of(ben(&server)).await);
    let heart = json!([{ "resource.dataset": { "comparison": "in", "value": ["heart"] } }]);

    let own = ben.get("/v1/evaluated-policy").await.expect(200).json();
    assert_eq!(own, json!({ "rules": { "readData": heart } }));
    let same = ben.get("/v1/evaluated-policy?user=ben").await.expect(200).json();
    assert_eq!(same, own);
    let mine = ada.get("/v1/evaluated-policy?user=").await.expect(200).json();
    assert_eq!(
        mine,
        json!({ "rules": { "accessAdmin": true, "projectAdmin": true, "readData": true } })
    );
    assert_eq!(ada.get("/v1/evaluated-policy?user=ben").await.expect(200).json(), own);
}

async fn case_65_what_others_may_is_shown_to_those_who_administer_access(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply(
            "accounts:
  - id: acme
    name: Acme Hospital
    policies:
      - name: Delegate
        rules: { accessAdmin: [{ user.groups: { comparison: includes, value: acme-developers }, resource.type: { comparison: equals, value: group } }] }
",
        )
        .await;
    let people = [ben(&server), dev(&server)];
    let simulation = json!({ "policies": [], "questions": [{ "user": "ada", "operation": "x1" }] });
    for person in &people {
        let low = Session::of(&server, person, "acme").await;
        for user in ["ada", "eve", "nobody"] {
            let path = format!("/v1/evaluated-policy?user={user}");
            let expected =
                if person.username == "dev" { "404 not_found" } else { "403 policy_denies" };
            assert_eq!(low.get(&path).await.refusal(), expected, "{path}");
        }
        for path in [
            "/v1/policy-explanation?user=ada&operation=readData",
            "/v1/policy-explanation?user=ben&operation=readData",
            "/v1/policy-holders?operation=readData",
        ] {
            assert_eq!(low.get(path).await.refusal(), "403 policy_denies", "{path}");
        }
        let answer = low.post("/v1/policy-simulations", &simulation).await;
        assert_eq!(answer.refusal(), "403 policy_denies");
    }
    // An administrator learns nothing of those who are no members.
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let bodies = ["eve", "nobody"].map(|user| format!("/v1/evaluated-policy?user={user}"));
    for path in &bodies {
        assert_eq!(ada.get(path).await.refusal(), "404 not_found");
    }
    let why = async |user: &str| {
        let path = format!("/v1/policy-explanation?user={user}&operation=readData");
        ada.get(&path).await.expect(200).body.replace(user, "who")
    };
    assert_eq!(why("eve").await, why("nobody").await);
    let elsewhere = Session::of(&server, &eve(&server), "beta").await;
    assert_eq!(elsewhere.get("/v1/evaluated-policy?user=ada").await.refusal(), "404 not_found");
}

async fn an_explanation_names_the_gate_the_policy_the_rule_and_the_condition(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let why = async |query: &str| {
        ada.get(&format!("/v1/policy-explanation?{query}")).await.expect(200).json()
    };

    let refused = why("user=ben&operation=readData&resource.dataset=lung").await;
    assert_eq!((&refused["allowed"], &refused["refusedBy"]), (&json!(false), &json!("policy")));
    let condition = json!({
        "attribute": "resource.dataset", "found": "lung", "comparison": "in",
        "with": { "value": ["heart"] }, "targetFound": null, "answer": "false",
    });
    let all = refused["policy"]["because"].as_array().unwrap();
    let nurses = all.iter().find(|rule| rule["policy"] == "Nurse Access").unwrap();
    assert_eq!(nurses["conditions"], json!([condition]));
    assert_eq!(nurses["rule"], 0);

    let allowed = why("user=ben&operation=readData&resource.dataset=heart").await;
    assert_eq!(allowed["allowed"], true);
    assert_eq!(allowed["policy"]["because"][0]["policy"], "Nurse Access");

    let perhaps = why("user=ben&operation=readData").await;
    assert_eq!((&perhaps["operation"], &perhaps["allowed"]), (&json!("readData"), &json!(false)));
    assert_eq!(perhaps["refusedBy"], Value::Null);
    let left = json!([{ "resource.dataset": { "comparison": "in", "value": ["heart"] } }]);
    assert_eq!(perhaps["onlyIf"], left);
    // As the requests themselves are answered: the path says what they are about.
    let heart = why("user=ben&method=GET&path=/v1/projects/heart").await;
    assert_eq!((&heart["operation"], &heart["allowed"]), (&json!("readData"), &json!(true)));
    let liver = why("user=ben&method=GET&path=/v1/projects/liver").await;
    assert_eq!((&liver["allowed"], &liver["refusedBy"]), (&json!(false), &json!("policy")));
    let listed = why("user=ben&method=GET&path=/v1/projects").await;
    assert_eq!((&listed["allowed"], &listed["onlyIf"]), (&json!(true), &left));
    let apps = why("user=dev&method=GET&path=/v1/apps").await;
    assert_eq!((&apps["operation"], &apps["allowed"]), (&json!("developApps"), &json!(true)));

    for (query, gate, reason) in [
        ("user=eve&operation=readData", "membership", "not_a_member"),
        ("user=ben&app=workbench&operation=readData", "app status", "app_in_development"),
        ("user=ada&app=betaware&operation=readData", "app allow-list", "app_not_allowed"),
        ("user=ada&app=nowhere&operation=readData", "app", "app_not_allowed"),
        ("user=ada&app=backend&method=POST&path=/v1/projects", "scope", "insufficient_scope"),
        ("user=ben&operation=accessAdmin", "policy", "policy_denies"),
    ] {
        let answer = why(query).await;
        assert_eq!(answer["refusedBy"], gate, "{query}");
        let last = answer["gates"].as_array().unwrap().last().unwrap();
        assert_eq!(last, &json!({ "gate": gate, "passes": false, "reason": reason }));
    }
    for bad in [
        "operation=readData",
        "user=ben",
        "user=ben&operation=readData&method=GET&path=/v1/projects",
        "user=ben&method=GET&path=/v1/nothing",
        "user=b%20n&operation=readData",
        "user=ben&operation=readData&resource.id=a&resource.id=b",
    ] {
        let answer = ada.get(&format!("/v1/policy-explanation?{bad}")).await;
        assert_eq!(answer.refusal(), "400 invalid_query", "{bad}");
    }
}

async fn holders_are_told_with_the_reason(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let holders = async |query: &str| {
        let list = ada.get(&format!("/v1/policy-holders?{query}")).await.expect(200).json();
        let shown = |item: &Value| {
            let policy = item["because"][0]["policy"].as_str().unwrap_or("perhaps");
            format!("{} {policy}", item["user"].as_str().unwrap())
        };
        list["items"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>().join(", ")
    };

    assert_eq!(
        holders("operation=readData").await,
        "ada Administrator Access, ben perhaps, dev Developer Access"
    );
    assert_eq!(
        holders("operation=readData&resource.dataset=heart").await,
        "ada Administrator Access, ben Nurse Access, dev Developer Access"
    );
    assert_eq!(
        holders("operation=readData&resource.dataset=lung").await,
        "ada Administrator Access, dev Developer Access"
    );
    assert_eq!(holders("operation=unheardOf").await, "");
    let page = ada.get("/v1/policy-holders?operation=readData&pageSize=2").await.json();
    let next = page["links"]["next"].as_str().unwrap();
    let rest = ada.get(next).await.expect(200).json();
    assert_eq!((&rest["items"][0]["user"], rest["links"].get("next")), (&json!("dev"), None));
    assert_eq!(ada.get("/v1/policy-holders").await.refusal(), "400 invalid_query");
}

async fn a_simulation_changes_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let ask = json!({
        "policies": [
            { "name": "Nurse Access", "policy": null },
            { "name": "New", "policy": { "rules": { "projectAdmin": true } } },
        ],
        "questions": [
            { "user": "ben", "operation": "readData", "resource": { "dataset": "heart" } },
            { "user": "ben", "operation": "projectAdmin" },
        ],
    });

    let answer = ada.post("/v1/policy-simulations", &ask).await.expect(200).json();

    let allowed = |at: usize, when: &str| answer["items"][at][when]["allowed"].clone();
    assert_eq!((allowed(0, "now"), allowed(0, "then")), (json!(true), json!(false)));
    assert_eq!((allowed(1, "now"), allowed(1, "then")), (json!(false), json!(true)));
    assert_eq!(answer["items"][1]["then"]["policy"]["because"][0]["policy"], "New");
    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM policies WHERE account_id = 'acme'").await,
        3
    );
    let bad = json!({ "policies": [{ "name": "N", "policy": { "rules": { "a": true } } }], "questions": [] });
    let answer = ada.post("/v1/policy-simulations", &bad).await;
    assert_eq!(answer.refusal(), "400 invalid_policy");
    assert_eq!(answer.json()["faults"][0]["pointer"], "/policies/0/policy/rules/a");
    let many = json!({ "policies": [], "questions": vec![json!({ "user": "ben", "operation": "x1" }); 101] });
    assert_eq!(ada.post("/v1/policy-simulations", &many).await.refusal(), "400 invalid_body");
}
