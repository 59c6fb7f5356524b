//! What the templates around letters show. Askama escapes the fields.

use askama::Template;

use crate::http::pages::links::AppShown;
use crate::http::pages::templates::Site;

/// Why a page is shown again.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The field that it is about; may be empty.
    pub field: &'static str,
    /// In words.
    pub text: String,
}

/// `templates/sign_up.html`: asks for name, address and password.
#[derive(Debug, Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage {
    /// Around it.
    pub site: Site,
    /// The app that asks for it.
    pub app: Option<AppShown>,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// The secret of an invitation; may be empty.
    pub invitation: String,
    /// What was typed before.
    pub name: String,
    /// What was typed before, or the address that was invited.
    pub email: String,
    /// Where to sign in instead.
    pub sign_in: String,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

/// `templates/check_mail.html`: a letter is on its way.
#[derive(Debug, Template)]
#[template(path = "check_mail.html")]
pub struct CheckMailPage {
    /// Around it.
    pub site: Site,
    /// The words with `$to` in them.
    pub lead: &'static str,
    /// What was typed: whom the letter is for.
    pub to: String,
    /// Whether it was sent once more.
    pub is_again: bool,
    /// Where to ask for it once more: a path of ours.
    pub action: &'static str,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
    /// What else asking for it once more takes: a name and a value.
    pub field: (&'static str, String),
    /// Where to sign in.
    pub sign_in: String,
}

/// The words of a page that a link opens.
#[derive(Clone, Copy, Debug)]
pub struct LinkWords {
    /// Its title.
    pub title: &'static str,
    /// What it asks, with `$email` in it.
    pub lead: &'static str,
    /// Why it asks for a password.
    pub why: &'static str,
    /// What its button says.
    pub button: &'static str,
}

/// `templates/opened_link.html`: asks whether to do what a link is for.
#[derive(Debug, Template)]
#[template(path = "opened_link.html")]
pub struct OpenedLinkPage {
    /// Around it.
    pub site: Site,
    /// Its words.
    pub words: LinkWords,
    /// The address that it is about.
    pub email: String,
    /// Whose password it asks for.
    pub username: String,
    /// Where the answer goes: a path of ours.
    pub action: &'static str,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// The secret of the link.
    pub token: String,
    /// Whether the link alone is not enough.
    pub asks_password: bool,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

/// `templates/forgot.html`: asks who forgot their password.
#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    /// Around it.
    pub site: Site,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What was typed before.
    pub username: String,
    /// Where to sign in instead.
    pub sign_in: String,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

/// `templates/reset.html`: asks for another password.
#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    /// Around it.
    pub site: Site,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// The secret of the link.
    pub token: String,
    /// Whose password it is.
    pub username: String,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}

/// `templates/done.html`: says that something is done, and where to go on.
#[derive(Debug, Template)]
#[template(path = "done.html")]
pub struct DonePage {
    /// Around it.
    pub site: Site,
    /// The words of its title.
    pub title: &'static str,
    /// The words of what was done.
    pub text: &'static str,
    /// Where to go on: a path of ours.
    pub next: String,
    /// The words of the button that leads there.
    pub label: &'static str,
}
