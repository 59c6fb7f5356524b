//! The members of an account as its policies see them: for previews and explanations, never for a
//! request of theirs.

use crate::base::id::{AccountId, UserId};
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::service::Policies;
use crate::policy::store_subjects::{self as store, Which};
use crate::policy::subject::Member;

impl Policies {
    /// What policies know of a member of the account, but for how and where they sign in; `None`
    /// for whoever is in no group of it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn facts_of(
        &self,
        account: &AccountId,
        user: &UserId,
    ) -> Result<Option<Attributes>, DbError> {
        let Some(kind) = store::account_kind(&self.ctx.db, account).await? else { return Ok(None) };
        let found = store::members(&self.ctx.db, account, Which::One(user), (None, 1)).await?;
        Ok(found.first().map(|member: &Member| member.subject().facts(account, &kind)))
    }
}
