//! Who may make accounts through the API.

use crate::config::build::Reader;

/// Who may make accounts through the API. Operators always may, with `narthex apply`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountCreation {
    /// Nobody else.
    Operators,
    /// Whoever administers an account already, and names it in the request.
    #[default]
    Administrators,
    /// Everybody who proved to receive mail at an address.
    Users,
}

impl Reader<'_> {
    pub(in crate::config) fn account_creation(&mut self) -> AccountCreation {
        match self.text("accounts.creation") {
            "operators" => AccountCreation::Operators,
            "administrators" => AccountCreation::Administrators,
            "users" => AccountCreation::Users,
            _ => {
                self.fault("accounts.creation", "must be operators, administrators or users");
                AccountCreation::default()
            }
        }
    }
}
