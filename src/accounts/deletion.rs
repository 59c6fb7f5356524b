//! The deletion of accounts. Their administrators ask for it; it happens after a grace period in
//! which everything works as before; then nothing of them is left but what keeps their id from
//! being given to somebody else.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::model::{Account, AccountError};
use crate::accounts::tenancy::{ACCOUNT, Tenancy};
use crate::accounts::{store, store_accounts};
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::AccountId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::policy::administrators::are_all_leaving;
use crate::policy::model::PolicyError;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccountAdmin;
use crate::words::Language;

/// How long an account's deletion can be taken back.
pub const GRACE: TimeDelta = TimeDelta::days(14);
/// How long before the end its owner is reminded.
pub const REMINDER: TimeDelta = TimeDelta::days(3);
/// Most accounts that are looked after at a time.
const ACCOUNTS_MAX: i64 = 50;

const ASKED: &str = "mail-account-asked";
const KEPT: &str = "mail-account-kept";
const SOON: &str = "mail-account-soon";
const DONE: &str = "mail-account-done";

/// What a unit of work about one account needs.
struct Work {
    tenancy: Tenancy,
    id: AccountId,
    language: Language,
    now: DateTime<Utc>,
}

impl Work {
    /// Writes to the owner. The letter calls the account by its id, which no administrator can
    /// make say anything.
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        (account, kind): (&Account, &'static str),
        at: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let Some(to) = account.owner.clone() else { return Ok(()) };
        let values = vec![("date", self.language.day(at)), ("account", self.id.to_string())];
        let letter = Letter { to, language: self.language, kind, values, link: None };
        let inner = &self.tenancy.0;
        post(tx, &inner.ctx, &inner.vault, &letter).await
    }
}

impl Tenancy {
    async fn work(&self, id: &AccountId) -> Result<Work, DbError> {
        let account = store::account(&self.0.ctx.db, id).await?;
        let owner = account.and_then(|account| account.owner);
        let language = self.language_of(owner.as_deref()).await?;
        Ok(Work { tenancy: self.clone(), id: id.clone(), language, now: self.0.ctx.now() })
    }

    /// Asks for the deletion of an account, and tells its owner; asking again changes nothing.
    /// `false` if there is none that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn ask_deletion(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &AccountId,
    ) -> Result<bool, DbError> {
        if self.seen(permit, id).await?.is_none() {
            return Ok(false);
        }
        let input = (self.work(id).await?, Act::of(&self.0.ctx, permit));
        let unit = self.0.ctx.db.write(input, |tx, (work, act)| {
            Box::pin(async move {
                let at = work.now + GRACE;
                let is_new = store_accounts::ask_deletion(tx, &work.id, at, work.now).await?;
                let Some(account) = store::account(&mut *tx, &work.id).await? else {
                    return Ok(false);
                };
                if is_new {
                    work.tell(tx, (&account, ASKED), at).await?;
                    let event = act.event(Action::Delete, ACCOUNT, work.id.as_str());
                    act.record(tx, &event.after(json!({ "status": "PENDING_DELETION" })));
                }
                Ok(true)
            })
        });
        unit.await
    }

    /// Takes it back, and tells the owner; changes nothing if there is nothing to take back. The
    /// account as it is then, if there is one that the caller may see.
    ///
    /// # Errors
    /// [`AccountError::Policy`] if all who administer it have asked to be deleted themselves: they
    /// were let go because it was to end.
    pub async fn cancel_deletion(
        &self,
        permit: &Permit<AccountAdmin>,
        id: &AccountId,
    ) -> Result<Option<Account>, AccountError> {
        if self.seen(permit, id).await?.is_none() {
            return Ok(None);
        }
        let input = (self.work(id).await?, Act::of(&self.0.ctx, permit));
        let unit = self.0.ctx.db.write(input, |tx, (work, act)| {
            Box::pin(async move {
                let is_kept = store_accounts::cancel_deletion(tx, &work.id, work.now).await?;
                if is_kept && are_all_leaving(tx, &work.id).await? {
                    return Err(PolicyError::LastAdministrator.into());
                }
                let account = store::account(&mut *tx, &work.id).await?;
                if let Some(account) = account.as_ref().filter(|_| is_kept) {
                    work.tell(tx, (account, KEPT), work.now).await?;
                    let event = act.event(Action::Update, ACCOUNT, work.id.as_str());
                    act.record(tx, &event.after(json!({ "status": "ACTIVE" })));
                }
                Ok(account)
            })
        });
        unit.await
    }

    /// Reminds the owners of accounts that will be deleted soon, each once, and says how many.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn remind_of_deletions(&self) -> Result<u64, DbError> {
        let (db, now) = (&self.0.ctx.db, self.0.ctx.now());
        let mut reminded = 0;
        let soon = (now, now + REMINDER);
        for id in store_accounts::to_remind(db, soon, ACCOUNTS_MAX).await? {
            let unit = db.write(self.work(&id).await?, |tx, work| {
                Box::pin(async move {
                    let found = store::account(&mut *tx, &work.id).await?;
                    let Some((account, at)) =
                        found.and_then(|it| it.deletion_at.map(|at| (it, at)))
                    else {
                        return Ok(0);
                    };
                    if !store_accounts::remind(tx, &work.id, work.now).await? {
                        return Ok(0);
                    }
                    work.tell(tx, (&account, SOON), at).await?;
                    Ok::<u64, DbError>(1)
                })
            });
            reminded += unit.await?;
        }
        Ok(reminded)
    }

    /// Purges accounts whose grace period is over, a bounded number, and says how many are gone.
    ///
    /// Every step can be repeated, and the next one is found from what is left: whoever dies in
    /// between leaves work to the next round of any node.
    ///
    /// # Errors
    /// [`DbError`] if storage fails. What was not done is done another time.
    pub async fn purge_due(&self) -> Result<u64, DbError> {
        let mut gone = 0;
        let (db, now) = (&self.0.ctx.db, self.0.ctx.now());
        for id in store_accounts::due(db, now, ACCOUNTS_MAX).await? {
            match self.purge(&id).await {
                Ok(is_gone) => gone += u64::from(is_gone),
                // One that cannot be purged keeps no other from it.
                Err(error) => tracing::error!(account = %id, %error, "an account was not purged"),
            }
        }
        Ok(gone)
    }

    async fn purge(&self, id: &AccountId) -> Result<bool, DbError> {
        let db = &self.0.ctx.db;
        for piece in store_accounts::PIECES {
            loop {
                let input = (id.clone(), *piece, self.0.ctx.now());
                let unit = db.write(input, |tx, (id, piece, now)| {
                    Box::pin(store_accounts::delete_piece(tx, id, *piece, *now))
                });
                if !unit.await? {
                    break;
                }
            }
        }
        let unit = db.write(self.work(id).await?, |tx, work| {
            Box::pin(async move {
                let Some(account) = store::account(&mut *tx, &work.id).await? else {
                    return Ok(false);
                };
                if !store_accounts::purge(tx, &work.id, work.now).await? {
                    return Ok(false);
                }
                work.tell(tx, (&account, DONE), work.now).await?;
                let event = Event::new(Action::Delete, ACCOUNT, work.id.as_str());
                record(tx, &work.tenancy.0.ctx, &Actor::operator(), &event);
                Ok(true)
            })
        });
        unit.await
    }
}
