//! Who may: the policy decision point (NIST SP 800-162).
//!
//! It knows attributes, and nothing of groups, projects or tokens: the gate gathers the attributes
//! and asks. Everything here but [`service`] and its store is pure.
//!
//! # The language
//!
//! The grammar is that of the public library `@lifeomic/abac`, so that policies written for it
//! work unchanged.
//!
//! ```text
//! policy     = { "rules": { operation: true | [ rule, … ], … } }
//! rule       = { path: condition, … }             all must hold; one rule of an operation must
//! condition  = { "comparison": c, "value": v }    against a literal
//!            | { "comparison": c, "target": path } against another attribute
//!            | { "comparison": "exists" }
//! operation  = ^[A-Za-z][A-Za-z0-9_]{1,63}$
//! path       = user.groups | user.c.*.tags | user.c.%keys | user.groups.0 | …
//! ```
//!
//! | `comparison` | holds when, for the attribute `v` and the operand `c` | `value` |
//! | --- | --- | --- |
//! | `equals`, `notEquals` | they are, or are not, equal | string, number, truth value, array |
//! | `in`, `notIn` | the array `c` has, or lacks, `v` | array of strings and numbers |
//! | `includes`, `notIncludes` | the array `v` has, or lacks, `c` | string or number |
//! | `superset`, `subset` | `v` has all of `c`, or `c` all of `v` | array of strings and numbers |
//! | `startsWith`, `endsWith` | the text `v` starts or ends with `c` | string |
//! | `prefixOf`, `suffixOf` | the text `c` starts or ends with `v` | string |
//! | `exists` | `v` is there | none |
//!
//! A path with `*` leads to several values, all of which must hold. There is no rule that denies:
//! access adds up, and what nothing grants is denied.
//!
//! # Three answers
//!
//! A condition on an attribute that is missing or null is neither true nor false but unresolved.
//! Deciding takes that for no ([`document::Document::decide`]). Reducing keeps it
//! ([`document::Document::reduce`]), and what is left becomes the WHERE of a query
//! ([`permit::Permit::filter`]), so that a list never holds a row that the caller may not see.
//!
//! # Where it is narrower than the reference
//!
//! Never allow what the reference denies: every difference is towards denial.
//!
//! | Topic | Reference | Here |
//! | --- | --- | --- |
//! | `equals` on unlike types | loose equality of JavaScript | strict: false |
//! | `notEquals` on unlike types | negation of the loose equality | the same |
//! | arrays and objects inside arrays | found by identity | never found; never found lacking if equal |
//! | empty rule | allows everybody | refused |
//! | unknown comparison | never holds | refused |
//! | `target` with `*` | the first value counts | refused |
//! | operation names | almost any text | letters, digits, underscores |
//! | inherited properties | resolve, or throw | own keys only |
//! | `.length`, `%keys` and indexes of text, `%keys` of arrays | work | unresolved |
//! | `startsWith` and `endsWith` with an operand that is no text | made text | unresolved, refused |
//! | reducing two keys of a rule to one path | the last one wins | both are kept |
//! | a rule on all roots at once (`*.id`), in a permit | | dropped |
//! | size | unbounded | bounded: [`parse`], [`path`] |
//!
//! # Speed
//!
//! A policy is compiled when it is written or loaded; the policies of an account are merged once
//! and held. A decision looks at one operation, and among its rules finds those for the groups of
//! the user ([`rule::Rules`]).

pub mod administrators;
pub mod attributes;
mod change;
pub mod compare;
pub mod cover;
pub mod document;
pub mod explain;
pub mod fact;
pub mod filter;
pub mod give;
pub mod given;
mod history;
mod holdings;
mod json;
pub mod loose;
pub mod losing;
pub mod members;
pub mod model;
pub mod parse;
pub mod path;
pub mod permit;
pub mod privilege;
pub mod reach;
pub mod reduce;
pub mod rule;
pub mod service;
mod store;
mod store_subjects;
mod store_versions;
pub mod subject;
pub mod vectors;

#[cfg(test)]
mod tests;
