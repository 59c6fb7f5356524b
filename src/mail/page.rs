//! What a letter looks like in a program that shows HTML: the template escapes all of it.

use askama::Template;

/// `templates/mail/letter.html`. Colours are the reader's own, light or dark, but for the button,
/// which brings both of its own; nothing is loaded from anywhere.
#[derive(Debug, Template)]
#[template(path = "mail/letter.html")]
pub(in crate::mail) struct LetterPage<'a> {
    pub(in crate::mail) language: &'static str,
    pub(in crate::mail) subject: &'a str,
    /// Paragraphs of lines.
    pub(in crate::mail) paragraphs: Vec<Vec<&'a str>>,
    pub(in crate::mail) link: Option<LinkShown<'a>>,
    pub(in crate::mail) footer: &'a str,
}

/// A link as a button, and in clear for those whose program has no buttons.
#[derive(Debug)]
pub(in crate::mail) struct LinkShown<'a> {
    pub(in crate::mail) url: &'a str,
    pub(in crate::mail) label: &'a str,
    pub(in crate::mail) or_copy: &'a str,
}
