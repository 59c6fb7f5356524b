//! Apps over the API: registering them, having them looked at, signing in without our pages.

mod blocks;
mod consents;
pub mod direct;
pub mod logos;
mod manage;
mod review;
mod sign_up;

use reqwest::Method;
use serde_json::Value;

use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::portal;

/// Administrators of accounts, and a second app through which apps are administered.
const ADMINISTRATORS: &str = "
accounts:
  - id: acme
    name: Acme Hospital
    policies:
      - name: Account Access
        rules: { accountAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }] }
  - id: beta
    name: Beta Clinic
    policies:
      - { name: Account Access, rules: { accountAdmin: true } }
";

/// A server whose platform is beta.
async fn start(db: Kind) -> TestServer {
    let beta = "beta".parse().expect("an account");
    let server =
        TestServer::start_with(db, |config| config.registration.platform_account = Some(beta))
            .await;
    server.apply(include_str!("common/world.yaml")).await;
    server.apply(ADMINISTRATORS).await;
    server
}

/// Somebody with a token of the portal.
struct Api {
    http: Browser,
    bearer: String,
    account: &'static str,
}

impl Api {
    async fn of(server: &TestServer, person: &Person, account: &'static str) -> Self {
        let token = portal(server).tokens(server, person).await.access;
        Self { http: server.browser(), bearer: format!("Bearer {token}"), account }
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: &[u8]) -> Answer {
        let mut headers = vec![("authorization", &*self.bearer), ("content-type", kind)];
        if !self.account.is_empty() {
            headers.push(("lifeomic-account", self.account));
        }
        self.http.send(method, path, &headers, body.to_vec()).await
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, "application/json", body.as_bytes()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.json(Method::GET, path, &Value::Null).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.json(Method::DELETE, path, &Value::Null).await
    }
}
