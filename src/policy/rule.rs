//! Rules and their conditions, compiled: all conditions of a rule must hold, one rule of an
//! operation must hold.

use std::collections::HashMap;
use std::sync::Arc;

use crate::policy::compare::{Comparison, Truth};
use crate::policy::fact::Fact;
use crate::policy::path::{Found, Path, Values};

/// One side of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// An attribute.
    Path(Path),
    /// A value: a literal of the policy, or an attribute that was known when it was reduced.
    Known(Arc<Fact<'static>>),
    /// Nothing: for `exists`, and for an affix without operand, which never holds.
    Nothing,
}

/// `key comparison operand`, such as `user.groups includes "g1"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is compared; each of its values must hold.
    pub key: Term,
    /// How.
    pub comparison: Comparison,
    /// With what.
    pub operand: Term,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// In the order in which they were written; never none.
    pub conditions: Vec<Condition>,
}

/// A rule, and where it was written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The rule; shared with what is left of it after a reduction that changes nothing in it.
    pub rule: Arc<Rule>,
    /// Number of the policy among those that were merged.
    pub policy: usize,
    /// Number of the rule among those of its operation in that policy.
    pub number: usize,
}

/// The rules of one operation, of which one must hold.
///
/// In an account with many policies most rules name the group, role or user that they are for. A
/// rule that asks for `user.groups includes "g1"` can only hold for a user in `g1`, so such rules
/// are found by what is known of the user, and a thousand rules for others cost nothing.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    entries: Vec<Entry>,
    index: Option<Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    shelves: Vec<Shelf>,
    others: Vec<usize>,
}

/// Rules that ask for a text in, or equal to, one attribute; by that text.
#[derive(Clone, Debug)]
struct Shelf {
    path: Path,
    comparison: Comparison,
    by_text: HashMap<Box<str>, Vec<usize>>,
}

/// Most attributes that rules are found by; there is one look-up for each.
const SHELVES_MAX: usize = 8;

impl Condition {
    /// Whether it holds. An attribute that is missing leaves it unresolved.
    pub fn holds(&self, facts: &Fact<'_>) -> Truth {
        let operand = match &self.operand {
            _ if self.comparison == Comparison::Exists => None,
            Term::Nothing => return Truth::Unresolved,
            Term::Known(fact) => Some(Found::There(fact)),
            Term::Path(path) => match path.resolve_one(facts) {
                None => return Truth::Unresolved,
                found => found,
            },
        };
        // `exists` does not look at its operand.
        let operand = operand.as_ref().map_or(&Fact::Null, Found::fact);
        match &self.key {
            Term::Nothing => Truth::Unresolved,
            Term::Known(fact) => self.comparison.holds(fact, operand),
            Term::Path(path) => match path.resolve(facts) {
                Values::Missing => Truth::Unresolved,
                Values::One(found) => self.comparison.holds(found.fact(), operand),
                Values::Many(found) => {
                    all(found.iter().map(|found| self.comparison.holds(found.fact(), operand)))
                }
            },
        }
    }

    /// The attribute and the text without which the condition cannot hold.
    fn needs(&self) -> Option<(&Path, &str)> {
        match (&self.key, self.comparison, &self.operand) {
            (Term::Path(path), Comparison::Includes | Comparison::Equals, Term::Known(text))
                if path.is_about_caller() =>
            {
                Some((path, text.as_text()?))
            }
            _ => None,
        }
    }
}

/// One `False` decides, then one `Unresolved`.
fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut answer = Truth::True;
    for truth in truths {
        match truth {
            Truth::True => {}
            Truth::False => return Truth::False,
            Truth::Unresolved => answer = Truth::Unresolved,
        }
    }
    answer
}

impl Rule {
    /// Whether it holds, and nothing about it is unresolved.
    pub fn holds(&self, facts: &Fact<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(facts) == Truth::True)
    }
}

impl Rules {
    /// Rules in the order in which they were written.
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, index: None }
    }

    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds those of another policy.
    pub fn append(&mut self, policy: usize, others: Self) {
        self.index = None;
        self.entries.extend(others.entries.into_iter().map(|entry| Entry { policy, ..entry }));
    }

    /// Makes rules be found by what is known of the caller.
    pub fn make_index(&mut self) {
        let mut index = Index::default();
        for (number, entry) in self.entries.iter().enumerate() {
            let is_shelved = entry.rule.conditions.iter().any(|condition| {
                condition.needs().is_some_and(|(path, text)| {
                    index.place(path, condition.comparison, text, number)
                })
            });
            if !is_shelved {
                index.others.push(number);
            }
        }
        self.index = Some(index);
    }

    /// Calls `visit` for every rule that could hold, until it answers `true`.
    pub fn any(&self, facts: &Fact<'_>, mut visit: impl FnMut(&Entry) -> bool) -> bool {
        let Some(index) = &self.index else { return self.entries.iter().any(visit) };
        let mut visit_all = |numbers: &[usize]| {
            numbers.iter().filter_map(|number| self.entries.get(*number)).any(&mut visit)
        };
        index.shelves.iter().any(|shelf| shelf.any(facts, &mut visit_all))
            || visit_all(&index.others)
    }
}

impl Index {
    /// Puts a rule where it is found by `text`; `false` if there is no shelf left for it.
    fn place(&mut self, path: &Path, comparison: Comparison, text: &str, number: usize) -> bool {
        let is_it = |shelf: &Shelf| shelf.comparison == comparison && shelf.path == *path;
        let at = self.shelves.iter().position(is_it).unwrap_or(self.shelves.len());
        if at == self.shelves.len() && at < SHELVES_MAX {
            let by_text = HashMap::new();
            self.shelves.push(Shelf { path: path.clone(), comparison, by_text });
        }
        let Some(found) = self.shelves.get_mut(at) else { return false };
        found.by_text.entry(Box::from(text)).or_default().push(number);
        true
    }
}

impl Shelf {
    fn any(&self, facts: &Fact<'_>, mut visit: impl FnMut(&[usize]) -> bool) -> bool {
        let mut find = |fact: &Fact<'_>| {
            fact.as_text().and_then(|text| self.by_text.get(text)).is_some_and(|found| visit(found))
        };
        match self.path.resolve(facts) {
            // It may become known later.
            Values::Missing => self.by_text.values().any(|numbers| visit(numbers)),
            Values::One(found) => match (self.comparison, found.fact()) {
                (Comparison::Includes, Fact::List(items)) => items.iter().any(find),
                (Comparison::Equals, fact) => find(fact),
                // No text is in what is not an array.
                _ => false,
            },
            // There is no `*` in the path.
            Values::Many(_) => false,
        }
    }
}
