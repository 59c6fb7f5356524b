//! Who may make a user of their own.

use crate::config::build::Reader;

/// Who may make a user of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody, whoever invites them: operators make users.
    Operators,
    /// Nobody by themselves. Whoever is invited into an account becomes a user by accepting.
    #[default]
    Closed,
    /// Also whoever is invited by the operator.
    Invitation,
    /// Everybody who receives mail at an address that nobody else signs in with.
    Open,
}

impl SignUp {
    /// Whether whoever is invited into an account becomes a user by accepting.
    #[must_use]
    pub fn takes_invited(self) -> bool {
        self != Self::Operators
    }

    /// Whether whoever the operator writes to becomes a user by it.
    #[must_use]
    pub fn takes_written_to(self) -> bool {
        matches!(self, Self::Invitation | Self::Open)
    }
}

impl Reader<'_> {
    pub(in crate::config) fn sign_up(&mut self) -> SignUp {
        match self.text("sign_up.mode") {
            "operators" => SignUp::Operators,
            "closed" => SignUp::Closed,
            "invitation" => SignUp::Invitation,
            "open" => SignUp::Open,
            _ => {
                self.fault("sign_up.mode", "must be operators, closed, invitation or open");
                SignUp::Closed
            }
        }
    }
}
