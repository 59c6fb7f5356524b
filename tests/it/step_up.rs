//! A sign-in that is too weak or too old for a route, and the way out of it. Source: RFC 9470.

use chrono::TimeDelta;
use narthex::config::step_up::StepUp;

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, portal};

both!(
    rfc9470_3_an_old_sign_in_is_told_how_to_go_on,
    rfc9470_3_a_weak_sign_in_is_told_how_to_go_on,
    rfc9470_6_2_resource_servers_learn_of_the_sign_in,
);

async fn start(db: Kind, step_up: StepUp) -> TestServer {
    let server = TestServer::start_with(db, |config| config.step_up = step_up).await;
    server.apply(include_str!("common/world.yaml")).await;
    server
}

/// Adds a policy: a route that is sensitive.
async fn write(app: &ClientApp, token: &str, name: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let body = format!(r#"{{"name": "{name}", "policy": {{"rules": {{}}}}}}"#);
    app.http.post_json("/v1/policies", &headers, body).await
}

async fn rfc9470_3_an_old_sign_in_is_told_how_to_go_on(db: Kind) {
    let rules = StepUp { max_age_seconds: Some(600), ..StepUp::default() };
    let server = start(db, rules).await;
    let (app, ada) = (portal(&server), ada(&server));
    let token = app.tokens(&server, &ada).await.access;

    let fresh = write(&app, &token, "One").await;
    server.advance(TimeDelta::seconds(601));
    let old = write(&app, &token, "Two").await;
    assert_ne!(fresh.status, 401, "{fresh:?}");
    assert_eq!(old.refusal(), "401 insufficient_user_authentication", "{old:?}");
    let challenge = old.header("www-authenticate");
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("max_age=\"600\"") && !challenge.contains("acr"), "{challenge}");
    // What is not sensitive stays open.
    assert_eq!(app.api("/v1/policies", &token, "acme").await.status, 200);
    // The app does what it was told.
    let url = app.authorize_url_with(&[("max_age", "600")]);
    let code = app.code_for(&server, &ada, &url).await;
    let token = app.exchange(&code).await.text("access_token");
    let answer = write(&app, &token, "Three").await;
    assert_eq!(answer.status, fresh.status, "{answer:?}");
}

async fn rfc9470_3_a_weak_sign_in_is_told_how_to_go_on(db: Kind) {
    let two = "urn:narthex:acr:2".to_owned();
    let rules = StepUp { acr_values: vec![two], ..StepUp::default() };
    let server = start(db, rules).await;
    let app = portal(&server);
    let weak = crate::common::world::ben(&server);
    let weak = app.tokens(&server, &weak).await.access;
    let strong = app.tokens(&server, &ada(&server)).await.access;

    let refused = write(&app, &weak, "One").await;
    let passed = write(&app, &strong, "Two").await;

    assert_eq!(refused.refusal(), "401 insufficient_user_authentication", "{refused:?}");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("acr_values=\"urn:narthex:acr:2\""), "{challenge}");
    assert!(!challenge.contains("max_age"), "{challenge}");
    assert_ne!(passed.status, 401, "{passed:?}");
    let own = backend(&server).client_credentials("project.read").await.text("access_token");
    let own = write(&app, &own, "Three").await;
    assert_eq!(own.refusal(), "403 insufficient_scope", "the scope comes first");
}

async fn rfc9470_6_2_resource_servers_learn_of_the_sign_in(db: Kind) {
    let server = TestServer::start(db).await;
    let token = portal(&server).tokens(&server, &ada(&server)).await.access;

    let told = backend(&server).introspect(&token).await.json();
    assert_eq!(told["acr"], "urn:narthex:acr:2");
    assert_eq!(told["auth_time"], server.now());
    let own = backend(&server).client_credentials("project.read").await.text("access_token");
    let told = backend(&server).introspect(&own).await.json();
    assert!(told.get("acr").is_none() && told.get("auth_time").is_none());
}
