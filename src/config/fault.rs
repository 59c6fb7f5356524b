//! What can be wrong with a configuration, in words for the person who wrote it.

use std::fmt;

/// Who gave a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The file.
    File {
        /// Its name, as it was given.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name} line {line}"),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong. Never shows a value, since values can be secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, or what stands in its place.
    pub key: String,
    /// Who gave the value, if somebody did.
    pub origin: Option<Origin>,
    /// What is wrong with it.
    pub problem: String,
}

impl Fault {
    /// A fault of `key`.
    pub fn new(key: &str, origin: Option<&Origin>, problem: impl Into<String>) -> Self {
        let origin = origin.filter(|origin| **origin != Origin::Default).cloned();
        Self { key: printable(key), origin, problem: problem.into() }
    }
}

/// Keys come from files and variables: what a terminal would act on is left out.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).take(200).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)?;
        match &self.origin {
            Some(origin) => write!(f, " ({origin})"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
