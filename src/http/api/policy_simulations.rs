//! `/v1/policy-simulations`: what policies would allow if they were so. Nothing is changed.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::id::{AppId, UserId};
use crate::gate::explain::{Answer, Question};
use crate::http::api::body::{Body, objects};
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::Permitted;
use crate::http::api::policy_insight::of_everybody;
use crate::http::api::unrepeated::unrepeated_or_none;
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Fault};
use crate::policy::model::NAME_BYTES_MAX;
use crate::policy::privilege::AccessAdmin;
use crate::server::Server;

/// Most questions of one simulation.
const QUESTIONS_MAX: usize = 100;
/// Most policies of one simulation.
const DRAFTS_MAX: usize = 50;

/// What a client sends: policies as they would be, and what it wants to know then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::api) struct SimulationBody {
    #[serde(deserialize_with = "objects")]
    policies: Vec<Draft>,
    #[serde(deserialize_with = "objects")]
    questions: Vec<Asked>,
}

/// A policy as it would be; without a document, it would not be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    #[serde(default, deserialize_with = "unrepeated_or_none")]
    policy: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    user: UserId,
    operation: String,
    app: Option<AppId>,
    #[serde(default)]
    resource: Map<String, Value>,
    #[serde(default)]
    environment: Map<String, Value>,
}

impl From<Asked> for Question {
    fn from(asked: Asked) -> Self {
        let mut facts = Attributes::new();
        for (root, values) in [("resource", &asked.resource), ("environment", &asked.environment)] {
            for (name, value) in values {
                facts.put(root, name, value);
            }
        }
        Self {
            user: asked.user,
            operation: Some(asked.operation),
            lock: None,
            is_list: false,
            app: asked.app,
            scope: None,
            facts,
        }
    }
}

#[derive(Debug, Serialize)]
struct SimulationView {
    items: Vec<Compared>,
}

/// One answer, by the policies as they are and as they would be.
#[derive(Debug, Serialize)]
struct Compared {
    now: Answer,
    then: Answer,
}

/// `POST /v1/policy-simulations`.
pub(in crate::http::api) async fn run(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<AccessAdmin>,
    Body(body): Body<SimulationBody>,
) -> Result<Response, ApiError> {
    of_everybody(&permit)?;
    if body.questions.len() > QUESTIONS_MAX || body.policies.len() > DRAFTS_MAX {
        let text = format!("at most {DRAFTS_MAX} policies and {QUESTIONS_MAX} questions");
        return Err(ApiError::BadBody(text.into()));
    }
    check(&body.policies)?;
    let account = permit.account();
    let now = server.policies.merged(account).await?;
    let drafts = body.policies.into_iter().map(|draft| (draft.name, draft.policy));
    let then = server.policies.merged_with(account, &drafts.collect::<Vec<_>>()).await?;
    let mut items = Vec::with_capacity(body.questions.len());
    for question in body.questions.into_iter().map(Question::from) {
        items.push(Compared {
            now: server.gate.explain(account, &now, &question).await?,
            then: server.gate.explain(account, &then, &question).await?,
        });
    }
    Ok(answer(StatusCode::OK, SimulationView { items }))
}

/// Every draft is valid; faults point into the body.
fn check(drafts: &[Draft]) -> Result<(), ApiError> {
    let mut faults = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        if draft.name.is_empty() || draft.name.len() > NAME_BYTES_MAX {
            let message = "a policy has a name".to_owned();
            faults.push(Fault { pointer: format!("/policies/{at}/name"), message });
        }
        if let Some(Err(found)) = draft.policy.as_ref().map(Document::parse) {
            let within = |fault: Fault| Fault {
                pointer: format!("/policies/{at}/policy{}", fault.pointer),
                ..fault
            };
            faults.extend(found.into_iter().map(within));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ApiError::InvalidPolicy(faults)) }
}
