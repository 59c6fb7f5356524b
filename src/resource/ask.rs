//! Asking the decision point, as a machine app of the service's account.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::base::clock::Clock;
use crate::base::id::{AccountId, AppId};
use crate::base::secret::Secret;
use crate::outbound::Outbound;

/// What a machine asks for.
const SCOPE: &str = "decision.ask";
const ACCOUNT: HeaderName = HeaderName::from_static("lifeomic-account");
const JSON: &str = "application/json";
/// How long before its end a token is replaced.
const SPARE: TimeDelta = TimeDelta::seconds(60);

/// The decision point cannot be asked, or does not answer. The text is for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resource) struct NoAnswer(pub(in crate::resource) &'static str);

#[derive(Debug)]
struct Token {
    value: HeaderValue,
    end: DateTime<Utc>,
}

/// Whoever asks for a service.
#[derive(Debug)]
pub(in crate::resource) struct Asker {
    pub(in crate::resource) outbound: Outbound,
    pub(in crate::resource) clock: Arc<dyn Clock>,
    pub(in crate::resource) account: AccountId,
    pub(in crate::resource) token_url: String,
    pub(in crate::resource) evaluation_url: String,
    credentials: HeaderValue,
    token: Mutex<Option<Token>>,
}

impl Asker {
    pub(in crate::resource) fn new(
        (outbound, clock): (Outbound, Arc<dyn Clock>),
        (issuer, account): (&str, &AccountId),
        (app, secret): (&AppId, &Secret),
    ) -> Option<Self> {
        let pair = format!("{app}:{}", secret.reveal());
        let mut credentials =
            HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
        credentials.set_sensitive(true);
        let issuer = issuer.trim_end_matches('/');
        Some(Self {
            outbound,
            clock,
            account: account.clone(),
            token_url: format!("{issuer}/token"),
            evaluation_url: format!("{issuer}/access/v1/evaluation"),
            credentials,
            token: Mutex::new(None),
        })
    }

    /// Whether the decision point permits it.
    pub(in crate::resource) async fn permits(&self, question: &Value) -> Result<bool, NoAnswer> {
        let body = question.to_string();
        let (status, answer) = self.post(&body, false).await?;
        // The token may have been revoked before its end.
        let (status, answer) =
            if status == 401 { self.post(&body, true).await? } else { (status, answer) };
        if status != 200 {
            return Err(NoAnswer("the decision point refuses to answer"));
        }
        let decision = answer.get("decision").and_then(Value::as_bool);
        decision.ok_or(NoAnswer("the decision point does not decide"))
    }

    async fn post(&self, body: &str, anew: bool) -> Result<(u16, Value), NoAnswer> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.token(anew).await?);
        if let Ok(account) = HeaderValue::from_str(self.account.as_str()) {
            headers.insert(ACCOUNT, account);
        }
        let url = &self.evaluation_url;
        let answer = self.outbound.post(url, JSON, headers, body.to_owned()).await;
        let answer = answer.map_err(|_| NoAnswer("the decision point cannot be reached"))?;
        Ok((answer.status, serde_json::from_slice(&answer.body).unwrap_or_default()))
    }

    /// The machine's token. Who comes while it is fetched waits for the same one.
    async fn token(&self, anew: bool) -> Result<HeaderValue, NoAnswer> {
        let mut held = self.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = held.as_ref().filter(|token| !anew && now + SPARE < token.end) {
            return Ok(token.value.clone());
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.credentials.clone());
        let body = format!("grant_type=client_credentials&scope={SCOPE}");
        let form = "application/x-www-form-urlencoded";
        let answer = self.outbound.post(&self.token_url, form, headers, body).await;
        let answer = answer.map_err(|_| NoAnswer("the token endpoint cannot be reached"))?;
        let none = NoAnswer("the token endpoint gives no token");
        let told: Value = serde_json::from_slice(&answer.body).map_err(|_| none)?;
        let text = told.get("access_token").and_then(Value::as_str).ok_or(none)?;
        let seconds = told.get("expires_in").and_then(Value::as_i64).unwrap_or(0);
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| none)?;
        value.set_sensitive(true);
        let end = now + TimeDelta::seconds(seconds.clamp(0, 86_400));
        *held = Some(Token { value: value.clone(), end });
        Ok(value)
    }
}

/// The question whether a user may do something.
pub(in crate::resource) fn question(user: &str, action: &str, resource: &Value) -> Value {
    json!({
        "subject": { "type": "user", "id": user },
        "action": { "name": action },
        "resource": resource,
    })
}
