//! What applying a declaration changes, for people to read.

use std::fmt;

use crate::policy::model::Declared;
use crate::setup::fault::printable;

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Made, changed or left as it is.
    pub declared: Declared,
    /// What it is: `policy acme/Administrators`.
    pub name: String,
    /// Which of its fields change, when that is known.
    pub fields: Vec<&'static str>,
}

impl Change {
    /// A change of the object called `name`, which may hold anything.
    pub fn new(declared: Declared, name: &str) -> Self {
        Self { declared, name: printable(name), fields: Vec::new() }
    }

    /// With the fields that change; an existing object without any is unchanged.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<&'static str>) -> Self {
        self.fields = fields;
        self
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.declared {
            Declared::Created => '+',
            Declared::Updated => '~',
            Declared::Unchanged => '=',
        };
        write!(f, "{sign} {}", self.name)?;
        if self.declared == Declared::Updated && !self.fields.is_empty() {
            write!(f, ": {}", self.fields.join(", "))?;
        }
        Ok(())
    }
}

/// What becomes of everything that a file declares, in the order in which it happens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference(pub Vec<Change>);

impl Difference {
    /// How many objects are left in which way.
    pub fn count(&self, declared: Declared) -> usize {
        self.0.iter().filter(|change| change.declared == declared).count()
    }

    /// Whether everything is as declared already.
    pub fn is_empty(&self) -> bool {
        self.count(Declared::Unchanged) == self.0.len()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in self.0.iter().filter(|change| change.declared != Declared::Unchanged) {
            writeln!(f, "{change}")?;
        }
        write!(
            f,
            "{} created, {} changed, {} as declared already",
            self.count(Declared::Created),
            self.count(Declared::Updated),
            self.count(Declared::Unchanged)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_read_line_by_line() {
        let difference = Difference(vec![
            Change::new(Declared::Created, "account acme"),
            Change::new(Declared::Unchanged, "user ben"),
            Change::new(Declared::Updated, "user ada\n").with_fields(vec!["name", "password"]),
        ]);

        assert_eq!(
            difference.to_string(),
            "+ account acme\n~ user ada\u{FFFD}: name, password\n\
             1 created, 1 changed, 1 as declared already"
        );
        assert!(!difference.is_empty());
        assert!(Difference::default().is_empty());
    }
}
