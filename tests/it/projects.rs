//! Projects, groups, policies: their shapes, pages and faults.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::ids;
use crate::common::world::{ada, ben, portal};

both!(
    lists_have_the_shapes_that_clients_expect,
    a_second_user_sees_what_the_policy_shows,
    pages_follow_one_another,
    filters_narrow_a_list,
    what_is_made_can_be_read,
    faults_of_a_policy_are_named_with_their_place,
    bad_input_is_refused_in_json,
    no_type_of_body_stands_against_a_get,
    case_66_a_policy_that_says_nothing_clear_grants_nothing,
    case_70_a_page_token_is_good_where_it_was_given_out,
    case_75_a_large_body_is_refused_before_it_is_read,
);

/// Somebody at the API in the account acme.
struct Session {
    app: ClientApp,
    token: String,
}

impl Session {
    async fn of_ada(server: &TestServer) -> Self {
        let app = portal(server);
        let token = app.tokens(server, &ada(server)).await.access;
        Self { app, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.api(path, &self.token, "acme").await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, "application/json", body.to_string()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers =
            [("authorization", &*bearer), ("lifeomic-account", "acme"), ("content-type", kind)];
        self.app.http.send(method, path, &headers, body).await
    }
}

async fn lists_have_the_shapes_that_clients_expect(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;

    let projects = ada.get("/v1/projects?pageSize=1&nextPageToken=").await.expect(200);
    let groups = ada.get("/v1/account/groups?name=Nur").await.expect(200).json();
    let policies = ada.get("/v1/policies?pageSize=100").await.expect(200);

    assert_eq!(projects.header("cache-control"), "no-store");
    let body = projects.json();
    assert_eq!(
        body["items"],
        json!([{"id": "heart", "name": "Heart study", "description": "Of the heart", "status": "ACTIVE"}])
    );
    assert_eq!(body["links"]["self"], "/v1/projects?pageSize=1&nextPageToken=");
    let next = body["links"]["next"].as_str().unwrap();
    assert!(next.starts_with("/v1/projects?pageSize=1&nextPageToken="), "{next}");
    assert_eq!(body.get("count"), None);
    assert_eq!(
        groups,
        json!({
            "items": [{
                "id": "acme-nurses", "name": "Nurses", "account": "acme", "type": "CLOSED",
                "deleteProtected": false,
            }],
            "links": {"self": "/v1/account/groups?name=Nur"},
        })
    );
    assert_eq!(ids(&policies), "Administrator Access Developer Access Nurse Access");
    assert!(policies.json()["items"][2]["policy"]["rules"]["readData"].is_array());
}

async fn a_second_user_sees_what_the_policy_shows(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let token = app.tokens(&server, &ben(&server)).await.access;
    let get = async |path: &str| app.api(path, &token, "acme").await;

    assert_eq!(ids(&get("/v1/projects").await), "heart");
    assert_eq!(get("/v1/projects?include=count&pageSize=1").await.json()["count"], 1);
    assert_eq!(ids(&get("/v1/projects?id=lung&id=liver").await), "");
    assert_eq!(get("/v1/projects/heart").await.expect(200).text("name"), "Heart study");
    for hidden in ["lung", "no-such", "beta-secret", "a%2Fb", "%ff", "..", "x%00"] {
        let answer = get(&format!("/v1/projects/{hidden}")).await;
        assert_eq!(answer.refusal(), "404 not_found", "{hidden}");
    }
}

async fn pages_follow_one_another(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;

    for path in ["/v1/projects", "/v1/account/groups", "/v1/policies"] {
        let all = ids(&ada.get(path).await.expect(200));
        let mut walked = Vec::new();
        let mut next = Some(format!("{path}?pageSize=2"));
        while let Some(url) = next {
            let page = ada.get(&url).await.expect(200);
            walked.push(ids(&page));
            next = page.json()["links"]["next"].as_str().map(str::to_owned);
        }
        assert_eq!(walked.len(), 2, "{path}");
        assert_eq!(walked.join(" "), all, "{path}");
    }
}

async fn filters_narrow_a_list(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    for name in ["100% sure", "100x sure", "under_score", "Ünder"] {
        ada.post("/v1/projects", &json!({"name": name})).await.expect(201);
    }
    let found = async |query: &str| {
        let answer = ada.get(&format!("/v1/projects?include=count&{query}")).await.expect(200);
        let list = answer.json()["items"].as_array().cloned().unwrap_or_default();
        let names: Vec<_> = list.iter().filter_map(|item| item["name"].as_str()).collect();
        assert_eq!(answer.json()["count"], names.len(), "{query}");
        names.join(", ")
    };

    assert_eq!(found("name=L").await, "Liver study, Lung study");
    assert_eq!(found("name=l").await, "", "upper and lower case differ");
    assert_eq!(found("name=100%25").await, "100% sure", "% is no wildcard");
    assert_eq!(found("name=under_").await, "under_score");
    assert_eq!(found("name=%C3%9C").await, "Ünder");
    assert_eq!(found("name=%25").await, "");
    assert_eq!(found("name='%20OR%20'1'='1").await, "");
    assert_eq!(found("id=lung&id=heart&id=beta-secret").await, "Heart study, Lung study");
    assert_eq!(found("id=lung&name=H").await, "");
    assert_eq!(found("id=&name=Lu").await, "Lung study");
}

async fn what_is_made_can_be_read(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let wanted = json!({"name": "Skin study", "description": "Of the skin"});

    let made = ada.post("/v1/projects", &wanted).await.expect(201);
    let again = ada.post("/v1/projects", &wanted).await;
    let read = ada.get(&format!("/v1/projects/{}", made.text("id"))).await.expect(200);

    assert_eq!(read.body, made.body);
    assert_eq!(again.refusal(), "409 already_exists");
    assert!(again.text("error").contains("already exists"), "{again:?}");
    // The other account has its own names.
    assert_eq!(made.text("name"), "Skin study");
    ada.post("/v1/projects", &json!({"name": "Secret study", "description": null}))
        .await
        .expect(201);

    let policy = json!({"name": "Read some", "policy": {"rules": {"readData": [
        {"resource.dataset": {"comparison": "equals", "value": "lung"}}
    ]}}});
    let made = ada.post("/v1/policies", &policy).await.expect(201);
    let read = ada.get("/v1/policies/Read%20some").await.expect(200);
    assert_eq!((made.json(), read.json()), (policy.clone(), policy.clone()));
    let again = ada.post("/v1/policies", &policy).await;
    assert_eq!(again.refusal(), "409 already_exists");
    let missing = ada.get("/v1/policies/No%20such").await;
    assert_eq!(missing.refusal(), "404 not_found");
}

async fn faults_of_a_policy_are_named_with_their_place(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let bad = json!({"name": "Bad", "policy": {"rules": {"readData": [{}, {"user.id": {"comparison": "gt", "value": 1}}]}}});

    let answer = ada.post("/v1/policies", &bad).await;

    assert_eq!(answer.refusal(), "400 invalid_policy");
    let pointers: Vec<_> = answer.json()["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap().to_owned())
        .collect();
    assert!(pointers.len() >= 2, "{answer:?}");
    assert!(pointers.iter().all(|at| at.starts_with("/policy/rules/readData/")), "{pointers:?}");
    assert_eq!(ada.get("/v1/policies/Bad").await.refusal(), "404 not_found");
}

async fn bad_input_is_refused_in_json(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let long = format!("name={}", "x".repeat(2_000));
    let many = "id=a&".repeat(101);
    for query in [
        "pageSize=0",
        "pageSize=-1",
        "pageSize=1001",
        "pageSize=99999999999999999999999",
        "pageSize=x",
        "pageSize=1&pageSize=2",
        "name=a&name=b",
        "name=%ff",
        "name=%00",
        "x=%00",
        "id=a%20b",
        "id=%27",
        "nextPageToken=x",
        "nextPageToken=AAAA",
        &*long,
        &*many,
    ] {
        let answer = ada.get(&format!("/v1/projects?{query}")).await;
        assert_eq!(answer.refusal(), "400 invalid_query", "{query}: {answer:?}");
    }
    let known = ada.get("/v1/projects?unknown=1&unknown=2&include=x").await;
    assert_eq!(known.status, 200, "what no operation knows does not matter");

    let deep = "[".repeat(100_000);
    let cases: &[(&str, &[u8], &str)] = &[
        ("application/json", b"{", "400 invalid_body"),
        ("application/json", b"", "400 invalid_body"),
        ("application/json", b"[]", "400 invalid_body"),
        ("application/json", b"{}", "400 invalid_body"),
        ("application/json", b"{\"name\":null}", "400 invalid_body"),
        ("application/json", b"{\"name\":1}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"  \"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"a\\u0000b\"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"a\\nb\"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"\xff\"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"\\ud800\"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"a\",\"name\":\"b\"}", "400 invalid_body"),
        ("application/json", b"{\"name\":\"a\",\"account\":\"beta\"}", "400 invalid_body"),
        ("application/json", deep.as_bytes(), "400 invalid_body"),
        ("text/plain", b"{\"name\":\"a\"}", "415 unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"name=a", "415 unsupported_media_type"),
    ];
    for (kind, body, expected) in cases {
        for path in ["/v1/projects", "/v1/policies"] {
            let answer = ada.send(Method::POST, path, kind, body.to_vec()).await;
            assert_eq!(answer.refusal(), *expected, "{path} {}", String::from_utf8_lossy(body));
        }
    }
    let name = json!({"name": "x".repeat(201)});
    assert_eq!(ada.post("/v1/projects", &name).await.refusal(), "400 invalid_body");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM projects").await, 4, "nothing was made");
}

async fn no_type_of_body_stands_against_a_get(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;

    for kind in
        ["application/json", "application/x-www-form-urlencoded;charset=utf-8", "x/y", "nonsense"]
    {
        for body in ["", "{", "a=b"] {
            let answer = ada.send(Method::GET, "/v1/projects", kind, body).await;
            assert_eq!(answer.status, 200, "{kind} {body}");
        }
    }
}

async fn case_66_a_policy_that_says_nothing_clear_grants_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let one = |attribute: &str, comparison: &str, operand: Value| json!({"readData": [{attribute: {"comparison": comparison, "value": operand}}]});
    let too_deep = (0..60).fold(json!("x"), |inner, _| json!([inner]));
    let refused = [
        json!({"readData": []}),
        json!({"readData": false}),
        json!({"readData": null}),
        json!({"readData": [{}]}),
        json!({"read data": true}),
        json!({"__proto__": true}),
        one("user.id", "matches", json!(".*")),
        one("user.id", "equals", json!(null)),
        one("user.id", "includes", json!({"toString": 1})),
        one("user.my-attr", "equals", json!("x")),
        one("user.id", "in", too_deep),
        one("user.id", "in", json!(vec!["x"; 100_000])),
    ];
    for rules in refused {
        let text = rules.to_string();
        let body = json!({"name": "P", "policy": {"rules": rules}});
        let answer = ada.post("/v1/policies", &body).await;
        assert!(
            ["400 invalid_policy", "413 too_large"].contains(&&*answer.refusal()),
            "{}: {answer:?}",
            text.chars().take(100).collect::<String>()
        );
    }

    // Conditions on what is not there, or is of another kind, hold for nobody.
    let app = portal(&server);
    let token = app.tokens(&server, &ben(&server)).await.access;
    for (number, rules) in [
        one("user.nothing", "notEquals", json!("x")),
        one("user.patients", "notIncludes", json!("x")),
        one("user.customAttributes.clearance", "equals", json!("3")),
        one("toString", "exists", json!(null)),
        one("user.constructor", "exists", json!(null)),
        one("user.groups.length", "equals", json!(0)),
        one("environment.acr", "notEquals", json!("x")),
    ]
    .into_iter()
    .enumerate()
    {
        let account = json!([{"id": "acme", "name": "Acme Hospital", "policies": [
            {"name": "Nurse Access", "rules": rules}
        ]}]);
        if server.try_apply(&json!({"accounts": account}).to_string()).await.is_err() {
            continue;
        }
        let answer = app.api("/v1/projects", &token, "acme").await;
        assert_eq!(answer.refusal(), "403 policy_denies", "{number}: {rules}");
    }
}

async fn case_70_a_page_token_is_good_where_it_was_given_out(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let token = async |path: &str| {
        let page = ada.get(&format!("{path}?pageSize=1")).await.expect(200).json();
        let next = page["links"]["next"].as_str().unwrap().to_owned();
        next.split("nextPageToken=").nth(1).unwrap().to_owned()
    };
    let projects = token("/v1/projects").await;
    let groups = token("/v1/account/groups").await;
    let ask = async |path: &str, token: &str| {
        ada.get(&format!("{path}?nextPageToken={token}")).await.refusal()
    };

    assert_eq!(ask("/v1/projects", &projects).await, "200 ");
    assert_eq!(ask("/v1/account/groups", &projects).await, "400 invalid_query");
    assert_eq!(ask("/v1/policies", &projects).await, "400 invalid_query");
    assert_eq!(ask("/v1/projects", &groups).await, "400 invalid_query");
    let upper = projects.to_uppercase();
    assert_eq!(ask("/v1/projects", &upper).await, "400 invalid_query");
    let cut = &projects[..projects.len() - 1];
    assert_eq!(ask("/v1/projects", cut).await, "400 invalid_query");
    assert_eq!(ask("/v1/projects", &format!("{projects}A")).await, "400 invalid_query");
    assert_eq!(ask("/v1/projects", &format!("{projects}=")).await, "400 invalid_query");
}

async fn case_75_a_large_body_is_refused_before_it_is_read(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of_ada(&server).await;
    let large = json!({"name": "x".repeat(1024 * 1024)}).to_string();

    let answer = ada.send(Method::POST, "/v1/projects", "application/json", large.clone()).await;
    assert_eq!(answer.refusal(), "413 too_large");
    // Nobody who is not let in is listened to.
    let answer = ada.app.http.post_json("/v1/projects", &[], large).await;
    assert_eq!(answer.refusal(), "401 missing_token");
}
