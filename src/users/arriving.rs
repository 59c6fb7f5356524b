//! Users who are made by the act that brings them, in its unit of work.

use std::fmt;

use crate::base::id::UserId;
use crate::db::Tx;
use crate::users::error::UserError;
use crate::users::model::NewUser;
use crate::users::service::Users;
use crate::users::store;
use crate::users::store::UserRow;

/// A user about to be made.
pub struct Draft(UserRow);

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({})", self.0.id)
    }
}

impl Draft {
    /// Who it will be.
    pub fn id(&self) -> &UserId {
        &self.0.id
    }
}

impl Users {
    /// A user about to be made, checked, for [`insert`].
    ///
    /// # Errors
    /// [`UserError`] if a field is not valid.
    pub fn draft(&self, new: NewUser) -> Result<Draft, UserError> {
        let id = UserId::generate(self.0.ctx.now(), self.0.ctx.entropy());
        self.row(id, new).map(Draft)
    }
}

/// Makes a user.
///
/// # Errors
/// [`UserError`] if the name or the address is taken.
pub async fn insert(tx: &mut Tx<'_>, draft: &Draft) -> Result<(), UserError> {
    store::insert(tx, &draft.0).await
}
