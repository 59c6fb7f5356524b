//! Whether one grant is at least as wide as another: what nobody gives who does not hold it.
//!
//! It is asked of rules as they stand, without any facts, so the answer is cautious: a rule that is
//! narrower in a way that cannot be seen from its conditions counts as wider.

use std::borrow::Cow;

use crate::policy::compare::{Comparison, Truth};
use crate::policy::document::{Document, Grant, Operation};
use crate::policy::fact::Fact;
use crate::policy::rule::{Condition, Rule, Term};

/// A rule or a grant without any.
#[derive(Clone, Copy, Debug)]
enum Given<'g> {
    Always,
    Rule(&'g Rule),
}

impl Grant {
    fn given(&self) -> Vec<Given<'_>> {
        match self {
            Self::Always { .. } => vec![Given::Always],
            Self::AnyOf(rules) => {
                rules.entries().iter().map(|entry| Given::Rule(&entry.rule)).collect()
            }
        }
    }

    fn has(&self, given: Given<'_>) -> bool {
        match (self, given) {
            (Self::Always { .. }, _) => true,
            (Self::AnyOf(_), Given::Always) => false,
            (Self::AnyOf(rules), Given::Rule(narrow)) => {
                rules.entries().iter().any(|entry| is_wider(&entry.rule, narrow))
            }
        }
    }
}

/// The first operation of `given` that has a rule which none of `holdings` covers.
pub fn uncovered<'g>(given: &'g Document, holdings: &[&Document]) -> Option<&'g str> {
    let is_held = |operation: &str, rule: Given<'_>| {
        holdings.iter().filter_map(|held| held.grant(operation)).any(|held| held.has(rule))
    };
    let lacks = |operation: &&Operation| {
        operation.grant.given().into_iter().any(|rule| !is_held(&operation.name, rule))
    };
    given.operations().iter().find(lacks).map(|operation| &*operation.name)
}

/// Whether `wide` holds wherever `narrow` does.
fn is_wider(wide: &Rule, narrow: &Rule) -> bool {
    wide.conditions.iter().all(|wide| narrow.conditions.iter().any(|narrow| implies(narrow, wide)))
}

/// Whether `wide` holds wherever `narrow` does.
fn implies(narrow: &Condition, wide: &Condition) -> bool {
    let (narrow, wide) = (turned(narrow), turned(wide));
    if narrow == wide {
        return true;
    }
    let (Term::Path(path), Term::Path(other)) = (&narrow.key, &wide.key) else { return false };
    if path != other || !path.is_plain() {
        return false;
    }
    let operand = match &wide.operand {
        Term::Known(value) => value.as_ref(),
        Term::Nothing if wide.comparison == Comparison::Exists => &Fact::Null,
        Term::Nothing | Term::Path(_) => return false,
    };
    let holds = |value: &Fact<'_>| wide.comparison.holds(value, operand) == Truth::True;
    match (narrow.comparison, &narrow.operand) {
        // No condition holds for an attribute that is not there.
        _ if wide.comparison == Comparison::Exists => true,
        (Comparison::Equals, Term::Known(value)) => holds(value),
        (Comparison::In, Term::Known(values)) => match values.as_ref() {
            Fact::List(items) => items.iter().all(holds),
            _ => true,
        },
        _ => false,
    }
}

/// The condition with its path as key: `"a" in resource.tags` is `resource.tags includes "a"`.
pub fn turned(condition: &Condition) -> Cow<'_, Condition> {
    let (Term::Known(value), Term::Path(path)) = (&condition.key, &condition.operand) else {
        return Cow::Borrowed(condition);
    };
    let comparison = match condition.comparison {
        Comparison::Equals => Comparison::Equals,
        Comparison::NotEquals => Comparison::NotEquals,
        Comparison::In => Comparison::Includes,
        Comparison::Includes => Comparison::In,
        Comparison::NotIn => Comparison::NotIncludes,
        Comparison::NotIncludes => Comparison::NotIn,
        Comparison::Superset => Comparison::Subset,
        Comparison::Subset => Comparison::Superset,
        Comparison::StartsWith => Comparison::PrefixOf,
        Comparison::PrefixOf => Comparison::StartsWith,
        Comparison::EndsWith => Comparison::SuffixOf,
        Comparison::SuffixOf => Comparison::EndsWith,
        // It does not look at its operand, so there is nothing to turn.
        Comparison::Exists => return Cow::Borrowed(condition),
    };
    Cow::Owned(Condition {
        key: Term::Path(path.clone()),
        comparison,
        operand: Term::Known(value.clone()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(rules: &Value) -> Document {
        Document::parse(&json!({ "rules": { "readData": rules } })).unwrap()
    }

    #[track_caller]
    fn check(given: &Value, held: &Value, covered: bool) {
        let (given, held) = (of(given), of(held));
        assert_eq!(uncovered(&given, &[&held]).is_none(), covered, "{given:?} by {held:?}");
    }

    #[test]
    fn case_63_what_is_narrower_is_covered_and_nothing_else() {
        let rule = |path: &str, comparison: &str, value: Value| json!([{ path: { "comparison": comparison, "value": value } }]);
        let heart = rule("resource.dataset", "equals", json!("heart"));
        let both = rule("resource.dataset", "in", json!(["heart", "lung"]));
        let nurses = json!([{
            "user.groups": { "comparison": "includes", "value": "nurses" },
            "resource.dataset": { "comparison": "equals", "value": "heart" },
        }]);

        check(&heart, &json!(true), true);
        check(&json!(true), &heart, false);
        check(&heart, &heart, true);
        check(&heart, &both, true);
        check(&both, &heart, false);
        check(&nurses, &heart, true);
        check(&nurses, &both, true);
        check(&heart, &nurses, false);
        check(&heart, &rule("resource.dataset", "startsWith", json!("he")), true);
        check(&heart, &rule("resource.dataset", "notIn", json!(["heart"])), false);
        check(&heart, &rule("resource.dataset", "exists", json!(null)), true);
        check(&heart, &rule("resource.id", "exists", json!(null)), false);
        check(&heart, &rule("resource.id", "equals", json!("heart")), false);
        check(
            &rule("resource.dataset", "equals", json!(1)),
            &rule("resource.dataset", "equals", json!("1")),
            false,
        );
        check(
            &rule("resource.tags.*", "equals", json!("a")),
            &rule("resource.tags.*", "in", json!(["a"])),
            false,
        );
        let (mut one, mut two) = (heart.clone(), both.clone());
        one.as_array_mut().unwrap().push(rule("resource.id", "equals", json!("x"))[0].clone());
        check(&one, &both, false);
        two.as_array_mut().unwrap().push(rule("resource.id", "equals", json!("x"))[0].clone());
        check(&one, &two, true);
    }
}
