//! Users who are made by the act that brings them, in its unit of work.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::users::error::UserError;
use crate::users::model::NewUser;
use crate::users::service::Users;
use crate::users::store::UserRow;
use crate::users::{store, store_profile};

/// A user about to be made.
pub struct Draft {
    users: Users,
    row: UserRow,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({})", self.row.id)
    }
}

impl Draft {
    /// Who it will be.
    pub fn id(&self) -> &UserId {
        &self.row.id
    }
}

impl Users {
    /// A user about to be made, checked, for [`insert`].
    ///
    /// # Errors
    /// [`UserError`] if a field is not valid.
    pub fn draft(&self, new: NewUser) -> Result<Draft, UserError> {
        let id = UserId::generate(self.0.ctx.now(), self.0.ctx.entropy());
        Ok(Draft { users: self.clone(), row: self.row(id, new)? })
    }
}

/// Makes a user; whoever calls this records what came of it.
///
/// # Errors
/// [`UserError`] if the name or the address is taken.
pub async fn insert(tx: &mut Tx<'_>, draft: &Draft) -> Result<(), UserError> {
    store::insert(tx, &draft.row).await
}

/// Makes a user of somebody who comes by themselves, and records it.
///
/// # Errors
/// [`UserError`] if the name or the address is taken.
pub async fn arrive(tx: &mut Tx<'_>, draft: &Draft) -> Result<(), UserError> {
    insert(tx, draft).await?;
    draft.users.tell_made(tx, draft.id());
    Ok(())
}

/// Calls a user whom somebody else administers by another name.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn rename(
    tx: &mut Tx<'_>,
    id: &UserId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    store_profile::set_name(tx, id, name, now).await
}
