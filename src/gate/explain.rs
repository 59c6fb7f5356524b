//! Why a request would pass, or be refused: the same checks as at the gate, for somebody else's
//! request, which is not made. For administrators of the account only.

use serde::Serialize;
use serde_json::Value;

use crate::base::id::{AccountId, AppId, UserId};
use crate::base::scope::Scope;
use crate::db::error::DbError;
use crate::gate::checks;
use crate::gate::refusal::Refusal;
use crate::gate::routes::Lock;
use crate::gate::service::Gate;
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::explain::Explanation;
use crate::policy::privilege::{DevelopApps, Privilege as _};
use crate::policy::service::LATER;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whether this user …
    pub user: UserId,
    /// … may do this; `None`: what only members may.
    pub operation: Option<String>,
    /// By this line of the table.
    pub lock: Option<Lock>,
    /// Which shows as much as they allow, be it nothing.
    pub is_list: bool,
    /// By this app.
    pub app: Option<AppId>,
    /// With a token for this; otherwise with all that the app may ask for.
    pub scope: Option<Scope>,
    /// To a resource of which this is known, from somewhere of which this is known: attributes
    /// under the roots `resource` and `environment`.
    pub facts: Attributes,
}

/// What stands for a request and against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Who is asked about.
    pub user: String,
    /// What is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether the request would pass, as far as is known of it.
    pub allowed: bool,
    /// The gate that would refuse it: the first of `gates` that does not let it pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<&'static str>,
    /// The gates, up to the one that refuses, in their order.
    pub gates: Vec<GateAnswer>,
    /// What the policies say, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Explanation>,
    /// If it hinges on what is not known of the resource or the sign-in: what of the policies is
    /// left to be fulfilled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Value>,
}

/// What one gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GateAnswer {
    /// Which.
    pub gate: &'static str,
    /// Whether it lets the request pass.
    pub passes: bool,
    /// Why not, as the request would be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

impl Answer {
    fn begin(question: &Question) -> Self {
        Self {
            user: question.user.to_string(),
            operation: question.operation.clone(),
            allowed: false,
            refused_by: None,
            gates: Vec::new(),
            policy: None,
            only_if: None,
        }
    }

    /// Writes down what a gate says; whether it lets the request pass.
    fn ask(&mut self, gate: &'static str, outcome: Result<(), Refusal>) -> bool {
        let reason = outcome.err().map(|refusal| refusal.reason());
        self.gates.push(GateAnswer { gate, passes: reason.is_none(), reason });
        if reason.is_some() {
            self.refused_by = Some(gate);
        }
        reason.is_none()
    }
}

impl Gate {
    /// What would become of a request in `account`, whose policies are `policy`: those that it has,
    /// or others, to see what they would do.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn explain(
        &self,
        account: &AccountId,
        policy: &Document,
        question: &Question,
    ) -> Result<Answer, DbError> {
        let mut answer = Answer::begin(question);
        let member = self.policies.facts_of(account, &question.user).await?;
        let mut facts = member.map(|facts| facts.and(&question.facts));
        if let Some(app) = &question.app {
            let app = self.apps.find(app).await?;
            // Nobody learns here which apps there are.
            let Some(app) = app else {
                answer.ask("app", Err(Refusal::AppNotAllowed));
                return Ok(answer);
            };
            facts = facts.map(|facts| by_app(facts, &app.id));
            if let Some(lock) = &question.lock {
                let granted = question.scope.as_ref().unwrap_or(&app.allowed_scopes);
                if !answer.ask("scope", checks::scope(&lock.demand(), granted)) {
                    return Ok(answer);
                }
            }
            let develops =
                facts.as_ref().is_some_and(|facts| policy.decide(DevelopApps::NAME, facts));
            if !answer.ask("app status", checks::app_status(&app, develops))
                || !answer.ask("app allow-list", checks::app_allowed(&app, Some(account)))
            {
                return Ok(answer);
            }
        }
        let Some(facts) = facts else {
            answer.ask("membership", Err(Refusal::NotAMember));
            return Ok(answer);
        };
        answer.ask("membership", Ok(()));
        let operations = question.operation.as_deref().into_iter();
        let mut operations = operations.chain(question.lock.as_ref().and_then(|lock| lock.or));
        let may = |operation: &&str| policy.reduce_one(operation, &facts, LATER).is_some();
        let first = operations.clone().next();
        let Some(operation) = operations.find(may).or(first) else {
            answer.allowed = true;
            return Ok(answer);
        };
        answer.operation = Some(operation.to_owned());
        by_policy(&mut answer, policy, operation, &facts);
        answer.allowed |= question.is_list && answer.refused_by.is_none();
        Ok(answer)
    }
}

/// What is known if the app carries the token, unless the question says something else.
fn by_app(facts: Attributes, app: &AppId) -> Attributes {
    if facts.get("environment", "client").is_some() {
        return facts;
    }
    facts.with("environment", "client", app.as_str())
}

/// The last gate, with the policy, the rule and the condition that decide.
fn by_policy(answer: &mut Answer, policy: &Document, operation: &str, facts: &Attributes) {
    let explanation = policy.explain(operation, facts);
    answer.allowed = explanation.allowed;
    let left = policy.reduce_one(operation, facts, LATER);
    if let (false, Some(Grant::AnyOf(_))) = (answer.allowed, &left) {
        let left = policy.reduce(facts, LATER).to_json();
        answer.only_if = left.get("rules").and_then(|rules| rules.get(operation)).cloned();
    }
    let may_pass = answer.allowed || left.is_some();
    let denied = || Refusal::PolicyDenies { privilege: operation.to_owned().into() };
    answer.ask("policy", if may_pass { Ok(()) } else { Err(denied()) });
    answer.policy = Some(explanation);
}
