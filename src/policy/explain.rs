//! Why a decision is what it is: for administrators only, because it shows attributes.

use serde::Serialize;
use serde_json::{Value, json};

use crate::policy::attributes::Attributes;
use crate::policy::compare::Truth;
use crate::policy::document::{Document, Grant};
use crate::policy::fact::Fact;
use crate::policy::path::{Path, Values};
use crate::policy::rule::{Condition, Entry, Term};

/// Most rules that are shown when none holds.
const RULES_SHOWN_MAX: usize = 50;

/// The report on one decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What was asked.
    pub operation: String,
    /// The answer.
    pub allowed: bool,
    /// How many rules there are for it.
    pub rules: usize,
    /// The rule that allows it, if one does; else rules that do not, each with the conditions that
    /// do not hold, up to a bound.
    pub because: Vec<RuleReport>,
}

/// The report on one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReport {
    /// The policy that it is written in.
    pub policy: Option<String>,
    /// Its number in the policy's list for the operation, from 0; none if the policy says `true`.
    pub rule: Option<usize>,
    /// All conditions of a rule that holds, or those that do not hold.
    pub conditions: Vec<ConditionReport>,
}

/// The report on one condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionReport {
    /// The path of the attribute.
    pub attribute: String,
    /// Its value, or its values if there is a `*` in the path; nothing if it is missing.
    pub found: Option<Value>,
    /// How it is compared.
    pub comparison: &'static str,
    /// What with, as it is written: `{"value": …}` or `{"target": …}`.
    pub with: Value,
    /// The value of the target, unless it is missing.
    pub target_found: Option<Value>,
    /// Whether it holds.
    pub answer: Truth,
}

/// Reports why `operation` is allowed or not.
pub fn explain(document: &Document, operation: &str, facts: &Attributes) -> Explanation {
    let facts = facts.as_fact();
    let policy = |number| document.policy_name(number).map(str::to_owned);
    let report = |entry: &Entry, is_shown: fn(Truth) -> bool| RuleReport {
        policy: policy(entry.policy),
        rule: Some(entry.number),
        conditions: entry
            .rule
            .conditions
            .iter()
            .map(|condition| report_condition(condition, facts))
            .filter(|report| is_shown(report.answer))
            .collect(),
    };
    let (rules, allowed, because) = match document.grant(operation) {
        None => (0, false, Vec::new()),
        Some(Grant::Always { policy: number }) => {
            let report = RuleReport { policy: policy(*number), rule: None, conditions: Vec::new() };
            (1, true, vec![report])
        }
        Some(Grant::AnyOf(rules)) => {
            let entries = rules.entries();
            if let Some(entry) = entries.iter().find(|entry| entry.rule.holds(facts)) {
                (entries.len(), true, vec![report(entry, |_| true)])
            } else {
                let fails = |truth| truth != Truth::True;
                let shown = entries.iter().take(RULES_SHOWN_MAX).map(|entry| report(entry, fails));
                (entries.len(), false, shown.collect())
            }
        }
    };
    Explanation { operation: operation.to_owned(), allowed, rules, because }
}

fn report_condition(condition: &Condition, facts: &Fact<'_>) -> ConditionReport {
    let (with, target_found) = match &condition.operand {
        Term::Nothing => (json!({}), None),
        Term::Known(value) => (json!({ "value": value.to_json() }), None),
        Term::Path(path) => (json!({ "target": path.as_str() }), found(path, facts)),
    };
    let (attribute, found) = match &condition.key {
        Term::Path(path) => (path.as_str().to_owned(), found(path, facts)),
        Term::Known(value) => (String::new(), Some(value.to_json())),
        Term::Nothing => (String::new(), None),
    };
    ConditionReport {
        attribute,
        found,
        comparison: condition.comparison.as_str(),
        with,
        target_found,
        answer: condition.holds(facts),
    }
}

fn found(path: &Path, facts: &Fact<'_>) -> Option<Value> {
    match path.resolve(facts) {
        Values::Missing => None,
        Values::One(found) => Some(found.fact().to_json()),
        Values::Many(found) => {
            Some(found.iter().map(|found| found.fact().to_json()).collect::<Value>())
        }
    }
}
