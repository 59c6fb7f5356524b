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
    /// A control character: NUL, line break, escape.
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
    if text.chars().any(char::is_control) {
        return Err(BadText::Control);
    }
    Ok(text)
}
