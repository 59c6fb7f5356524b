//! From JSON to a compiled policy, or to everything that is wrong with it.
//!
//! What is accepted is what the reference accepts, less what is in the list of deviations in
//! [`crate::policy`].

use std::sync::Arc;

use crate::policy::compare::Comparison;
use crate::policy::document::{Document, Fault, Grant, Operation};
use crate::policy::fact::Fact;
use crate::policy::path::Path;
use crate::policy::rule::{Condition, Entry, Rule, Rules, Term};

/// Largest policy, in bytes of JSON without white space.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of a policy.
pub const DOCUMENT_DEPTH_MAX: usize = 16;
/// Most rules of one operation of a policy.
pub const RULES_MAX: usize = 1000;
/// Most faults that are told at once.
const FAULTS_MAX: usize = 50;

type Entries<'a, 'f> = &'a [(std::borrow::Cow<'f, str>, Fact<'f>)];

/// Parses and compiles `{"rules": …}`.
///
/// # Errors
/// Everything that is wrong with it, up to a bound.
pub fn compile(document: &Fact<'_>) -> Result<Document, Vec<Fault>> {
    let mut parser = Parser { faults: Vec::new(), is_valid: true, faults_max: FAULTS_MAX };
    parser.compile(document).ok_or(parser.faults)
}

/// Parses and compiles `{"rules": …}`; `None` if anything is wrong with it.
pub fn compile_valid(document: &Fact<'_>) -> Option<Document> {
    Parser { faults: Vec::new(), is_valid: true, faults_max: 0 }.compile(document)
}

/// Adds up the bytes of compact JSON; `false` once there are too many, or too many levels.
fn measure(fact: &Fact<'_>, levels: usize, bytes: &mut usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    *bytes += match fact {
        Fact::Text(text) => text.len() + 3,
        Fact::Null | Fact::Bool(_) | Fact::Number(_) | Fact::List(_) | Fact::Map(_) => 2,
    };
    *bytes <= DOCUMENT_BYTES_MAX
        && match fact {
            Fact::List(items) => items.iter().all(|item| measure(item, levels, bytes)),
            Fact::Map(entries) => entries.iter().all(|(key, value)| {
                *bytes += key.len() + 4;
                measure(value, levels, bytes)
            }),
            Fact::Null | Fact::Bool(_) | Fact::Number(_) | Fact::Text(_) => true,
        }
}

/// Where the parser is; becomes a JSON pointer only when there is a fault.
struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

enum Step<'p> {
    Root,
    Key(&'p str),
    Item(usize),
}

impl<'p> Place<'p> {
    fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    fn item(&'p self, number: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(number) }
    }

    /// RFC 6901 section 3.
    fn pointer(&self) -> String {
        let before = self.parent.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => before,
            Step::Key(key) => format!("{before}/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Item(number) => format!("{before}/{number}"),
        }
    }
}

struct Parser {
    faults: Vec<Fault>,
    is_valid: bool,
    faults_max: usize,
}

impl Parser {
    fn compile(&mut self, document: &Fact<'_>) -> Option<Document> {
        let place = Place { parent: None, step: Step::Root };
        if !measure(document, DOCUMENT_DEPTH_MAX, &mut 0) {
            self.fault(
                &place,
                format!(
                    "a policy has at most {DOCUMENT_BYTES_MAX} bytes and {DOCUMENT_DEPTH_MAX} \
                     levels"
                ),
            );
            return None;
        }
        let operations = self.document(document, &place);
        self.is_valid.then(|| Document::of(operations))
    }

    fn fault(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.is_valid = false;
        if self.faults.len() < self.faults_max {
            self.faults.push(Fault { pointer: place.pointer(), message: message.into() });
        }
    }

    fn document(&mut self, document: &Fact<'_>, place: &Place<'_>) -> Vec<Operation> {
        let Fact::Map(entries) = document else {
            self.fault(place, "a policy is an object with the one key `rules`");
            return Vec::new();
        };
        for (key, _) in entries.iter().filter(|(key, _)| key != "rules") {
            self.fault(&place.key(key), "a policy has the one key `rules`");
        }
        let place = place.key("rules");
        match document.get("rules") {
            Some(Fact::Map(operations)) => operations
                .iter()
                .filter_map(|(name, rules)| self.operation(name, rules, &place))
                .collect(),
            Some(_) => {
                self.fault(&place, "`rules` is an object: its keys are operations");
                Vec::new()
            }
            None => {
                self.fault(&place, "`rules` is missing");
                Vec::new()
            }
        }
    }

    fn operation(&mut self, name: &str, rules: &Fact<'_>, place: &Place<'_>) -> Option<Operation> {
        let place = place.key(name);
        if !is_operation(name) {
            self.fault(
                &place,
                "an operation is named by 2 to 64 letters, digits and underscores, a letter first",
            );
            return None;
        }
        let rules = match rules {
            Fact::Bool(true) => {
                return Some(Operation {
                    name: Box::from(name),
                    grant: Grant::Always { policy: 0 },
                });
            }
            Fact::List(rules) if !rules.is_empty() => rules,
            _ => {
                self.fault(&place, "an operation has `true` or a list of rules, not an empty one");
                return None;
            }
        };
        if rules.len() > RULES_MAX {
            self.fault(&place, format!("an operation has at most {RULES_MAX} rules"));
            return None;
        }
        let entries = rules.iter().enumerate().filter_map(|(number, rule)| {
            let rule = Arc::new(self.rule(rule, &place.item(number))?);
            Some(Entry { rule, policy: 0, number })
        });
        let rules = Rules::new(entries.collect());
        Some(Operation { name: Box::from(name), grant: Grant::AnyOf(rules) })
    }

    fn rule(&mut self, rule: &Fact<'_>, place: &Place<'_>) -> Option<Rule> {
        match rule {
            Fact::Map(entries) if entries.is_empty() => {
                self.fault(place, "an empty rule would allow everybody: write `true` instead");
                None
            }
            Fact::Map(entries) => {
                let conditions = entries.iter().filter_map(|(key, comparison)| {
                    self.condition(key, comparison, &place.key(key))
                });
                Some(Rule { conditions: conditions.collect() })
            }
            _ => {
                self.fault(place, "a rule is an object: its keys are attribute paths");
                None
            }
        }
    }

    fn condition(
        &mut self,
        key: &str,
        comparison: &Fact<'_>,
        place: &Place<'_>,
    ) -> Option<Condition> {
        let path = match Path::parse(key) {
            Ok(path) => Some(path),
            Err(fault) => {
                self.fault(place, fault.to_string());
                None
            }
        };
        let Fact::Map(entries) = comparison else {
            self.fault(place, "a condition is an object with the key `comparison`");
            return None;
        };
        let named = match comparison.get("comparison") {
            Some(Fact::Text(name)) => Comparison::named(name),
            _ => None,
        };
        let Some(named) = named else {
            self.fault(
                &place.key("comparison"),
                "`comparison` is one of equals, notEquals, in, notIn, includes, notIncludes, \
                 superset, subset, startsWith, prefixOf, endsWith, suffixOf, exists",
            );
            return None;
        };
        let operand = match named {
            Comparison::Exists => self.no_operand(entries, place),
            named if named.is_affix() => self.affix(entries, place),
            named => self.operand(named, entries, place),
        };
        Some(Condition { key: Term::Path(path?), comparison: named, operand: operand? })
    }

    /// `exists` ignores what else there is, if the reference could read it.
    fn no_operand(&mut self, entries: Entries<'_, '_>, place: &Place<'_>) -> Option<Term> {
        match find(entries, "target") {
            None | Some(Fact::Text(_)) => Some(Term::Nothing),
            Some(_) => {
                self.fault(&place.key("target"), "`target` is an attribute path");
                None
            }
        }
    }

    /// Text, or a path, which wins; or neither, which never holds.
    fn affix(&mut self, entries: Entries<'_, '_>, place: &Place<'_>) -> Option<Term> {
        self.refuse_others(entries, place)?;
        let value = match find(entries, "value") {
            None => Term::Nothing,
            Some(value @ Fact::Text(_)) => known(value),
            Some(_) => {
                self.fault(&place.key("value"), "the `value` of this comparison is a string");
                return None;
            }
        };
        match find(entries, "target") {
            None => Some(value),
            Some(target) => self.target(target, place),
        }
    }

    fn operand(
        &mut self,
        comparison: Comparison,
        entries: Entries<'_, '_>,
        place: &Place<'_>,
    ) -> Option<Term> {
        self.refuse_others(entries, place)?;
        match (find(entries, "value"), find(entries, "target")) {
            (Some(value), None) => self.value(comparison, value, place),
            (None, Some(target)) => self.target(target, place),
            (None, None) | (Some(_), Some(_)) => {
                self.fault(place, "this comparison has either a `value` or a `target`");
                None
            }
        }
    }

    fn value(
        &mut self,
        comparison: Comparison,
        value: &Fact<'_>,
        place: &Place<'_>,
    ) -> Option<Term> {
        use Comparison::{Equals, In, Includes, NotEquals, NotIn, NotIncludes, Subset, Superset};
        let fits = match value {
            Fact::List(items) => {
                matches!(comparison, Superset | Subset | In | NotIn | Equals | NotEquals)
                    && items.iter().all(|item| matches!(item, Fact::Text(_) | Fact::Number(_)))
            }
            Fact::Text(_) | Fact::Number(_) => {
                matches!(comparison, Includes | NotIncludes | Equals | NotEquals)
            }
            Fact::Bool(_) => matches!(comparison, Equals | NotEquals),
            Fact::Null | Fact::Map(_) => false,
        };
        if fits {
            return Some(known(value));
        }
        let wanted = match comparison {
            Superset | Subset | In | NotIn => "an array of strings and numbers",
            Includes | NotIncludes => "a string or a number",
            _ => "a string, a number, `true`, `false`, or an array of strings and numbers",
        };
        self.fault(&place.key("value"), format!("the `value` of {comparison} is {wanted}"));
        None
    }

    fn target(&mut self, target: &Fact<'_>, place: &Place<'_>) -> Option<Term> {
        let place = place.key("target");
        let Fact::Text(text) = target else {
            self.fault(&place, "`target` is an attribute path");
            return None;
        };
        match Path::parse(text) {
            Ok(_) if text.contains('*') => {
                self.fault(&place, "a `target` has no `*`: it is one value");
                None
            }
            Ok(path) => Some(Term::Path(path)),
            Err(fault) => {
                self.fault(&place, fault.to_string());
                None
            }
        }
    }

    fn refuse_others(&mut self, entries: Entries<'_, '_>, place: &Place<'_>) -> Option<()> {
        let is_known = |key: &str| matches!(key, "comparison" | "value" | "target");
        let other = entries.iter().find(|(key, _)| !is_known(key));
        let Some((key, _)) = other else { return Some(()) };
        self.fault(&place.key(key), "a condition has `comparison` and `value` or `target` only");
        None
    }
}

fn find<'e, 'f>(entries: Entries<'e, 'f>, key: &str) -> Option<&'e Fact<'f>> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn known(value: &Fact<'_>) -> Term {
    Term::Known(Arc::new(value.clone().into_owned()))
}

/// `^[A-Za-z][A-Za-z0-9_]{1,63}$`
fn is_operation(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
