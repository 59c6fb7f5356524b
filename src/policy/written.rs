//! A compiled policy as a document again: for services that decide about resources themselves.
//!
//! The grammar is poorer than what reducing leaves: a known value stands only on the right, and a
//! path has one condition in a rule. A condition is turned around where that says the same; a rule
//! that cannot be written is left out, so that the document never allows more than the policy.

use serde_json::{Map, Value, json};

use crate::policy::compare::Comparison;
use crate::policy::document::{Document, Grant};
use crate::policy::fact::Fact;
use crate::policy::rule::{Condition, Rule, Term};

impl Document {
    /// `{"rules": …}`, which allows what this policy allows, or less.
    pub fn written(&self) -> Value {
        let mut rules = Map::new();
        for operation in self.operations() {
            let grant = match &operation.grant {
                Grant::Always { .. } => Value::Bool(true),
                Grant::AnyOf(found) => {
                    let mut all: Vec<Value> = Vec::new();
                    for written in found.entries().iter().filter_map(|entry| rule(&entry.rule)) {
                        if !all.contains(&written) {
                            all.push(written);
                        }
                    }
                    if all.is_empty() {
                        continue;
                    }
                    Value::Array(all)
                }
            };
            rules.insert(operation.name.as_ref().to_owned(), grant);
        }
        json!({ "rules": rules })
    }
}

fn rule(rule: &Rule) -> Option<Value> {
    let mut written = Map::new();
    for condition in &rule.conditions {
        let (path, condition) = write(condition)?;
        match written.get(&path) {
            Some(other) if *other == condition => {}
            Some(_) => return None,
            None => {
                written.insert(path, condition);
            }
        }
    }
    let document = json!({ "rules": { "any": [&written] } });
    // What the grammar refuses, such as an object as a value, is not written.
    Document::parse(&document).is_ok().then_some(Value::Object(written))
}

fn write(condition: &Condition) -> Option<(String, Value)> {
    let name = condition.comparison.as_str();
    match (&condition.key, &condition.operand) {
        (Term::Path(path), Term::Nothing) => {
            Some((path.as_str().to_owned(), json!({ "comparison": name })))
        }
        (Term::Path(path), Term::Known(value)) => {
            Some((path.as_str().to_owned(), against(name, value)))
        }
        (Term::Path(path), Term::Path(target)) => {
            let target = target.as_str();
            Some((path.as_str().to_owned(), json!({ "comparison": name, "target": target })))
        }
        // Every value of a path as key must hold, but only one of a path as operand may be there.
        (Term::Known(value), Term::Path(path)) if !path.as_str().contains('*') => {
            let name = turned(condition.comparison)?.as_str();
            Some((path.as_str().to_owned(), against(name, value)))
        }
        (Term::Known(_) | Term::Nothing, _) => None,
    }
}

fn against(comparison: &str, value: &Fact<'_>) -> Value {
    json!({ "comparison": comparison, "value": value.to_json() })
}

/// The comparison that says the same with its sides exchanged.
fn turned(comparison: Comparison) -> Option<Comparison> {
    match comparison {
        Comparison::Equals => Some(Comparison::Equals),
        Comparison::NotEquals => Some(Comparison::NotEquals),
        Comparison::In => Some(Comparison::Includes),
        Comparison::NotIn => Some(Comparison::NotIncludes),
        Comparison::Includes => Some(Comparison::In),
        Comparison::NotIncludes => Some(Comparison::NotIn),
        Comparison::Superset => Some(Comparison::Subset),
        Comparison::Subset => Some(Comparison::Superset),
        Comparison::StartsWith => Some(Comparison::PrefixOf),
        Comparison::PrefixOf => Some(Comparison::StartsWith),
        Comparison::EndsWith => Some(Comparison::SuffixOf),
        Comparison::SuffixOf => Some(Comparison::EndsWith),
        Comparison::Exists => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::attributes::Attributes;
    use crate::policy::path::Later;
    use crate::policy::permit::RESOURCE;

    fn left(rules: &Value) -> Value {
        let facts = Attributes::new()
            .with("user", "id", "u1")
            .with("user", "groups", Fact::texts(["g1", "g2"]))
            .with("user", "patients", Fact::texts(["p1"]));
        let policy = Document::parse(&json!({ "rules": rules })).unwrap();
        policy.reduce(&facts, Later::Only(RESOURCE)).written()["rules"].clone()
    }

    #[test]
    fn what_is_known_becomes_a_value_on_the_right() {
        let rules = json!({
            "readData": [
                {"user.groups": {"comparison": "includes", "value": "g1"},
                 "resource.dataset": {"comparison": "in", "value": ["a", "b"]}},
                {"user.patients": {"comparison": "includes", "target": "resource.subject"}},
                {"user.groups": {"comparison": "includes", "value": "g9"}},
            ],
            "createData": true,
            "deleteData": [{"user.id": {"comparison": "equals", "value": "u9"}}],
        });

        assert_eq!(
            left(&rules),
            json!({
                "createData": true,
                "readData": [
                    {"resource.dataset": {"comparison": "in", "value": ["a", "b"]}},
                    {"resource.subject": {"comparison": "in", "value": ["p1"]}},
                ],
            })
        );
    }

    #[test]
    fn case_66_a_rule_that_cannot_be_written_is_left_out() {
        let rules = json!({
            "readData": [{
                "user.patients": {"comparison": "includes", "target": "resource.subject"},
                "resource.subject": {"comparison": "startsWith", "value": "p"},
            }],
        });

        assert_eq!(left(&rules), json!({}));
    }
}
