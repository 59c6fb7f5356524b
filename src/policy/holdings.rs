//! What somebody holds who gives something: nobody gives more.

use crate::policy::attributes::Attributes;
use crate::policy::cover::uncovered;
use crate::policy::document::{Document, Grant};
use crate::policy::model::PolicyError;
use crate::policy::path::Later;
use crate::policy::permit::RESOURCE;
use crate::policy::privilege::{
    AccessAdmin, ApiKeyUser, NAMES, Privilege as _, ReadData, ReadMaskedData,
};

/// What somebody holds, of resources that are yet to be known.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Holdings {
    rules: Document,
    /// The operations that somebody in the account is granted, for whoever may define others.
    defined: Option<Vec<Box<str>>>,
}

impl Holdings {
    pub(in crate::policy) fn of(policy: &Document, facts: &Attributes) -> Self {
        Self { rules: policy.reduce(facts, Later::Only(RESOURCE)), defined: None }
    }

    /// What somebody holds who writes policies. Whoever administers all access in an account says
    /// by them who uses keys, which open no more than their user may; what the operations are that
    /// the account defines itself, until somebody was granted them; and who sees masked what they
    /// see themselves.
    pub(in crate::policy) fn of_writer(policy: &Document, facts: &Attributes) -> Self {
        let held = Self::of(policy, facts);
        if !matches!(held.rules.grant(AccessAdmin::NAME), Some(Grant::Always { .. })) {
            return held;
        }
        let defined = policy.operations().iter().map(|operation| operation.name.clone());
        Self { defined: Some(defined.collect()), ..held }
    }

    /// Refuses what gives more.
    pub(in crate::policy) fn cover(&self, given: &Document) -> Result<(), PolicyError> {
        self.cover_beside(&Document::default(), given)
    }

    /// Refuses what gives more, beside what was given `before`.
    pub(in crate::policy) fn cover_beside(
        &self,
        before: &Document,
        given: &Document,
    ) -> Result<(), PolicyError> {
        let given = given.operations().iter().filter(|operation| !self.may_define(&operation.name));
        let given = Document::of(given.cloned().collect());
        let masks = self.defined.as_ref().and_then(|_| self.rules.masked());
        let masks = masks.unwrap_or_default();
        match uncovered(&given, &[before, &self.rules, &masks]) {
            None => Ok(()),
            Some(operation) => Err(PolicyError::GrantsMoreThanHeld(operation.to_owned())),
        }
    }

    fn may_define(&self, operation: &str) -> bool {
        let Some(defined) = &self.defined else { return false };
        operation == ApiKeyUser::NAME
            || (!NAMES.contains(&operation) && !defined.iter().any(|known| **known == *operation))
    }
}

impl Document {
    /// Masked, what may be read; `None` if nothing may be.
    fn masked(&self) -> Option<Self> {
        let read = self.operations().iter().find(|operation| *operation.name == *ReadData::NAME)?;
        let mut masked = read.clone();
        masked.name = ReadMaskedData::NAME.into();
        Some(Self::of(vec![masked]))
    }
}
