//! Somebody at the resource API, in one account.

use reqwest::Method;
use serde_json::Value;

use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::server::TestServer;
use crate::common::world::portal;

/// Who asks, and which account the requests are about.
pub struct Session {
    pub app: ClientApp,
    pub token: String,
    pub account: &'static str,
}

impl Session {
    /// Somebody who uses the portal.
    pub async fn of(server: &TestServer, person: &Person, account: &'static str) -> Self {
        let app = portal(server);
        let token = app.tokens(server, person).await.access;
        Self { app, token, account }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.api(path, &self.token, self.account).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, body).await
    }

    /// Clients say that a request without a body is a form.
    pub async fn delete(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", &*bearer),
            ("lifeomic-account", self.account),
            ("content-type", "application/x-www-form-urlencoded;charset=utf-8"),
        ];
        self.app.http.send(Method::DELETE, path, &headers, "").await
    }

    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", &*bearer),
            ("lifeomic-account", self.account),
            ("content-type", "application/json"),
        ];
        self.app.http.send(method, path, &headers, body.to_string()).await
    }
}

/// The ids (or names) of a list.
pub fn ids(answer: &Answer) -> String {
    let list = answer.json()["items"].as_array().cloned().unwrap_or_default();
    let id = |item: &Value| item.get("id").unwrap_or(&item["name"]).as_str().map(str::to_owned);
    list.iter().filter_map(id).collect::<Vec<_>>().join(" ")
}
