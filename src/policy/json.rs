//! A policy as JSON again, in the grammar that it is written in.
//!
//! What a policy is reduced to may say two things of one path, which an object cannot. Such
//! conditions are joined where one says the same, and the rule is left out where none does; so is a
//! rule whose value the grammar does not know. That is narrower, never wider.

use serde_json::{Map, Value, json};

use crate::policy::compare::Comparison;
use crate::policy::cover::turned;
use crate::policy::document::{Document, Grant};
use crate::policy::fact::Fact;
use crate::policy::rule::{Condition, Rule, Term};

impl Document {
    /// `{"rules": …}`: allows what the document allows, or less.
    pub fn to_json(&self) -> Value {
        let rules = self.operations().iter().filter_map(|operation| {
            let rules = match &operation.grant {
                Grant::Always { .. } => Value::Bool(true),
                Grant::AnyOf(rules) => {
                    let mut written: Vec<Value> = Vec::new();
                    for rule in rules.entries().iter().filter_map(|entry| rule(&entry.rule)) {
                        // Policies of an account often leave the same to be said.
                        if !written.contains(&rule) {
                            written.push(rule);
                        }
                    }
                    if written.is_empty() {
                        return None;
                    }
                    Value::Array(written)
                }
            };
            Some((operation.name.to_string(), rules))
        });
        json!({ "rules": rules.collect::<Map<_, _>>() })
    }
}

fn rule(rule: &Rule) -> Option<Value> {
    let mut written = Map::new();
    for condition in &rule.conditions {
        let (path, condition) = write(&turned(condition))?;
        let condition = match written.get(&path) {
            None => condition,
            Some(other) => joined(other, &condition)?,
        };
        written.insert(path, condition);
    }
    Some(Value::Object(written))
}

fn write(condition: &Condition) -> Option<(String, Value)> {
    let Term::Path(path) = &condition.key else { return None };
    let name = condition.comparison.as_str();
    let written = match &condition.operand {
        Term::Nothing => json!({ "comparison": name }),
        Term::Path(target) => json!({ "comparison": name, "target": target.as_str() }),
        Term::Known(value) => {
            if !fits(condition.comparison, value) {
                return None;
            }
            json!({ "comparison": name, "value": value.to_json() })
        }
    };
    Some((path.as_str().to_owned(), written))
}

/// Whether the grammar knows such a value for this comparison.
fn fits(comparison: Comparison, value: &Fact<'_>) -> bool {
    let is_scalar = |fact: &Fact<'_>| match fact {
        Fact::Text(_) => true,
        Fact::Number(number) => number.is_finite(),
        _ => false,
    };
    let is_list = matches!(value, Fact::List(items) if items.iter().all(is_scalar));
    match comparison {
        Comparison::Equals | Comparison::NotEquals => {
            is_list || is_scalar(value) || matches!(value, Fact::Bool(_))
        }
        Comparison::In | Comparison::NotIn | Comparison::Superset | Comparison::Subset => is_list,
        Comparison::Includes | Comparison::NotIncludes => is_scalar(value),
        Comparison::StartsWith
        | Comparison::EndsWith
        | Comparison::PrefixOf
        | Comparison::SuffixOf => matches!(value, Fact::Text(_)),
        Comparison::Exists => true,
    }
}

/// The condition that says as much as both.
fn joined(one: &Value, other: &Value) -> Option<Value> {
    if one == other {
        return Some(one.clone());
    }
    let name = |condition: &Value| condition["comparison"].as_str().and_then(Comparison::named);
    let (first, second) = (name(one)?, name(other)?);
    // Whatever else holds of an attribute, it is there.
    match (first, second) {
        (Comparison::Exists, _) => return Some(other.clone()),
        (_, Comparison::Exists) => return Some(one.clone()),
        _ => {}
    }
    let texts = |comparison: Comparison, condition: &Value| -> Option<Vec<Value>> {
        let value = condition.get("value")?;
        let texts = match comparison {
            Comparison::Equals | Comparison::NotEquals => vec![value.clone()],
            _ => value.as_array()?.clone(),
        };
        texts.iter().all(Value::is_string).then_some(texts)
    };
    match (first, second) {
        (Comparison::Equals | Comparison::In, Comparison::Equals | Comparison::In) => {
            let others = texts(second, other)?;
            let both: Vec<Value> =
                texts(first, one)?.into_iter().filter(|text| others.contains(text)).collect();
            // Nothing is in both: the rule cannot hold.
            if both.is_empty() { None } else { Some(json!({ "comparison": "in", "value": both })) }
        }
        (Comparison::NotIn, Comparison::NotIn) => {
            let all = [texts(first, one)?, texts(second, other)?].concat();
            Some(json!({ "comparison": "notIn", "value": all }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::attributes::Attributes;
    use crate::policy::path::Later;
    use crate::policy::permit::RESOURCE;

    #[track_caller]
    fn check(rule: &Value, expected: &Value) {
        let document = Document::parse(&json!({ "rules": { "readData": [rule] } })).unwrap();
        let known = Attributes::new()
            .with("user", "a", "1")
            .with("user", "b", "2")
            .with("user", "list", Fact::texts(["1", "2"]))
            .with("user", "odd", Fact::List(vec![Fact::Bool(true)]));
        let written = document.reduce(&known, Later::Only("resource")).to_json();
        assert_eq!(&written["rules"]["readData"], expected, "{rule}");
        assert!(Document::parse(&written).is_ok());
    }

    #[test]
    fn what_is_left_is_written_in_the_grammar() {
        let target = |comparison: &str, to: &str| json!({ "comparison": comparison, "target": to });
        let value =
            |comparison: &str, value: Value| json!({ "comparison": comparison, "value": value });

        check(
            &json!({ "user.a": target("in", "resource.tags") }),
            &json!([{ "resource.tags": value("includes", json!("1")) }]),
        );
        check(
            &json!({ "user.list": target("includes", "resource.x") }),
            &json!([{ "resource.x": value("in", json!(["1", "2"])) }]),
        );
        check(
            &json!({ "user.a": target("startsWith", "resource.x") }),
            &json!([{ "resource.x": value("prefixOf", json!("1")) }]),
        );
        check(
            &json!({ "user.a": target("equals", "resource.x"),
                     "user.list": target("includes", "resource.x") }),
            &json!([{ "resource.x": value("in", json!(["1"])) }]),
        );
        check(
            &json!({ "user.a": target("equals", "resource.x"),
                     "resource.x": { "comparison": "exists" } }),
            &json!([{ "resource.x": value("equals", json!("1")) }]),
        );
        // The reference keeps the last one only, which is wider.
        check(
            &json!({ "user.a": target("equals", "resource.x"),
                     "user.b": target("equals", "resource.x") }),
            &Value::Null,
        );
        check(
            &json!({ "user.a": target("notEquals", "resource.x"),
                     "user.b": target("notEquals", "resource.x") }),
            &Value::Null,
        );
        check(&json!({ "user.odd": target("superset", "resource.x") }), &Value::Null);
        check(&json!({ "user.a": value("equals", json!("1")) }), &json!(true));
    }

    fn left(rules: &Value) -> Value {
        let facts = Attributes::new()
            .with("user", "id", "u1")
            .with("user", "groups", Fact::texts(["g1", "g2"]))
            .with("user", "patients", Fact::texts(["p1"]));
        let policy = Document::parse(&json!({ "rules": rules })).unwrap();
        policy.reduce(&facts, Later::Only(RESOURCE)).to_json()["rules"].clone()
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
