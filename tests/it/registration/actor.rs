//! Developers who register apps over HTTP.

use narthex::config::registration::{Registration, RegistrationMode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::server::TestServer;

/// Where registered apps want their users back.
pub const CALLBACK: &str = "https://app.example/callback";

/// The world, on a server where everybody may register apps for acme.
pub async fn open_server(db: Kind) -> TestServer {
    server_with(db, |rules| rules.per_hour_max = 10_000).await
}

/// The world, on a server where everybody may register apps for acme, with the rules bent.
pub async fn server_with(db: Kind, bend: impl FnOnce(&mut Registration)) -> TestServer {
    let server = TestServer::start_with(db, |config| {
        config.registration.mode = RegistrationMode::Open;
        config.registration.account = Some("acme".parse().expect("an account"));
        config.outbound.allowed_hosts = vec!["127.0.0.1".to_owned()];
        bend(&mut config.registration);
    })
    .await;
    server.apply(include_str!("../common/world.yaml")).await;
    server
}

/// A registration that is good.
pub fn good() -> Value {
    json!({
        "client_name": "Notebook",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email",
    })
}

/// A good registration with one field more, or another one.
pub fn with(name: &str, value: Value) -> Value {
    let mut asked = good();
    asked[name] = value;
    asked
}

/// Registers an app.
pub async fn register(server: &TestServer, asked: &Value) -> Answer {
    server.browser().post_json("/register", &[], asked.to_string()).await
}

/// Registers an app with an initial access token.
pub async fn register_by(server: &TestServer, token: &str, asked: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    server.browser().post_json("/register", &headers, asked.to_string()).await
}

/// Asks the place where a registration is managed.
pub async fn manage(method: Method, told: &Value, token: &str, body: Option<&Value>) -> Answer {
    let uri = told["registration_client_uri"].as_str().expect("a place");
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("authorization", &*bearer)];
    headers.extend(body.map(|_| ("content-type", "application/json")));
    let http = crate::common::browser::Browser::new("");
    http.send(method, uri, &headers, body.map(Value::to_string).unwrap_or_default()).await
}

/// The registration access token of an answer.
pub fn token(told: &Value) -> &str {
    told["registration_access_token"].as_str().expect("a token")
}

/// A registered app, as its developer knows it.
pub fn client(server: &TestServer, told: &Value) -> ClientApp {
    let text = |name: &str| told[name].as_str().map(|text| &*text.to_owned().leak());
    let callback = told["redirect_uris"][0].as_str().unwrap_or_default();
    ClientApp {
        id: text("client_id").expect("an id"),
        secret: text("client_secret"),
        redirect_uri: callback.to_owned().leak(),
        scope: text("scope").expect("a scope"),
        http: server.browser(),
    }
}
