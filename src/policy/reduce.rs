//! Partial evaluation: what is left of a policy when only some attributes are known.
//!
//! Attributes that are known take the place of their paths, on whichever side of a condition they
//! are; nothing is turned around, and a rule stays a list of conditions. The reference turns
//! conditions around and keeps one per path, so that two of them may collide and one be lost,
//! which widens access. Reducing and then deciding is the same as deciding at once.
//!
//! One case is narrower: what is left to some roots ([`Later::Only`], [`Later::Among`]) is decided
//! without the others, so a path that looks at all roots (`*.id`) can't be left to them, and such a
//! rule is dropped.

use std::sync::Arc;

use crate::policy::compare::{Comparison, Truth};
use crate::policy::document::Grant;
use crate::policy::fact::Fact;
use crate::policy::path::{Found, Later, Path, Values};
use crate::policy::rule::{Condition, Entry, Rule, Rules, Term};

/// What is left of a grant; `None` if nothing that may still become known can make it hold.
pub fn reduce(grant: &Grant, facts: &Fact<'_>, later: Later) -> Option<Grant> {
    let rules = match grant {
        Grant::Always { policy } => return Some(Grant::Always { policy: *policy }),
        Grant::AnyOf(rules) => rules,
    };
    let mut reducer = Reducer { facts, later, known: Vec::new() };
    let mut left = Vec::new();
    let mut always = None;
    rules.any(facts, |entry| {
        match reducer.rule(&entry.rule) {
            Left::Nothing => {}
            Left::Same => left.push(entry.clone()),
            Left::Conditions(conditions) if conditions.is_empty() => always = Some(entry.policy),
            Left::Conditions(conditions) => {
                left.push(Entry { rule: Arc::new(Rule { conditions }), ..entry.clone() });
            }
        }
        always.is_some()
    });
    match always {
        Some(policy) => Some(Grant::Always { policy }),
        None if left.is_empty() => None,
        None => Some(Grant::AnyOf(Rules::new(left))),
    }
}

/// What is left of a rule.
enum Left {
    /// It cannot hold any more.
    Nothing,
    /// All of it.
    Same,
    /// These conditions; none if it holds.
    Conditions(Vec<Condition>),
}

/// What is left of a condition.
enum Answer {
    Holds,
    Fails,
    Same,
    Becomes(Vec<Condition>),
}

struct Reducer<'f> {
    facts: &'f Fact<'f>,
    later: Later,
    /// Values that were looked up, by path: rules share them.
    known: Vec<(Path, Vec<Arc<Fact<'static>>>)>,
}

impl Reducer<'_> {
    fn rule(&mut self, rule: &Rule) -> Left {
        let mut changed: Option<Vec<Condition>> = None;
        for (number, condition) in rule.conditions.iter().enumerate() {
            let answer = self.condition(condition);
            if let (Answer::Same, None) = (&answer, &changed) {
                continue;
            }
            let before = rule.conditions.iter().take(number);
            let left = changed.get_or_insert_with(|| before.cloned().collect());
            match answer {
                Answer::Fails => return Left::Nothing,
                Answer::Holds => {}
                Answer::Same => left.push(condition.clone()),
                Answer::Becomes(conditions) => left.extend(conditions),
            }
        }
        changed.map_or(Left::Same, Left::Conditions)
    }

    fn condition(&mut self, condition: &Condition) -> Answer {
        if matches!(self.later, Later::Only(_) | Later::Among(_))
            && [&condition.key, &condition.operand].into_iter().any(spans_roots)
        {
            return Answer::Fails;
        }
        let key_is_pending = self.is_pending(&condition.key);
        let is_pending = key_is_pending || self.is_pending(&condition.operand);
        if !is_pending || (condition.comparison == Comparison::Exists && !key_is_pending) {
            return match condition.holds(self.facts) {
                Truth::True => Answer::Holds,
                Truth::False | Truth::Unresolved => Answer::Fails,
            };
        }
        let known = if key_is_pending { &condition.operand } else { &condition.key };
        let path = match known {
            _ if condition.comparison == Comparison::Exists => return Answer::Same,
            Term::Nothing => return Answer::Fails,
            Term::Known(_) => return Answer::Same,
            Term::Path(path) if path.may_change(self.facts, self.later) => return Answer::Same,
            Term::Path(path) => path,
        };
        // One condition for each value: all of them must hold.
        let values = self.values(path).iter().map(|value| {
            let value = Term::Known(Arc::clone(value));
            let comparison = condition.comparison;
            if key_is_pending {
                Condition { key: condition.key.clone(), comparison, operand: value }
            } else {
                Condition { key: value, comparison, operand: condition.operand.clone() }
            }
        });
        let conditions: Vec<_> = values.collect();
        if conditions.is_empty() { Answer::Fails } else { Answer::Becomes(conditions) }
    }

    fn is_pending(&self, term: &Term) -> bool {
        matches!(term, Term::Path(path) if path.may_change(self.facts, self.later))
    }

    /// The values that a path leads to; none if it leads nowhere.
    fn values(&mut self, path: &Path) -> &[Arc<Fact<'static>>] {
        let place = self.known.iter().position(|(known, _)| known == path);
        let place = place.unwrap_or_else(|| {
            let own = |found: &Found<'_>| Arc::new(found.fact().clone().into_owned());
            let values = match path.resolve(self.facts) {
                Values::Missing => Vec::new(),
                Values::One(found) => vec![own(&found)],
                Values::Many(found) => found.iter().map(own).collect(),
            };
            self.known.push((path.clone(), values));
            self.known.len() - 1
        });
        self.known.get(place).map_or(&[], |(_, values)| values)
    }
}

fn spans_roots(term: &Term) -> bool {
    matches!(term, Term::Path(path) if path.spans_roots())
}
