//! Letters to the owner of an account, about projects that are deleted in it.

use chrono::{DateTime, Utc};

use crate::accounts::store;
use crate::accounts::tenancy::Tenancy;
use crate::base::id::{AccountId, ProjectId};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::words::Language;

/// Who hears of what is deleted in an account, if it names somebody.
#[derive(Clone, Debug)]
pub struct Owner {
    tenancy: Tenancy,
    account: AccountId,
    to: Option<String>,
    language: Language,
}

impl Tenancy {
    /// The owner of an account.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn owner_of(&self, account: &AccountId) -> Result<Owner, DbError> {
        let found = store::account(&self.0.ctx.db, account).await?;
        let to = found.and_then(|account| account.owner);
        let language = self.language_of(to.as_deref()).await?;
        Ok(Owner { tenancy: self.clone(), account: account.clone(), to, language })
    }
}

impl Owner {
    /// Writes what becomes of a project, and when. The letter calls account and project by their
    /// ids, which nobody can make say anything.
    ///
    /// # Errors
    /// [`DbError`] if a statement fails.
    pub async fn tell_of_project(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        (project, at): (&ProjectId, DateTime<Utc>),
    ) -> Result<(), DbError> {
        let Some(to) = self.to.clone() else { return Ok(()) };
        let values = vec![
            ("date", self.language.day(at)),
            ("account", self.account.to_string()),
            ("project", project.to_string()),
        ];
        let letter = Letter { to, language: self.language, kind, values, link: None };
        let inner = &self.tenancy.0;
        post(tx, &inner.ctx, &inner.vault, &letter).await
    }
}
