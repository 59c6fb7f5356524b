//! Who may make a user of their own.

use crate::config::build::Reader;

/// Who may make a user of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody: operators make users.
    #[default]
    Closed,
    /// Whoever was invited.
    Invitation,
    /// Everybody who receives mail at an address that nobody else signs in with.
    Open,
}

impl Reader<'_> {
    pub(in crate::config) fn sign_up(&mut self) -> SignUp {
        match self.text("sign_up.mode") {
            "closed" => SignUp::Closed,
            "invitation" => SignUp::Invitation,
            "open" => SignUp::Open,
            _ => {
                self.fault("sign_up.mode", "must be closed, invitation or open");
                SignUp::Closed
            }
        }
    }
}
