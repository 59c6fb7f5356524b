//! What is known about the subject, the object, the environment and the account of a request.

use std::borrow::Cow;

use crate::policy::fact::Fact;

/// The facts that a decision is made on, under the roots `user`, `resource`, `environment` and
/// `account`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes(Fact<'static>);

impl Default for Attributes {
    fn default() -> Self {
        Self(Fact::Map(Vec::new()))
    }
}

impl Attributes {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// These, and `value` as the attribute `name` of `root`: `with("user", "id", "u1")`.
    #[must_use]
    pub fn with(mut self, root: &str, name: &str, value: impl Into<Fact<'static>>) -> Self {
        self.put(root, name, value);
        self
    }

    /// Makes `value` the attribute `name` of `root`.
    pub fn put(&mut self, root: &str, name: &str, value: impl Into<Fact<'static>>) {
        let Fact::Map(roots) = &mut self.0 else { return };
        let place = entry(roots, root, || Fact::Map(Vec::new()));
        if let Fact::Map(names) = place {
            *entry(names, name, || Fact::Null) = value.into();
        }
    }

    /// The attribute `name` of `root`, if it is known.
    pub fn get(&self, root: &str, name: &str) -> Option<&Fact<'static>> {
        self.0.get(root)?.get(name)
    }

    /// These and `others`; where both know an attribute, the others are right.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        for (root, names) in entries(&others.0) {
            for (name, value) in entries(names) {
                self.put(root, name, value.clone());
            }
        }
        self
    }

    /// Those of one root alone.
    #[must_use]
    pub fn only(&self, root: &str) -> Self {
        let found = entries(&self.0).iter().filter(|(name, _)| name == root);
        Self(Fact::Map(found.cloned().collect()))
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        entries(&self.0).is_empty()
    }

    /// All facts, as one object.
    pub fn as_fact(&self) -> &Fact<'static> {
        &self.0
    }
}

fn entries<'m>(fact: &'m Fact<'static>) -> &'m [(Cow<'static, str>, Fact<'static>)] {
    if let Fact::Map(entries) = fact { entries } else { &[] }
}

fn entry<'m>(
    entries: &'m mut Vec<(Cow<'static, str>, Fact<'static>)>,
    key: &str,
    make: impl FnOnce() -> Fact<'static>,
) -> &'m mut Fact<'static> {
    let place = entries.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
        entries.push((Cow::Owned(key.to_owned()), make()));
        entries.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "found or pushed above")]
    &mut entries[place].1
}
