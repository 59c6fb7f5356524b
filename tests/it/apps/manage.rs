//! Registering apps and administering them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::apps::{Api, start};
use crate::common::actors::{ClientApp, Person};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev, eve};

both!(
    developers_see_what_they_registered_and_administrators_all,
    case_64_nobody_says_of_an_app_what_is_not_theirs,
    case_64_software_does_not_administer_itself,
    case_65_who_may_not_ask_about_others_has_no_app_ask,
    case_59_no_path_reaches_another_tenants_app,
    an_app_is_switched_on_and_off_for_everybody_at_once,
    secrets_overlap_and_are_shown_once,
);

const CALLBACK: &str = "https://notes.example/cb";

fn notes() -> Value {
    json!({"title": "Notes", "callbackUrls": [CALLBACK], "allowedScopes": ["openid", "project.read"]})
}

/// An app that was made by a test, as its developer knows it.
pub fn made(server: &TestServer, id: &str, secret: Option<String>) -> ClientApp {
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    ClientApp {
        id: leaked(id.to_owned()),
        secret: secret.map(leaked),
        redirect_uri: CALLBACK,
        scope: "openid project.read",
        http: server.browser(),
    }
}

async fn developers_see_what_they_registered_and_administrators_all(db: Kind) {
    let server = start(db).await;
    let (ada, dev) = (ada(&server), dev(&server));
    let (ada, dev) = (Api::of(&server, &ada, "acme").await, Api::of(&server, &dev, "acme").await);
    let ben = Api::of(&server, &ben(&server), "acme").await;

    let made = dev.post("/v1/apps", &notes()).await.expect(201).json();
    let path = format!("/v1/apps/{}", made["id"].as_str().expect("an id"));

    assert_eq!((&made["status"], &made["type"]), (&json!("developing"), &json!("public")));
    assert_eq!(made["allowedAccounts"], json!(["acme"]));
    assert_eq!(made["defaultScopes"], json!(["openid", "project.read"]));
    assert_eq!((made["registeredBy"].as_str(), made.get("secret")), (Some("dev"), None));
    let count = |list: Value| list["items"].as_array().map(Vec::len);
    assert_eq!(count(dev.get("/v1/apps").await.expect(200).json()), Some(1));
    assert!(count(ada.get("/v1/apps").await.expect(200).json()) > Some(3));
    assert_eq!(count(ada.get("/v1/apps?name=Not").await.expect(200).json()), Some(1));
    assert_eq!(dev.get("/v1/apps/backend").await.refusal(), "404 not_found");
    ada.get("/v1/apps/backend").await.expect(200);
    for path in ["/v1/apps", &path] {
        assert_eq!(ben.get(path).await.refusal(), "403 policy_denies");
    }

    let changed = dev.patch(&path, &json!({"title": "My notes", "url": null})).await.expect(200);
    assert_eq!(changed.json()["callbackUrls"], json!([CALLBACK]), "what is not named stays");
    assert_eq!(ada.get(&path).await.text("title"), "My notes");
    assert_eq!(dev.delete(&path).await.status, 204);
    assert_eq!(dev.get(&path).await.refusal(), "404 not_found");
    let recorded = "SELECT COUNT(*) AS n FROM audit_entries WHERE kind = 'app' AND user_id = 'dev'";
    assert_eq!(server.count(recorded).await, 3);
}

async fn case_64_nobody_says_of_an_app_what_is_not_theirs(db: Kind) {
    let server = start(db).await;
    let ada = Api::of(&server, &ada(&server), "acme").await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let with = |name: &str, value: Value| {
        let mut body = notes();
        body[name] = value;
        body
    };
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

    for (name, value, refusal) in [
        ("status", json!("live"), "400 invalid_body"),
        ("id", json!("portal"), "400 invalid_body"),
        ("account", json!("beta"), "400 invalid_body"),
        ("iconUrl", json!("https://evil.example/x.svg"), "400 invalid_body"),
        ("clientMetadata", json!({"may_impersonate": true}), "400 invalid_body"),
        ("may_take_passwords", json!(true), "400 invalid_body"),
        ("customClaims", json!([]), "400 invalid_body"),
        ("callbackUrls", json!(["javascript:alert(1)"]), "400 invalid_body"),
        ("callbackUrls", json!(["http://notes.example/cb"]), "400 invalid_body"),
        ("allowedScopes", json!(["no.such"]), "400 invalid_app"),
        ("title", json!("a\u{202e}b"), "400 invalid_app"),
        ("url", json!("javascript:alert(1)"), "400 invalid_app"),
        ("accessTokenSeconds", json!(86_401), "400 invalid_app"),
        ("grantTypes", json!(["authorization_code", exchange]), "400 invalid_app"),
        ("allowedAccounts", json!("all"), "409 needs_review"),
        ("allowedAccounts", json!(["acme", "beta"]), "409 needs_review"),
        ("allowedScopes", json!(["openid", "policy.write"]), "409 needs_review"),
    ] {
        let body = with(name, value);
        assert_eq!(dev.post("/v1/apps", &body).await.refusal(), refusal, "{body}");
        let path = format!("/v1/apps/{id}");
        assert_eq!(dev.patch(&path, &body).await.refusal(), refusal, "{body}");
        let drafted = dev.put(&format!("{path}/review"), &json!({"app": body})).await;
        let asked = if refusal == "409 needs_review" {
            drafted.status == 200
        } else {
            drafted.refusal() == refusal
        };
        assert!(asked, "what needs a review can be asked for, and nothing else: {drafted:?}");
    }
    assert_eq!(
        dev.put(&format!("/v1/apps/{id}/status"), &json!({"status": "live"})).await.refusal(),
        "409 needs_review"
    );
    let administrative = with("allowedScopes", json!(["openid", "policy.write"]));
    ada.post("/v1/apps", &administrative).await.expect(201);
    assert_eq!(
        ada.post("/v1/apps", &with("allowedAccounts", json!("all"))).await.refusal(),
        "409 needs_review"
    );
    let faults = dev.post("/v1/apps", &with("accessTokenSeconds", json!(0))).await.json();
    assert_eq!(faults["faults"][0]["field"], "accessTokenSeconds");
}

async fn case_64_software_does_not_administer_itself(db: Kind) {
    let server = start(db).await;
    let ada = Api::of(&server, &ada(&server), "acme").await;

    for (method, path, body) in [
        (Method::PATCH, "", json!({"allowedScopes": ["openid"]})),
        (Method::PUT, "/status", json!({"status": "disabled"})),
        (Method::PUT, "/review", json!({"note": "x"})),
        (Method::POST, "/review", Value::Null),
        (Method::DELETE, "/review", Value::Null),
        (Method::POST, "/secrets", json!({})),
        (Method::DELETE, "/logo", Value::Null),
        (Method::DELETE, "", Value::Null),
    ] {
        let path = format!("/v1/apps/portal{path}");
        assert_eq!(
            ada.json(method.clone(), &path, &body).await.refusal(),
            "403 own_app",
            "{method} {path}"
        );
    }
    ada.get("/v1/apps/portal").await.expect(200);
}

async fn case_59_no_path_reaches_another_tenants_app(db: Kind) {
    let server = start(db).await;
    let eve = Api::of(&server, &eve(&server), "beta").await;
    eve.get("/v1/apps/betaware").await.expect(200);

    for (method, path, body) in [
        (Method::GET, "", Value::Null),
        (Method::PATCH, "", json!({"title": "x"})),
        (Method::PUT, "/status", json!({"status": "disabled"})),
        (Method::GET, "/secrets", Value::Null),
        (Method::POST, "/secrets", json!({})),
        (Method::DELETE, "/secrets/0123456789abcdef", Value::Null),
        (Method::DELETE, "/logo", Value::Null),
        (Method::GET, "/review", Value::Null),
        (Method::PUT, "/review", json!({})),
        (Method::POST, "/review", Value::Null),
        (Method::DELETE, "/review", Value::Null),
        (Method::DELETE, "", Value::Null),
    ] {
        let path = format!("/v1/apps/backend{path}");
        let answer = eve.json(method.clone(), &path, &body).await;
        assert_eq!(answer.refusal(), "404 not_found", "{method} {path}");
    }
    let elsewhere = Api { account: "acme", ..eve };
    assert_eq!(elsewhere.get("/v1/apps").await.refusal(), "403 not_a_member");
}

async fn an_app_is_switched_on_and_off_for_everybody_at_once(db: Kind) {
    let server = start(db).await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let (app, ben) = (made(&server, &id, None), ben(&server));
    let status = format!("/v1/apps/{id}/status");
    let refused = ben.authorize(&server, &app.authorize_url()).await;
    assert_eq!(refused.location_param("error").as_deref(), Some("access_denied"));

    admin.put(&status, &json!({"status": "live"})).await.expect(200);
    let tokens = app.tokens(&server, &ben).await;
    app.api("/v1/projects", &tokens.access, "acme").await.expect(200);
    dev.put(&status, &json!({"status": "disabled"})).await.expect(200);

    let answer = app.api("/v1/projects", &tokens.access, "acme").await;
    assert_eq!(answer.refusal(), "401 invalid_token");
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 unauthorized_client");
    assert_eq!(ben.browser.get(&app.authorize_url()).await.refusal(), "400 page");
    server.deliver().await;
    dev.put(&status, &json!({"status": "developing"})).await.expect(200);
    for off in ["disabled", "disabled"] {
        admin.put(&status, &json!({ "status": off })).await.expect(200);
    }
    let answer = dev.put(&status, &json!({"status": "developing"})).await;
    assert_eq!(answer.refusal(), "409 needs_review", "what somebody else switched off stays so");
    admin.put(&status, &json!({"status": "live"})).await.expect(200);
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant", "gone for good");
    let tokens = app.tokens(&server, &ben).await;
    app.api("/v1/projects", &tokens.access, "acme").await.expect(200);

    let less = json!({"allowedScopes": ["openid"]});
    admin.patch(&format!("/v1/apps/{id}"), &less).await.expect(200);
    let answer = app.api("/v1/projects", &tokens.access, "acme").await;
    assert_eq!(answer.refusal(), "403 insufficient_scope", "what the app lost its tokens lost");
}

async fn secrets_overlap_and_are_shown_once(db: Kind) {
    let server = start(db).await;
    let ada = Api::of(&server, &ada(&server), "acme").await;
    let body = json!({
        "title": "Nightly", "type": "confidential", "grantTypes": ["client_credentials"],
        "allowedScopes": ["project.read"],
    });
    let first = ada.post("/v1/apps", &body).await.expect(201);
    let (id, old) = (first.text("id"), first.text("secret"));
    let path = format!("/v1/apps/{id}");
    ada.put(&format!("{path}/status"), &json!({"status": "live"})).await.expect(200);
    let works = async |secret: &str| {
        let app = made(&server, &id, Some(secret.to_owned()));
        app.client_credentials("project.read").await.status == 200
    };
    assert!(works(&old).await);

    let second = ada.post(&format!("{path}/secrets"), &json!({"overlapSeconds": 60})).await;
    let (new, name) = (second.text("secret"), second.expect(201).text("name"));

    assert!(works(&old).await && works(&new).await);
    let listed = ada.get(&format!("{path}/secrets")).await.expect(200);
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(2));
    for shown in [&listed, &ada.get(&path).await, &ada.get("/v1/apps").await] {
        assert!(!shown.body.contains(&old) && !shown.body.contains(&new), "shown once");
    }
    server.advance(TimeDelta::seconds(61));
    assert!(!works(&old).await && works(&new).await);
    let ended = ada.delete(&format!("{path}/secrets/{name}")).await;
    assert_eq!(ended.status, 204);
    assert!(!works(&new).await);
    let third = ada.post(&format!("{path}/secrets"), &json!({"overlapSeconds": 60})).await;
    third.expect(201);
    ada.post(&format!("{path}/secrets"), &json!({"overlapSeconds": 60})).await.expect(201);
    let over = ada.post(&format!("{path}/secrets"), &json!({})).await;
    assert_eq!(over.refusal(), "409 too_many_secrets", "none ends before its time unasked");
    let too_long = json!({"overlapSeconds": 30 * 86_400 + 1});
    assert_eq!(ada.post(&format!("{path}/secrets"), &too_long).await.refusal(), "400 invalid_app");
    let public = ada.post("/v1/apps/legacy/secrets", &json!({})).await;
    assert_eq!(public.refusal(), "400 invalid_app", "a public app keeps none");
}

async fn case_65_who_may_not_ask_about_others_has_no_app_ask(db: Kind) {
    let server = start(db).await;
    server
        .apply(
            "users: [{ id: bil, username: bil, password: bil-correct-horse }]
accounts:
  - id: acme
    name: Acme Hospital
    groups: [{ id: acme-bil, name: Bil, members: [bil] }]
    policies:
      - name: Bil
        rules: { accountAdmin: [{ user.groups: { comparison: includes, value: acme-bil } }] }",
        )
        .await;
    let bil = Person { username: "bil", password: "bil-correct-horse", ..ben(&server) };
    let (bil, ada) =
        (Api::of(&server, &bil, "acme").await, Api::of(&server, &ada(&server), "acme").await);
    let mut asking = notes();
    asking["allowedScopes"] = json!(["openid", "decision.ask"]);

    assert_eq!(bil.post("/v1/apps", &asking).await.refusal(), "409 needs_review");
    let plain = bil.post("/v1/apps", &notes()).await.expect(201).text("id");
    let change = json!({"allowedScopes": ["openid", "decision.ask"]});
    let changed = bil.json(Method::PATCH, &format!("/v1/apps/{plain}"), &change).await;
    assert_eq!(changed.refusal(), "409 needs_review");
    ada.post("/v1/apps", &asking).await.expect(201);
}
