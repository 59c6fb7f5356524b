//! What the page of an invitation shows. Askama escapes the fields.

use askama::Template;

use crate::http::pages::mailed::templates::Fault;
use crate::http::pages::templates::Site;

/// Who is at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whoever is invited, signed in.
    Answer,
    /// Somebody who is not signed in, and whose address is a user's.
    SignIn,
    /// Somebody who becomes a user by accepting.
    SignUp,
    /// Somebody else, signed in: what to call them.
    Other(String),
}

/// `templates/invitation.html`: asks whether to join.
#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    /// Around it.
    pub site: Site,
    /// The name of the account.
    pub account: String,
    /// The name of the group.
    pub group: String,
    /// The name of the project in which they are a Patient.
    pub project: Option<String>,
    /// Who is invited.
    pub email: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// The id of the invitation.
    pub id: String,
    /// The secret of the letter.
    pub evc: String,
    /// The authorization that goes on afterwards; empty for none.
    pub grant: String,
    /// Who is at the page.
    pub stage: Stage,
    /// What was typed before.
    pub name: String,
    /// Why it is shown again.
    pub fault: Option<Fault>,
}
