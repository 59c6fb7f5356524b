//! What all pages of one's own account show: where to go, and who is signed in.

use crate::http::pages::account::section::Section;
use crate::users::model::User;

/// What `templates/account/base.html` shows around its own part.
#[derive(Clone, Debug)]
pub struct AccountShell {
    /// What to call who is signed in.
    pub name: String,
    /// What they sign in with.
    pub username: String,
    /// The other pages, and this one.
    pub links: Vec<ShellLink>,
}

/// A link to a page of one's own account.
#[derive(Clone, Debug)]
pub struct ShellLink {
    /// For its id.
    pub name: &'static str,
    /// Where to.
    pub path: &'static str,
    /// The words that it says.
    pub words: &'static str,
    /// Whether it is the page that is shown.
    pub is_here: bool,
}

impl AccountShell {
    pub(in crate::http::pages) fn new(here: Section, user: &User) -> Self {
        let link = |section: Section| ShellLink {
            name: section.name(),
            path: section.path(),
            words: section.words(),
            is_here: section == here,
        };
        Self {
            name: user.shown_name().to_owned(),
            username: user.username.clone(),
            links: Section::ALL.into_iter().map(link).collect(),
        }
    }
}
