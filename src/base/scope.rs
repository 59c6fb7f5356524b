//! Scopes of OAuth. Source: RFC 6749 section 3.3.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest `scope` text that is looked at, in bytes: a longer one is refused unread.
pub const SCOPE_BYTES_MAX: usize = 4096;

/// A set of scope tokens, kept sorted so that every answer shows them in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(BTreeSet<Arc<str>>);

/// A scope text that breaks the grammar of RFC 6749 section 3.3, or is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope is malformed")]
pub struct BadScope;

impl Scope {
    /// Parses a space-delimited list. Repeated tokens count once; empty text is the empty scope.
    ///
    /// # Errors
    /// [`BadScope`] for characters outside the grammar or more than [`SCOPE_BYTES_MAX`] bytes.
    pub fn parse(text: &str) -> Result<Self, BadScope> {
        let is_token = |c: u8| matches!(c, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.len() > SCOPE_BYTES_MAX {
            return Err(BadScope);
        }
        let mut tokens = BTreeSet::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !token.bytes().all(is_token) {
                return Err(BadScope);
            }
            tokens.insert(Arc::from(token));
        }
        Ok(Self(tokens))
    }

    /// Whether there is no token in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `token` is in it.
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether every token of this scope is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The tokens in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The tokens, sorted.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Scope {
    type Error = BadScope;

    fn try_from(text: String) -> Result<Self, BadScope> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_3_scope_is_a_sorted_set() {
        let scope = Scope::parse("openid  email openid").unwrap();

        assert_eq!(scope.to_string(), "email openid");
        assert!(Scope::parse("openid").unwrap().is_within(&scope));
        assert!(!scope.is_within(&Scope::parse("openid").unwrap()));
        for bad in ["a\"b", "a\\b", "a\nb", "a\tb", "ä", "a\0"] {
            assert_eq!(Scope::parse(bad), Err(BadScope), "{bad:?}");
        }
        assert!(Scope::parse(&"a".repeat(SCOPE_BYTES_MAX + 1)).is_err());
    }
}
