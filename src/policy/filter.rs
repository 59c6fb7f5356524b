//! What is left of a policy, as a condition of SQL that both databases understand.
//!
//! A row is in the answer exactly when [`Grant::holds`] for the attributes in its columns. What
//! has no column is narrower: such a condition holds for no row. Texts are always parameters.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::db::query::Param;
use crate::policy::compare::Comparison;
use crate::policy::document::Grant;
use crate::policy::fact::Fact;
use crate::policy::loose::is_alike;
use crate::policy::rule::{Condition, Rule, Term};

/// Most parameters of one filter: SQLite takes 32,766 in a statement. Rules beyond are left out,
/// which is narrower.
pub const PARAMS_MAX: usize = 30_000;

/// Which column holds which attribute of a resource, as text.
#[derive(Clone, Copy, Debug)]
pub struct Columns(&'static [(&'static str, &'static str)]);

impl Columns {
    /// Pairs of an attribute (`resource.dataset`) and the SQL expression that holds it: a text
    /// column, NULL where the row lacks the attribute.
    pub const fn new(pairs: &'static [(&'static str, &'static str)]) -> Self {
        Self(pairs)
    }

    fn of(&self, attribute: &str) -> Option<&'static str> {
        self.0.iter().find(|(name, _)| *name == attribute).map(|(_, column)| *column)
    }
}

/// A condition for a WHERE clause, in brackets, and the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// SQL for both databases. NULL counts as false: it is for a WHERE, under AND and OR.
    pub sql: String,
    /// Values of `$first_param` and those after it.
    pub params: Vec<Param>,
}

/// A condition on the columns of one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Test<'g> {
    /// The column is not NULL.
    Present(&'static str),
    /// The column is one of these; never none.
    OneOf(&'static str, Vec<&'g str>),
    /// The column is none of these; never none.
    NoneOf(&'static str, Vec<&'g str>),
    /// The column starts with, ends with, begins, or finishes the text.
    Affix(&'static str, Affix, &'g str),
    /// The first column is held against the second.
    Columns(&'static str, Pair, &'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Affix {
    StartsWith,
    EndsWith,
    PrefixOf,
    SuffixOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pair {
    Equal,
    Unequal,
    StartsWith,
    EndsWith,
}

/// The filter for what is left of a grant, with parameters from `$first_param` on.
pub fn filter(grant: &Grant, columns: &Columns, first_param: usize) -> Filter {
    let mut writer = Writer { sql: String::from("("), params: Vec::new(), first_param };
    match grant {
        Grant::Always { .. } => writer.sql.push_str("1 = 1"),
        Grant::AnyOf(rules) => {
            let rules = rules.entries().iter();
            for tests in joined(rules.filter_map(|entry| tests(&entry.rule, columns))) {
                writer.rule(&tests);
            }
            if writer.sql == "(" {
                writer.sql.push_str("1 = 0");
            }
        }
    }
    writer.sql.push(')');
    Filter { sql: writer.sql, params: writer.params }
}

/// Many rules that ask the same column for one value each become one list; equal rules become one.
fn joined<'g>(rules: impl Iterator<Item = Vec<Test<'g>>>) -> Vec<Vec<Test<'g>>> {
    let mut lists: BTreeMap<&'static str, Vec<&'g str>> = BTreeMap::new();
    let mut joined = Vec::new();
    for mut tests in rules {
        match tests.as_mut_slice() {
            [Test::OneOf(column, texts)] => lists.entry(column).or_default().append(texts),
            _ => joined.push(tests),
        }
    }
    let lists = lists.into_iter().map(|(column, texts)| vec![Test::OneOf(column, unique(texts))]);
    joined.extend(lists);
    unique(joined)
}

fn unique<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// The tests of a rule, all of which must hold; `None` if no row can pass.
fn tests<'g>(rule: &'g Rule, columns: &Columns) -> Option<Vec<Test<'g>>> {
    let tests: Option<_> =
        rule.conditions.iter().map(|condition| test(condition, columns)).collect();
    tests.map(unique)
}

/// The test that a condition is; `None` if no row can pass.
fn test<'g>(condition: &'g Condition, columns: &Columns) -> Option<Test<'g>> {
    let column = |term: &Term| match term {
        Term::Path(path) => columns.of(path.as_str()),
        Term::Known(_) | Term::Nothing => None,
    };
    let comparison = condition.comparison;
    match (&condition.key, column(&condition.key), &condition.operand, column(&condition.operand)) {
        (_, Some(key), _, _) if comparison == Comparison::Exists => Some(Test::Present(key)),
        (_, Some(key), Term::Known(value), _) => column_against(key, comparison, value),
        (Term::Known(value), _, _, Some(operand)) => turned(comparison, value, operand),
        (_, Some(key), _, Some(operand)) => column_against_column(key, comparison, operand),
        _ => None,
    }
}

/// A text column as key, a known value as operand.
fn column_against<'g>(
    column: &'static str,
    comparison: Comparison,
    value: &'g Fact<'_>,
) -> Option<Test<'g>> {
    match (comparison, value) {
        (Comparison::Equals, Fact::Text(_)) => one_of(column, [value]),
        (Comparison::NotEquals, _) => unequal(column, value),
        (Comparison::In, Fact::List(items)) => one_of(column, items),
        (Comparison::NotIn, Fact::List(items)) => Some(none_of(column, items)),
        (Comparison::StartsWith, Fact::Text(text)) => affix(column, Affix::StartsWith, text),
        (Comparison::EndsWith, Fact::Text(text)) => affix(column, Affix::EndsWith, text),
        (Comparison::PrefixOf, Fact::Text(text)) => affix(column, Affix::PrefixOf, text),
        (Comparison::SuffixOf, Fact::Text(text)) => affix(column, Affix::SuffixOf, text),
        // Text in a column is no array, and equals nothing but text.
        _ => None,
    }
}

/// A known value as key, a text column as operand.
fn turned<'g>(
    comparison: Comparison,
    value: &'g Fact<'_>,
    column: &'static str,
) -> Option<Test<'g>> {
    match (comparison, value) {
        (Comparison::Equals, Fact::Text(_)) => one_of(column, [value]),
        (Comparison::NotEquals, _) => unequal(column, value),
        (Comparison::Includes, Fact::List(items)) => one_of(column, items),
        (Comparison::NotIncludes, Fact::List(items)) => Some(none_of(column, items)),
        (Comparison::StartsWith, Fact::Text(text)) => affix(column, Affix::PrefixOf, text),
        (Comparison::EndsWith, Fact::Text(text)) => affix(column, Affix::SuffixOf, text),
        (Comparison::PrefixOf, Fact::Text(text)) => affix(column, Affix::StartsWith, text),
        (Comparison::SuffixOf, Fact::Text(text)) => affix(column, Affix::EndsWith, text),
        _ => None,
    }
}

fn column_against_column(
    key: &'static str,
    comparison: Comparison,
    operand: &'static str,
) -> Option<Test<'static>> {
    let (a, pair, b) = match comparison {
        Comparison::Equals => (key, Pair::Equal, operand),
        Comparison::NotEquals => (key, Pair::Unequal, operand),
        Comparison::StartsWith => (key, Pair::StartsWith, operand),
        Comparison::EndsWith => (key, Pair::EndsWith, operand),
        Comparison::PrefixOf => (operand, Pair::StartsWith, key),
        Comparison::SuffixOf => (operand, Pair::EndsWith, key),
        _ => return None,
    };
    Some(Test::Columns(a, pair, b))
}

/// Text in a column, which loose equality must not take for the value.
fn unequal<'g>(column: &'static str, value: &'g Fact<'_>) -> Option<Test<'g>> {
    match value {
        Fact::Text(_) => Some(none_of(column, [value])),
        // Of all text only the empty one may be alike.
        Fact::List(_) | Fact::Map(_) if is_alike(&Fact::Text(Cow::Borrowed("")), value) => {
            Some(Test::NoneOf(column, vec![""]))
        }
        Fact::List(_) | Fact::Map(_) => Some(Test::Present(column)),
        // SQL does not read numbers as JavaScript does.
        Fact::Null | Fact::Bool(_) | Fact::Number(_) => None,
    }
}

/// The texts that a column can hold: not those with NUL, which PostgreSQL does not even compare.
fn texts<'g, 'f: 'g>(items: impl IntoIterator<Item = &'g Fact<'f>>) -> Vec<&'g str> {
    let texts = items.into_iter().filter_map(Fact::as_text);
    unique(texts.filter(|text| !text.contains('\0')).collect())
}

fn one_of<'g, 'f: 'g>(
    column: &'static str,
    items: impl IntoIterator<Item = &'g Fact<'f>>,
) -> Option<Test<'g>> {
    let texts = texts(items);
    if texts.is_empty() { None } else { Some(Test::OneOf(column, texts)) }
}

fn none_of<'g, 'f: 'g>(
    column: &'static str,
    items: impl IntoIterator<Item = &'g Fact<'f>>,
) -> Test<'g> {
    let texts = texts(items);
    if texts.is_empty() { Test::Present(column) } else { Test::NoneOf(column, texts) }
}

fn affix<'g>(column: &'static str, affix: Affix, text: &'g str) -> Option<Test<'g>> {
    if text.contains('\0') { None } else { Some(Test::Affix(column, affix, text)) }
}

struct Writer {
    sql: String,
    params: Vec<Param>,
    first_param: usize,
}

impl Writer {
    fn rule(&mut self, tests: &[Test<'_>]) {
        let params = tests.iter().map(|test| match test {
            Test::Present(_) | Test::Columns(..) => 0,
            Test::OneOf(_, items) | Test::NoneOf(_, items) => items.len(),
            Test::Affix(..) => 1,
        });
        if self.params.len() + params.sum::<usize>() > PARAMS_MAX {
            return;
        }
        if self.sql.len() > 1 {
            self.sql.push_str(" OR ");
        }
        for (number, test) in tests.iter().enumerate() {
            if number > 0 {
                self.sql.push_str(" AND ");
            }
            self.test(test);
        }
    }

    /// The number of the parameter that holds `text`.
    fn param(&mut self, text: &str) -> usize {
        self.params.push(Param::from(text));
        self.first_param + self.params.len() - 1
    }

    fn list(&mut self, column: &str, is_in: &str, texts: &[&str]) {
        self.write(format_args!("{column} {is_in} ("));
        for (number, text) in texts.iter().enumerate() {
            let param = self.param(text);
            self.write(format_args!("{}${param}", if number > 0 { ", " } else { "" }));
        }
        self.sql.push(')');
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing into text does not fail.
        let _ = fmt::Write::write_fmt(&mut self.sql, text);
    }

    fn test(&mut self, test: &Test<'_>) {
        match test {
            Test::Present(column) => self.write(format_args!("{column} IS NOT NULL")),
            Test::OneOf(column, texts) => self.list(column, "IN", texts),
            Test::NoneOf(column, texts) => self.list(column, "NOT IN", texts),
            Test::Affix(a, affix, end) => {
                let (n, p) = (end.chars().count(), self.param(end));
                match affix {
                    Affix::StartsWith => self.write(format_args!("substr({a}, 1, {n}) = ${p}")),
                    Affix::EndsWith => {
                        self.write(format_args!("substr({a}, length({a}) + 1 - {n}) = ${p}"));
                    }
                    Affix::PrefixOf => {
                        self.write(format_args!("substr(${p}, 1, length({a})) = {a}"));
                    }
                    Affix::SuffixOf => {
                        self.write(format_args!("substr(${p}, {n} + 1 - length({a})) = {a}"));
                    }
                }
            }
            Test::Columns(a, Pair::Equal, b) => self.write(format_args!("{a} = {b}")),
            Test::Columns(a, Pair::Unequal, b) => self.write(format_args!("{a} <> {b}")),
            Test::Columns(a, Pair::StartsWith, b) => {
                self.write(format_args!("substr({a}, 1, length({b})) = {b}"));
            }
            Test::Columns(a, Pair::EndsWith, b) => {
                self.write(format_args!("substr({a}, length({a}) + 1 - length({b})) = {b}"));
            }
        }
    }
}
