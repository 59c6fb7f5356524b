//! Names to sign in with, and the folded form in which they are compared.

use unicode_normalization::UnicodeNormalization as _;

use crate::base::text::line;
use crate::users::error::UserError;

/// Longest name, in bytes.
pub const USERNAME_BYTES_MAX: usize = 256;

/// A name in the form that sign-in compares: compatibility forms and case are folded away, so
/// that two names which look alike in these ways are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsernameKey(String);

impl UsernameKey {
    /// Folds whatever somebody typed: this never fails, it just may be nobody's name.
    pub fn of(typed: &str) -> Self {
        let folded: String = typed.nfkc().flat_map(char::to_lowercase).collect();
        // Lower case may leave a form that is not normal any more; and some characters, such as
        // an accent that stands alone, become a space and something else.
        let normal: String = folded.nfkc().collect();
        Self(normal.trim().to_owned())
    }

    /// The folded name, for the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks a name that a user is about to get.
///
/// # Errors
/// [`UserError::Invalid`] or [`UserError::UsernameCharacters`].
pub fn check(username: &str) -> Result<UsernameKey, UserError> {
    line(username, USERNAME_BYTES_MAX)
        .map_err(|rule| UserError::Invalid { field: "username", rule })?;
    let key = UsernameKey::of(username);
    let strange = |c: char| c.is_whitespace() || is_invisible(c);
    if username.chars().any(strange) || username.nfkc().any(strange) || key.0.is_empty() {
        return Err(UserError::UsernameCharacters);
    }
    Ok(key)
}

/// Characters of format: zero width, marks of direction, soft hyphen, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_are_one() {
        let key = UsernameKey::of("strauß.é@example.org");
        for same in
            ["Strauß.É@Example.org", " strauß.e\u{301}@example.org ", "strauß.é@example.org"]
        {
            assert_eq!(UsernameKey::of(same), key, "{same}");
        }
        assert_ne!(UsernameKey::of("strauss.é@example.org"), key);
        // An accent that stands alone begins with a space when it is folded.
        let accent = UsernameKey::of("\u{B4}a");
        assert_eq!(UsernameKey::of(accent.as_str()), accent);
    }

    #[test]
    fn names_that_cannot_be_told_apart_by_eye_are_refused() {
        for bad in
            ["", " ", "a b", "a\0", "a\nb", "a\u{200B}b", "\u{202E}admin", "a\u{3000}b", "\u{B4}a"]
        {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"x".repeat(USERNAME_BYTES_MAX + 1)).is_err());
        for good in ["ada", "ada@example.org", "Ä-Ω_漢字.1"] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(typed in "\\PC{0,40}") {
            let once = UsernameKey::of(&typed);
            prop_assert_eq!(UsernameKey::of(once.as_str()), once);
        }
    }
}
