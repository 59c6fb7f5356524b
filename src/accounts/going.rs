//! People who have themselves deleted, as their accounts see it: an account that is there keeps
//! somebody who administers access.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::groups::MEMBER;
use crate::accounts::model::Account;
use crate::accounts::service::Accounts;
use crate::accounts::store;
use crate::accounts::tenancy::Tenancy;
use crate::audit::model::{Action, Actor};
use crate::base::id::UserId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::policy::administrators::{are_all_leaving, needs};
use crate::words::Language;

/// Why somebody cannot ask for their own deletion.
#[derive(Debug, thiserror::Error)]
pub enum GoingError {
    /// They are the only one who administers access in these accounts.
    #[error("there are accounts that nobody else administers")]
    Needed(Vec<Account>),
    /// There is no such user.
    #[error("there is no such user")]
    Unknown,
    /// Our fault.
    #[error(transparent)]
    Internal(#[from] DbError),
}

impl Tenancy {
    /// Asks for the deletion of a user, on their own behalf, and tells them. Answers when it will
    /// be; asking again changes nothing.
    ///
    /// # Errors
    /// [`GoingError::Needed`] as long as there are accounts that nobody else administers who stays,
    /// and that are not about to be deleted themselves.
    pub async fn ask_own_deletion(
        &self,
        user: &UserId,
        language: Language,
    ) -> Result<DateTime<Utc>, GoingError> {
        let input = (self.0.users.asking(user, language), user.clone());
        let unit = self.0.ctx.db.write(input, |tx, (asking, user)| {
            Box::pin(async move {
                let needed = needed_in(tx, user).await?;
                if !needed.is_empty() {
                    return Err(GoingError::Needed(needed));
                }
                asking.ask(tx).await?.ok_or(GoingError::Unknown)
            })
        });
        unit.await
    }
}

/// The accounts that somebody cannot leave to themselves, by id.
async fn needed_in(tx: &mut Tx<'_>, user: &UserId) -> Result<Vec<Account>, DbError> {
    let mut needed = Vec::new();
    for account in store::accounts_of(&mut *tx, user).await? {
        if account.deletion_at.is_none() && needs(tx, &account.id, user).await? {
            needed.push(account);
        }
    }
    Ok(needed)
}

impl Accounts {
    /// Notes in the records of accounts that whoever is about to be purged was the last who
    /// administered them, whatever let it come to that. It keeps nobody from being purged: what is
    /// left is the operator's to repair.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn note_last_administrator(&self, user: &UserId) -> Result<(), DbError> {
        let input = (self.ctx.clone(), user.clone());
        let unit = self.ctx.db.write(input, |tx, (ctx, user)| {
            Box::pin(async move {
                for account in store::accounts_of(&mut *tx, user).await? {
                    if account.deletion_at.is_some() || !are_all_leaving(tx, &account.id).await? {
                        continue;
                    }
                    tracing::warn!(account = %account.id, "nobody will administer the account");
                    let act = Act::by(ctx, &account.id, &Actor::operator());
                    let event = act.event(Action::Delete, MEMBER, user.as_str());
                    act.record(tx, &event.after(json!({ "administrators": 0 })));
                }
                Ok::<_, DbError>(())
            })
        });
        unit.await
    }
}
