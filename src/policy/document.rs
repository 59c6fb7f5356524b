//! Policies, compiled: parsed once, merged per account, asked often.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::policy::attributes::Attributes;
use crate::policy::explain::{Explanation, explain};
use crate::policy::fact::Fact;
use crate::policy::parse::compile;
use crate::policy::path::Later;
use crate::policy::reduce::reduce;
use crate::policy::rule::Rules;

/// One thing that is wrong with a policy, for whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where: a JSON pointer (RFC 6901) into the document.
    pub pointer: String,
    /// What, in plain words.
    pub message: String,
}

/// A policy that was found valid, ready to decide; or several, merged.
///
/// The default is the policy that allows nothing.
#[derive(Clone, Debug, Default)]
pub struct Document {
    operations: Vec<Operation>,
    /// Places in `operations`, once there are many.
    places: HashMap<Box<str>, usize>,
    policies: Arc<[Arc<str>]>,
}

/// What is granted of one operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name.
    pub name: Box<str>,
    /// When it is allowed.
    pub grant: Grant,
}

/// When an operation is allowed.
#[derive(Clone, Debug)]
pub enum Grant {
    /// Always.
    Always {
        /// Number of the policy that says so, among those that were merged.
        policy: usize,
    },
    /// When one of the rules holds.
    AnyOf(Rules),
}

/// From how many operations on they are found by hashing.
const OPERATIONS_SCANNED_MAX: usize = 16;

impl Grant {
    /// Whether it holds for these facts.
    pub fn holds(&self, facts: &Fact<'_>) -> bool {
        match self {
            Self::Always { .. } => true,
            Self::AnyOf(rules) => rules.any(facts, |entry| entry.rule.holds(facts)),
        }
    }
}

impl Document {
    /// Parses and compiles `{"rules": …}`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(document: &Value) -> Result<Self, Vec<Fault>> {
        compile(&Fact::of(document))
    }

    /// The document of these operations, whose names differ.
    pub(in crate::policy) fn of(operations: Vec<Operation>) -> Self {
        let mut document = Self { operations, ..Self::default() };
        if document.operations.len() > OPERATIONS_SCANNED_MAX {
            let names = document.operations.iter().map(|operation| operation.name.clone());
            document.places = names.zip(0..).collect();
        }
        document
    }

    /// One document with the effect of all; the names are kept for explanations.
    pub fn merge(documents: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        let mut operations: Vec<Operation> = Vec::new();
        let mut places: HashMap<Box<str>, usize> = HashMap::new();
        let mut policies = Vec::new();
        for (policy, (name, document)) in documents.into_iter().enumerate() {
            policies.push(name);
            for Operation { name, grant } in document.operations {
                let place = *places.entry(name.clone()).or_insert(operations.len());
                if operations.get(place).is_none() {
                    operations.push(Operation { name, grant: Grant::AnyOf(Rules::default()) });
                }
                if let Some(operation) = operations.get_mut(place) {
                    add(&mut operation.grant, policy, grant);
                }
            }
        }
        for operation in &mut operations {
            if let Grant::AnyOf(rules) = &mut operation.grant {
                rules.make_index();
            }
        }
        Self { operations, places, policies: policies.into() }
    }

    /// The operations that something is granted of, in the order in which they were written.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What is granted of `operation`.
    pub fn grant(&self, operation: &str) -> Option<&Grant> {
        let found = if self.places.is_empty() {
            self.operations.iter().find(|other| *other.name == *operation)
        } else {
            self.operations.get(*self.places.get(operation)?)
        };
        found.map(|found| &found.grant)
    }

    /// The name of a policy, by its number among those that were merged.
    pub fn policy_name(&self, number: usize) -> Option<&str> {
        self.policies.get(number).map(AsRef::as_ref)
    }

    /// Whether `operation` is allowed: an attribute that is missing allows nothing.
    pub fn decide(&self, operation: &str, facts: &Attributes) -> bool {
        self.decide_on(operation, facts.as_fact())
    }

    /// Whether `operation` is allowed, for facts of any shape.
    pub fn decide_on(&self, operation: &str, facts: &Fact<'_>) -> bool {
        self.grant(operation).is_some_and(|grant| grant.holds(facts))
    }

    /// The first of `operations` that is allowed.
    pub fn decide_any<'o>(&self, operations: &[&'o str], facts: &Attributes) -> Option<&'o str> {
        operations.iter().copied().find(|operation| self.decide(operation, facts))
    }

    /// The operations that are allowed, in the order in which they were written.
    pub fn privileges(&self, facts: &Attributes) -> Vec<&str> {
        self.privileges_on(facts.as_fact())
    }

    /// The operations that are allowed, for facts of any shape.
    pub fn privileges_on(&self, facts: &Fact<'_>) -> Vec<&str> {
        self.operations
            .iter()
            .filter(|operation| operation.grant.holds(facts))
            .map(|operation| operation.name.as_ref())
            .collect()
    }

    /// What is left of the document once `facts` are known and only what `later` says may still
    /// become known. Operations that can no longer be allowed are gone.
    #[must_use]
    pub fn reduce(&self, facts: &Attributes, later: Later) -> Self {
        let left = self.operations.iter().filter_map(|operation| {
            let grant = reduce(&operation.grant, facts.as_fact(), later)?;
            Some(Operation { name: operation.name.clone(), grant })
        });
        Self { policies: Arc::clone(&self.policies), ..Self::of(left.collect()) }
    }

    /// Why `operation` is allowed or not: for administrators.
    pub fn explain(&self, operation: &str, facts: &Attributes) -> Explanation {
        explain(self, operation, facts)
    }

    /// What is left of one operation once `facts` are known; `None` if it cannot be allowed.
    pub fn reduce_one(&self, operation: &str, facts: &Attributes, later: Later) -> Option<Grant> {
        reduce(self.grant(operation)?, facts.as_fact(), later)
    }
}

/// `true` wins; rules add up.
fn add(to: &mut Grant, policy: usize, grant: Grant) {
    match (&mut *to, grant) {
        (Grant::Always { .. }, _) => {}
        (Grant::AnyOf(_), Grant::Always { .. }) => *to = Grant::Always { policy },
        (Grant::AnyOf(rules), Grant::AnyOf(others)) => rules.append(policy, others),
    }
}
