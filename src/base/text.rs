//! Rules for text that people type and others read.

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing, or only white space.
    #[error("must not be empty")]
    Empty,
    /// More bytes than the field holds.
    #[error("must have at most {0} bytes")]
    TooLong(usize),
    /// A control character: NUL, line break, escape, or what turns the direction of the text
    /// around it.
    #[error("must not contain control characters")]
    Control,
}

/// Checks one line of text: a name, a title.
///
/// # Errors
/// The first rule that it breaks.
pub fn line(text: &str, bytes_max: usize) -> Result<&str, BadText> {
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    optional_line(text, bytes_max)
}

/// Checks one line of text that may be empty: a description.
///
/// # Errors
/// The first rule that it breaks.
pub fn optional_line(text: &str, bytes_max: usize) -> Result<&str, BadText> {
    if text.len() > bytes_max {
        return Err(BadText::TooLong(bytes_max));
    }
    if text.chars().any(is_control) {
        return Err(BadText::Control);
    }
    Ok(text)
}

/// Whether a character shows nothing and changes how others are shown: controls, line separators,
/// and those that embed, override or isolate a direction, with which a title could write itself
/// over what stands beside it. Source: Unicode Standard Annex 9 section 2.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_16_a_line_cannot_turn_the_text_around_it() {
        for bad in ["\0", "a\nb", "\u{1b}[31m", "Portal\u{202e}lairT", "\u{2066}a", "a\u{2028}b"] {
            assert_eq!(line(bad, 100), Err(BadText::Control), "{bad:?}");
        }
        for good in ["Portal", "مستشفى", "בית חולים", "Zoë’s 🏥", "a\u{200f}b"] {
            assert_eq!(line(good, 100), Ok(good));
        }
    }
}
