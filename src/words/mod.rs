//! What people read, in their language. The texts are in `templates/words/`, a file for each area;
//! they are part of the binary. No I/O, and no knowledge of what the texts are about.

mod bundle;
mod choose;
mod dates;
#[cfg(test)]
mod tests;

use fluent_bundle::{FluentArgs, FluentValue};
use serde::{Deserialize, Serialize};

/// A language that all pages and letters are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// For everybody who asks for none of the others.
    #[default]
    #[serde(rename = "en")]
    English,
    /// With "Sie".
    #[serde(rename = "de")]
    German,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag, as in `<html lang>`. Source: RFC 5646 section 2.1.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The text with this id.
    pub fn say(self, id: &str) -> String {
        bundle::text(self, id, None)
    }

    /// The text with this id, with values in place of its variables. Numbers choose between
    /// singular and plural.
    pub fn say_with(self, id: &str, values: &[(&str, FluentValue<'_>)]) -> String {
        let mut arguments = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            arguments.set(*name, value.clone());
        }
        bundle::text(self, id, Some(&arguments))
    }
}
