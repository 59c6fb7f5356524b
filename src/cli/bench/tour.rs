//! Connections that do one thing after another, and then from the beginning; and what is asked so.

use std::sync::Arc;

use anyhow::Context as _;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::cli::bench::client::{Client, Fault, Site, Template};
use crate::cli::bench::load::Worker;
use crate::cli::bench::store_accounts::{USERS, account_id, may_read};
use crate::cli::bench::target::Credentials;

/// A connection; all answers must contain the same text.
#[derive(Debug)]
pub struct Tour {
    client: Client,
    templates: Arc<[Template]>,
    next: usize,
    says: &'static str,
}

impl Tour {
    /// One that begins with the template of this number.
    pub fn new(site: &Site, templates: &Arc<[Template]>, start: usize, says: &'static str) -> Self {
        Self { client: Client::new(site), templates: Arc::clone(templates), next: start, says }
    }
}

impl Worker for Tour {
    async fn unit(&mut self) -> Result<(), Fault> {
        let Some(template) = self.templates.get(self.next) else {
            return Err(Fault("there is nothing to ask".to_owned()));
        };
        self.next = (self.next + 1) % self.templates.len();
        let answer = self.client.send(template).await?;
        if answer.status == StatusCode::OK && answer.says(self.says) {
            Ok(())
        } else {
            Err(Fault::unexpected(&template.label(), &answer))
        }
    }
}

/// `template` with an access token.
///
/// # Errors
/// The token cannot stand in a header.
pub fn bearer(template: Template, token: &str) -> anyhow::Result<Template> {
    template.with("authorization", &format!("Bearer {token}"))
}

/// The access tokens that `requests` are answered with, in their order.
///
/// # Errors
/// An answer holds none.
pub async fn tokens(
    site: &Site,
    requests: Vec<Template>,
    connections: usize,
) -> anyhow::Result<Vec<String>> {
    let requests: Arc<[Template]> = requests.into();
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let (requests, mut client) = (Arc::clone(&requests), Client::new(site));
        tasks.spawn(async move {
            let mut found = Vec::new();
            for (at, request) in requests.iter().enumerate().skip(number).step_by(connections) {
                let answer = client.send(request).await?;
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let token = body.get("access_token").and_then(Value::as_str);
                let token = token.ok_or_else(|| Fault::unexpected(&request.label(), &answer))?;
                found.push((at, token.to_owned()));
            }
            anyhow::Ok(found)
        });
    }
    let mut all = Vec::new();
    for found in tasks.join_all().await {
        all.extend(found?);
    }
    all.sort_unstable();
    Ok(all.into_iter().map(|(_, token)| token).collect())
}

/// Apps of the first accounts, each of which asks the decision point about the members of its own.
#[derive(Debug)]
pub struct Askers(Vec<Credentials>);

impl Askers {
    /// So many of them.
    pub fn fresh(count: i64, entropy: &dyn Entropy) -> Self {
        let app = |number| Credentials {
            id: format!("bench-asker-{number}"),
            secret: Secret::generate(entropy),
        };
        Self((0..count).map(app).collect())
    }

    fn each(&self) -> impl Iterator<Item = (i64, &Credentials)> {
        (0..).zip(&self.0)
    }

    /// What they need on a server that has their accounts, for `narthex apply`.
    pub fn text(&self) -> String {
        let apps = self.each().map(|(number, app)| {
            json!({
                "id": app.id,
                "account": account_id(number),
                "title": "Load (decisions)",
                "status": "live",
                "type": "confidential",
                "grant_types": ["client_credentials"],
                "allowed_scopes": ["decision.ask"],
                "allowed_accounts": [account_id(number)],
                "access_token_algorithm": "ES256",
                "secrets": [app.secret.reveal()],
            })
        });
        json!({ "apps": apps.collect::<Vec<_>>() }).to_string()
    }

    /// Whether each member who may read a project may read that one: which, `about` says.
    ///
    /// # Errors
    /// The apps get no tokens.
    pub async fn questions(
        &self,
        site: &Site,
        about: impl Fn(i64, i64) -> (String, String),
    ) -> anyhow::Result<Arc<[Template]>> {
        let form = [("grant_type", "client_credentials")];
        let asked = self
            .0
            .iter()
            .map(|app| Template::post("/token", &form)?.with("authorization", &app.basic()));
        let tokens = tokens(site, asked.collect::<anyhow::Result<_>>()?, 1).await?;
        let mut questions = Vec::new();
        for user in (0..USERS).filter(|user| may_read(*user)) {
            for ((account, _), token) in self.each().zip(&tokens) {
                let (user, project) = about(account, user);
                let question = json!({
                    "subject": { "type": "user", "id": user },
                    "action": { "name": "readData" },
                    "resource": { "type": "project", "id": project },
                });
                let template = Template::post_json("/access/v1/evaluation", &question)?;
                questions.push(bearer(template, token).context("a token of strange letters")?);
            }
        }
        Ok(questions.into())
    }
}
