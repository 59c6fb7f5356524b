//! A service in Rust behind the layer of the library: a real axum app before a real Narthex.

use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Path};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderMap, Method};
use narthex::base::secret::Secret;
use narthex::config::model::Outbound;
use narthex::resource::layer::{Ask, Guard, Need, Settings};
use narthex::resource::token::Verified;
use serde_json::json;
use tokio::net::TcpListener;

use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ben, portal};
use crate::gateway::{machine, reader, start};

both!(a_service_lets_those_through_whom_the_decision_point_permits);

/// What a request to the service needs.
fn rule(parts: &Parts) -> Option<Need> {
    let study = parts.uri.path().strip_prefix("/studies/");
    match (&parts.method, study) {
        (&Method::GET, Some(id)) => {
            Some(Need::scope("handbook.read").and(Ask::new("readData", "project", id)))
        }
        (&Method::GET, None) if parts.uri.path() == "/about" => Some(Need::scope("handbook.read")),
        _ => None,
    }
}

async fn study(Path(id): Path<String>, who: Extension<Verified>, headers: HeaderMap) -> String {
    let user = headers.get("lifeomic-user").and_then(|user| user.to_str().ok());
    let policy = headers.contains_key("lifeomic-policy");
    format!("{id} {} {} {policy}", user.unwrap_or("nobody"), who.client)
}

async fn service(server: &TestServer, issuer: &str) -> Browser {
    let settings = Settings::new(issuer, &server.url, "acme".parse().unwrap());
    let outbound = Outbound { allowed_hosts: vec!["127.0.0.1".to_owned()], ca_file: None };
    let secret = Secret::presented(machine(server).secret.unwrap().to_owned());
    let guard = Guard::new(&settings, &outbound, server.clock.clone())
        .unwrap()
        .asking(&"machine".parse().unwrap(), &secret);
    let app = Router::new()
        .route("/studies/{id}", get(study).post(study))
        .route("/about", get(async || "about"))
        .layer(guard.layer(rule));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum_serve(listener, app).await });
    Browser::new(&url)
}

/// `axum::serve` without the feature that it needs.
async fn axum_serve(listener: TcpListener, app: Router) {
    let stop = tokio_util::sync::CancellationToken::new();
    narthex::http::serve::serve(app, listener, stop).await;
}

async fn a_service_lets_those_through_whom_the_decision_point_permits(db: Kind) {
    let server = start(db).await;
    let http = service(&server, &server.url).await;
    let token = reader(&server).tokens(&server, &ben(&server)).await.access;
    let bearer = format!("Bearer {token}");
    let own = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let get = async |path: &str, headers: &[(&str, &str)]| http.get_with(path, headers).await;

    let forged = [("lifeomic-user", "ada"), ("lifeomic-policy", "{}")];
    let passed = get("/studies/heart", &[&own[..], &forged].concat()).await.expect(200);

    assert_eq!(passed.body, "heart ben reader false");
    assert_eq!(get("/about", &own).await.expect(200).body, "about");
    assert_eq!(get("/studies/liver", &own).await.refusal(), "403 policy_denies");
    assert_eq!(get("/studies/heart", &own[..1]).await.refusal(), "403 account_required");
    let beta = [own[0], ("lifeomic-account", "beta")];
    assert_eq!(get("/studies/heart", &beta).await.refusal(), "403 account_required");
    assert_eq!(get("/studies/heart", &own[1..]).await.refusal(), "401 missing_token");
    let closed = http.send(Method::POST, "/studies/heart", &own, "").await;
    assert_eq!(closed.refusal(), "403 not_allowed");
    let other = portal(&server).tokens(&server, &ben(&server)).await.access;
    let other = format!("Bearer {other}");
    let scopeless = [("authorization", &*other), own[1]];
    assert_eq!(get("/studies/heart", &scopeless).await.refusal(), "403 insufficient_scope");

    let now = server.now();
    let mut claims = json!({
        "iss": server.url, "aud": server.url, "sub": "ben", "client_id": "reader",
        "scope": "handbook.read", "iat": now, "exp": now + 60, "jti": "j1",
    });
    for (typ, name, value) in [
        ("JWT", "scope", json!("handbook.read")),
        ("at+jwt", "aud", json!("https://elsewhere.example")),
        ("at+jwt", "iss", json!("https://elsewhere.example")),
        ("at+jwt", "exp", json!(now)),
        ("at+jwt", "cnf", json!({"jkt": "x"})),
    ] {
        let held = claims[name].take();
        claims[name] = value;
        let bent = format!("Bearer {}", server.sign(typ, &claims));
        let answer = get("/about", &[("authorization", &*bent), own[1]]).await;
        assert_eq!(answer.refusal(), "401 invalid_token", "{typ} {name}");
        if held.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = held;
        }
    }

    // What was taken away is refused by the next request.
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE, groups: [{ id: acme-nurses, name: Nurses, members: [] }] }]")
        .await;
    assert_eq!(get("/studies/heart", &own).await.refusal(), "403 policy_denies");

    // Nobody answers there: nobody passes.
    let blind = service(&server, "http://127.0.0.1:9").await;
    let answer =
        tokio::time::timeout(Duration::from_secs(20), blind.get_with("/about", &own)).await;
    assert_eq!(answer.unwrap().refusal(), "503 temporarily_unavailable");
}
