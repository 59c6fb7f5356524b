//! One account and the next: nothing leads from one into the other.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, eve, portal};

both!(
    case_59_no_id_of_another_account_opens_anything,
    case_59_what_is_made_is_made_in_the_account_of_the_header,
    case_63_nobody_grants_what_they_do_not_hold,
    case_69_a_token_of_another_server_is_worth_nothing,
);

async fn post(app: &ClientApp, token: &str, account: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", &*bearer),
        ("lifeomic-account", account),
        ("content-type", "application/json"),
    ];
    app.http.send(Method::POST, path, &headers, body.to_string()).await
}

/// eve administers beta, and tries everything of acme there.
async fn case_59_no_id_of_another_account_opens_anything(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let token = app.tokens(&server, &eve(&server)).await.access;
    let get = async |path: &str, account: &str| app.api(path, &token, account).await;

    // One that is there, in another account, looks like one that is not.
    for (theirs, nobodys) in [
        ("/v1/projects/heart", "/v1/projects/no-such"),
        ("/v1/policies/Nurse%20Access", "/v1/policies/No%20such"),
    ] {
        let (theirs, nobodys) = (get(theirs, "beta").await, get(nobodys, "beta").await);
        assert_eq!(theirs.refusal(), "404 not_found");
        assert_eq!(theirs.body, nobodys.body);
        assert_eq!(theirs.headers.len(), nobodys.headers.len());
    }
    let listed = get("/v1/projects?id=heart&id=beta-secret&include=count", "beta").await;
    assert_eq!(listed.json()["count"], 1);
    assert!(!listed.body.contains("Heart"), "{listed:?}");
    for path in ["/v1/projects", "/v1/account/groups", "/v1/policies", "/v1/accounts"] {
        let answer = get(path, "beta").await.expect(200);
        assert!(!answer.body.contains("acme") && !answer.body.contains("Nurse"), "{answer:?}");
        assert_eq!(get(path, "acme").await.refusal(), "403 not_a_member", "{path}");
    }
    assert_eq!(get("/v1/accounts/acme", "beta").await.refusal(), "400 invalid_account");
    assert_eq!(get("/v1/accounts/acme", "acme").await.refusal(), "403 not_a_member");

    // A page token of acme leads nowhere in beta.
    let of_ada = app.tokens(&server, &ada(&server)).await.access;
    let page = app.api("/v1/projects?pageSize=1", &of_ada, "acme").await.expect(200).json();
    let next = page["links"]["next"].as_str().unwrap().to_owned();
    assert_eq!(get(&next, "beta").await.refusal(), "400 invalid_query");
}

async fn case_59_what_is_made_is_made_in_the_account_of_the_header(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let token = app.tokens(&server, &eve(&server)).await.access;
    let project = json!({"name": "Heart study"});
    let policy = json!({"name": "Nurse Access", "policy": {"rules": {"readData": true}}});

    for (path, body) in [("/v1/projects", &project), ("/v1/policies", &policy)] {
        let there = post(&app, &token, "acme", path, body).await;
        assert_eq!(there.refusal(), "403 not_a_member", "{path}");
        let mut smuggled = body.clone();
        smuggled["account"] = "acme".into();
        let smuggled = post(&app, &token, "beta", path, &smuggled).await;
        assert_eq!(smuggled.refusal(), "400 invalid_body", "{path}");
        // The same name in one's own account is free.
        post(&app, &token, "beta", path, body).await.expect(201);
    }

    let of_acme = "SELECT COUNT(*) AS n FROM projects WHERE account_id = 'acme'";
    assert_eq!(server.count(of_acme).await, 3);
    let of_acme = "SELECT COUNT(*) AS n FROM policies WHERE account_id = 'acme'";
    assert_eq!(server.count(of_acme).await, 3);
}

async fn case_63_nobody_grants_what_they_do_not_hold(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let token = app.tokens(&server, &ada(&server)).await.access;
    let create = async |name: &str, rules: Value| {
        let body = json!({"name": name, "policy": {"rules": rules}});
        post(&app, &token, "acme", "/v1/policies", &body).await
    };

    for privilege in ["accountAdmin", "billingAdmin", "developApps", "layoutAdmin"] {
        let answer = create("More", json!({"readData": true, privilege: true})).await;
        assert_eq!(answer.refusal(), "403 grants_more_than_held", "{privilege}");
        assert_eq!(answer.text("privilege"), privilege);
        let to_herself = json!([{"user.id": {"comparison": "equals", "value": "ada"}}]);
        let answer = create("More", json!({ privilege: to_herself })).await;
        assert_eq!(answer.refusal(), "403 grants_more_than_held", "{privilege}");
    }
    // What opens nothing more may be given by whoever administers all access: keys of one's own, and
    // an operation that the account has only now.
    create("Keys", json!({"apiKeyUser": true, "ownThing": true})).await.expect(201);
    // What already stands is not rewritten by making it again.
    let answer = create("Administrator Access", json!({"readData": true})).await;
    assert_eq!(answer.refusal(), "409 already_exists");
    create("Less", json!({"readData": true, "accessAdmin": true})).await.expect(201);
}

/// Two servers with one world: what one signs, the other does not take.
async fn case_69_a_token_of_another_server_is_worth_nothing(db: Kind) {
    let (staging, production) = (TestServer::start(db).await, TestServer::start(db).await);
    let token = portal(&staging).tokens(&staging, &ada(&staging)).await.access;

    portal(&staging).api("/v1/projects", &token, "acme").await.expect(200);
    let answer = portal(&production).api("/v1/projects", &token, "acme").await;

    assert_eq!(answer.refusal(), "401 invalid_token");
}
