//! What a group gives to whoever is let into it, read from the rules alone.
//!
//! Nobody lets others into a group that gives what they do not hold themselves: else whoever
//! administers groups could let in a friend, or themselves, and hold everything.

use std::sync::Arc;

use crate::policy::attributes::Attributes;
use crate::policy::compare::Comparison;
use crate::policy::document::{Document, Grant, Operation};
use crate::policy::fact::Fact;
use crate::policy::path::Later;
use crate::policy::rule::{Condition, Entry, Rule, Rules, Term};

/// What a condition asks of somebody who is in the group, and perhaps in others.
enum Asks {
    /// To be in the group.
    ThisGroup,
    /// To be in others, too.
    OtherGroups,
    /// What whoever is in the group may well fulfil.
    Nothing,
    /// Not to be in the group.
    Impossible,
    /// Something that has nothing to do with groups.
    SomethingElse,
    /// To be one person by name, whatever the groups.
    OnePerson,
}

/// What `document` gives to somebody because they are in `group`, without what else its rules ask
/// of groups. Of the account as much is known as is in `facts`.
///
/// That is every rule that asks for the group, as if all else that it asks of groups were so; and
/// every rule that asks neither for a group nor for one person by name, for it holds for all
/// members. A rule for other groups is not a gift of this one.
#[must_use]
pub fn given_by_group(document: &Document, group: &str, facts: &Attributes) -> Document {
    let possible = document.reduce(&facts.only("account"), Later::Anything);
    let given = possible.operations().iter().filter_map(|operation| {
        let grant = match &operation.grant {
            Grant::Always { policy } => Grant::Always { policy: *policy },
            Grant::AnyOf(rules) => of_rules(rules, group)?,
        };
        Some(Operation { name: operation.name.clone(), grant })
    });
    Document::of(given.collect())
}

fn of_rules(rules: &Rules, group: &str) -> Option<Grant> {
    let mut left = Vec::new();
    for entry in rules.entries() {
        let Some(conditions) = of_rule(&entry.rule, group) else { continue };
        if conditions.is_empty() {
            return Some(Grant::Always { policy: entry.policy });
        }
        left.push(Entry { rule: Arc::new(Rule { conditions }), ..entry.clone() });
    }
    if left.is_empty() { None } else { Some(Grant::AnyOf(Rules::new(left))) }
}

/// What the rule asks besides groups; `None` if the group does not give it.
fn of_rule(rule: &Rule, group: &str) -> Option<Vec<Condition>> {
    let (mut is_for_group, mut is_for_others, mut is_for_one) = (false, false, false);
    let mut left = Vec::new();
    for condition in &rule.conditions {
        match asks(condition, group) {
            Asks::Impossible => return None,
            Asks::ThisGroup => is_for_group = true,
            Asks::OtherGroups => is_for_others = true,
            Asks::Nothing => {}
            Asks::SomethingElse => left.push(condition.clone()),
            Asks::OnePerson => {
                is_for_one = true;
                left.push(condition.clone());
            }
        }
    }
    (is_for_group || !(is_for_others || is_for_one)).then_some(left)
}

fn asks(condition: &Condition, group: &str) -> Asks {
    let is_about_groups =
        |term: &Term| matches!(term, Term::Path(path) if path.may_touch("user", "groups"));
    if !is_about_groups(&condition.key) && !is_about_groups(&condition.operand) {
        return if names_one(condition) { Asks::OnePerson } else { Asks::SomethingElse };
    }
    let (Term::Path(path), Term::Known(value)) = (&condition.key, &condition.operand) else {
        // `exists` holds for whoever is in a group; of a comparison with other attributes nothing
        // is known.
        return match condition.comparison {
            Comparison::Exists => Asks::Nothing,
            _ => Asks::ThisGroup,
        };
    };
    if path.as_str() != "user.groups" {
        return Asks::ThisGroup;
    }
    let is_it = |fact: &Fact<'_>| fact.as_text() == Some(group);
    let holds_it = |fact: &Fact<'_>| matches!(fact, Fact::List(items) if items.iter().any(is_it));
    match condition.comparison {
        Comparison::Includes if is_it(value) => Asks::ThisGroup,
        Comparison::Superset | Comparison::Equals if holds_it(value) => Asks::ThisGroup,
        Comparison::Superset if matches!(value.as_ref(), Fact::List(items) if items.is_empty()) => {
            Asks::Nothing
        }
        Comparison::Includes | Comparison::Superset => Asks::OtherGroups,
        Comparison::NotIncludes if is_it(value) => Asks::Impossible,
        Comparison::Subset if holds_it(value) => Asks::Nothing,
        Comparison::Subset | Comparison::Equals => Asks::Impossible,
        Comparison::NotIncludes | Comparison::NotEquals | Comparison::Exists => Asks::Nothing,
        // An array is in no list and begins with no text, or so it should be.
        _ => Asks::ThisGroup,
    }
}

/// Whether it names the people for whom it holds: whoever wrote it gave it to them.
fn names_one(condition: &Condition) -> bool {
    matches!(condition.comparison, Comparison::Equals | Comparison::In)
        && matches!(condition.operand, Term::Known(_))
        && matches!(&condition.key, Term::Path(path)
            if matches!(path.as_str(), "user.id" | "user.username" | "user.email"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(rule: &Value, expected: &str) {
        let document = Document::parse(&json!({ "rules": { "readData": [rule] } })).unwrap();
        let facts = Attributes::new().with("account", "type", "PAID");
        let given = given_by_group(&document, "g", &facts);
        let found = match given.grant("readData") {
            None => "nothing".to_owned(),
            Some(Grant::Always { .. }) => "always".to_owned(),
            Some(Grant::AnyOf(rules)) => {
                let keys = rules.entries()[0].rule.conditions.iter().map(|c| match &c.key {
                    Term::Path(path) => path.as_str().to_owned(),
                    other => format!("{other:?}"),
                });
                keys.collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(found, expected, "{rule}");
    }

    #[test]
    fn case_63_a_group_gives_what_its_rules_say_and_what_all_members_have() {
        let groups = |comparison: &str, value: Value| json!({ "user.groups": { "comparison": comparison, "value": value } });
        for (comparison, value, expected) in [
            ("includes", json!("g"), "always"),
            ("includes", json!("h"), "nothing"),
            ("notIncludes", json!("g"), "nothing"),
            ("notIncludes", json!("h"), "always"),
            ("superset", json!(["g", "h"]), "always"),
            ("superset", json!(["h"]), "nothing"),
            ("superset", json!([]), "always"),
            ("subset", json!(["g", "h"]), "always"),
            ("subset", json!(["h"]), "nothing"),
            ("equals", json!(["g"]), "always"),
            ("equals", json!(["h"]), "nothing"),
            ("notEquals", json!(["g"]), "always"),
            ("exists", json!(null), "always"),
        ] {
            check(&groups(comparison, value), expected);
        }
        let with = |mut rule: Value, path: &str, value: Value| {
            rule[path] = json!({ "comparison": "equals", "value": value });
            rule
        };
        check(&with(groups("includes", json!("g")), "resource.id", json!("x")), "resource.id");
        check(&with(groups("includes", json!("g")), "user.id", json!("ada")), "user.id");
        check(&with(groups("includes", json!("h")), "user.x", json!("ada")), "nothing");
        check(&with(json!({}), "user.id", json!("ada")), "nothing");
        check(
            &with(json!({}), "user.customAttributes.ward", json!(1)),
            "user.customAttributes.ward",
        );
        check(&with(json!({}), "account.type", json!("PAID")), "always");
        check(&with(json!({}), "account.type", json!("FREE")), "nothing");
        check(&json!({ "user.groups.*": { "comparison": "equals", "value": "h" } }), "always");
        check(&json!({ "user.*": { "comparison": "exists" } }), "always");
        check(
            &json!({ "user.groups": { "comparison": "includes", "target": "resource.team" } }),
            "always",
        );
    }

    #[test]
    fn case_63_what_everybody_may_is_given_by_every_group() {
        let document = Document::parse(&json!({ "rules": { "readData": true } })).unwrap();

        let given = given_by_group(&document, "g", &Attributes::new());

        assert!(matches!(given.grant("readData"), Some(Grant::Always { .. })));
    }
}
