//! Accounts, their groups and people, and invitations, over HTTP.

mod accepting;
mod accounts;
mod busy;
mod groups;
mod invitations;
mod leaving;
mod patients;

use reqwest::Method;
use serde_json::Value;

use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::server::TestServer;
use crate::common::world::portal;

/// Somebody who uses the API with the portal.
pub struct Desk {
    pub app: ClientApp,
    pub token: String,
}

impl Desk {
    pub async fn of(server: &TestServer, person: &Person) -> Self {
        let app = portal(server);
        let token = app.tokens(server, person).await.access;
        Self { app, token }
    }

    /// Somebody who shows another token.
    pub fn holding(server: &TestServer, token: &str) -> Self {
        Self { app: portal(server), token: token.to_owned() }
    }

    /// A request about an account; an empty one names none.
    pub async fn ask(&self, method: Method, path: &str, account: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", &*bearer)];
        if !account.is_empty() {
            headers.push(("lifeomic-account", account));
        }
        headers.push(("content-type", "application/json"));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.app.http.send(method, path, &headers, body).await
    }

    pub async fn get(&self, path: &str, account: &str) -> Answer {
        self.ask(Method::GET, path, account, &Value::Null).await
    }

    pub async fn post(&self, path: &str, account: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, account, &body).await
    }

    pub async fn put(&self, path: &str, account: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, account, &body).await
    }

    pub async fn patch(&self, path: &str, account: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, account, &body).await
    }

    pub async fn delete(&self, path: &str, account: &str) -> Answer {
        self.ask(Method::DELETE, path, account, &Value::Null).await
    }
}

/// The members `name` of the items of a list.
pub fn each(answer: &Answer, name: &str) -> Vec<String> {
    let list = answer.json()["items"].as_array().cloned().expect("a list");
    list.iter().map(|item| item[name].as_str().unwrap_or_default().to_owned()).collect()
}
