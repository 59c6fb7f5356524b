//! The deletion of users. Only they may ask for it; it happens after a grace period in which
//! everything works as before; then nothing of them is left but what keeps their id and their name
//! from being given to somebody else.
//!
//! What they gave to apps is purged by [`crate::oauth::purge`], between closing and forgetting.

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::model::Action;
use crate::audit::service as audit;
use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::users::error::UserError;
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store;
use crate::users::store_deletion as gone;
use crate::users::store_deletion::Tombstone;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// How long a user can take it back.
pub const GRACE: TimeDelta = TimeDelta::days(14);
/// How long before the end they are reminded.
pub const REMINDER: TimeDelta = TimeDelta::days(3);
/// Most users that are looked after at a time.
const USERS_MAX: i64 = 50;
/// Most sessions that one transaction ends.
const SESSIONS_MAX: i64 = 200;
const NAME_PURPOSE: &str = "users: names that are gone";

const ASKED: &str = "mail-deletion-asked";
const KEPT: &str = "mail-deletion-kept";
const SOON: &str = "mail-deletion-soon";
const DONE: &str = "mail-deletion-done";

/// What a unit of work about one user needs.
struct Work {
    ctx: Ctx,
    vault: Vault,
    issuer: String,
    id: UserId,
    language: Language,
    now: DateTime<Utc>,
}

impl Work {
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        (user, kind): (&User, &'static str),
        at: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let Some(to) = user.proven_email().map(str::to_owned) else { return Ok(()) };
        let is_over = kind == DONE;
        let letter = Letter {
            to,
            language: self.language,
            kind,
            values: vec![("date", self.language.day(at)), ("name", user.shown_name().to_owned())],
            link: (!is_over).then(|| format!("{}/account/deletion", self.issuer)),
        };
        post(tx, &self.ctx, &self.vault, &letter).await
    }
}

/// Somebody who is about to ask for their own deletion.
pub struct Asking {
    users: Users,
    work: Work,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking")
    }
}

impl Asking {
    /// Asks for the deletion, and tells the user. Answers when it will be, `None` if there is no
    /// such user; asking again changes nothing. Whether an account needs them is decided before,
    /// in the same unit of work.
    ///
    /// # Errors
    /// [`DbError`] if a statement fails.
    pub async fn ask(&self, tx: &mut Tx<'_>) -> Result<Option<DateTime<Utc>>, DbError> {
        let Self { users, work } = self;
        let at = work.now + GRACE;
        let asked = (at, work.language.code());
        let is_new = gone::ask(tx, &work.id, asked, work.now).await?;
        let Some(user) = store::find(&mut *tx, &work.id).await? else { return Ok(None) };
        if is_new {
            users.tell_own(tx, &work.id, "deletion");
            work.tell(tx, (&user, ASKED), at).await?;
        }
        Ok(user.deletion_at)
    }
}

impl Users {
    fn work(&self, id: &UserId, language: Language) -> Work {
        Work {
            ctx: self.0.ctx.clone(),
            vault: self.0.vault.clone(),
            issuer: self.0.issuer.as_str().to_owned(),
            id: id.clone(),
            language,
            now: self.0.ctx.now(),
        }
    }

    /// The language of the letters about a deletion.
    async fn language_of(&self, id: &UserId) -> Result<Language, DbError> {
        let code = gone::language(&self.0.ctx.db, id).await?;
        Ok(code.as_deref().and_then(Language::of_tag).unwrap_or_default())
    }

    /// Says when the user will be gone for good, or that they stay after all.
    ///
    /// # Errors
    /// [`UserError::Unknown`], or [`UserError::Internal`] if storage fails.
    pub async fn set_deletion(
        &self,
        id: &UserId,
        deletion_at: Option<DateTime<Utc>>,
    ) -> Result<(), UserError> {
        let input = ((self.clone(), id.clone()), deletion_at, self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, ((users, id), deletion_at, now)| {
            users.tell_operated(tx, id, (Action::Update, "deletion"));
            Box::pin(store::set_deletion(tx, id, *deletion_at, *now))
        });
        if unit.await? { Ok(()) } else { Err(UserError::Unknown) }
    }

    /// What it takes to ask for the deletion of a user, on their own behalf.
    pub fn asking(&self, id: &UserId, language: Language) -> Asking {
        Asking { users: self.clone(), work: self.work(id, language) }
    }

    /// Takes it back, and tells the user; `false` if there is nothing to take back any more.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn cancel_deletion(&self, id: &UserId) -> Result<bool, DbError> {
        let work = self.work(id, self.language_of(id).await?);
        let unit = self.0.ctx.db.write((self.clone(), work), |tx, (users, work)| {
            Box::pin(async move {
                if !gone::cancel(tx, &work.id, work.now).await? {
                    return Ok(false);
                }
                users.tell_own(tx, &work.id, "deletion");
                if let Some(user) = store::find(&mut *tx, &work.id).await? {
                    work.tell(tx, (&user, KEPT), work.now).await?;
                }
                Ok(true)
            })
        });
        unit.await
    }

    /// Reminds those who will be deleted soon, each once, and says how many.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn remind_of_deletions(&self) -> Result<u64, DbError> {
        let now = self.0.ctx.now();
        let mut reminded = 0;
        for id in gone::to_remind(&self.0.ctx.db, (now, now + REMINDER), USERS_MAX).await? {
            let work = self.work(&id, self.language_of(&id).await?);
            let unit = self.0.ctx.db.write(work, |tx, work| {
                Box::pin(async move {
                    let found = store::find(&mut *tx, &work.id).await?;
                    let Some((user, at)) = found.and_then(|it| it.deletion_at.map(|at| (it, at)))
                    else {
                        return Ok(0);
                    };
                    if !gone::remind(tx, &work.id, work.now).await? {
                        return Ok(0);
                    }
                    work.tell(tx, (&user, SOON), at).await?;
                    Ok::<u64, DbError>(1)
                })
            });
            reminded += unit.await?;
        }
        Ok(reminded)
    }

    /// Those whose grace period is over, a bounded number.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn deletions_due(&self) -> Result<Vec<UserId>, DbError> {
        gone::due(&self.0.ctx.db, self.0.ctx.now(), USERS_MAX).await
    }

    /// Closes a user whose grace period is over: from here on nothing of theirs works. `false` if
    /// it is not over, or they are gone.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn close(&self, id: &UserId) -> Result<bool, DbError> {
        let input = (id.clone(), self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (id, now)| Box::pin(gone::close(tx, id, *now)));
        if !unit.await? {
            return Ok(false);
        }
        loop {
            let unit = self
                .0
                .ctx
                .db
                .write(id.clone(), |tx, id| Box::pin(gone::end_sessions(tx, id, SESSIONS_MAX)));
            if unit.await? == 0 {
                return Ok(true);
            }
        }
    }

    /// Forgets a user whose grace period is over, and tells the address that was theirs. `false`
    /// if it is not over, or they are gone.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn forget(&self, id: &UserId) -> Result<bool, DbError> {
        let work = self.work(id, self.language_of(id).await?);
        let unit = self.0.ctx.db.write((self.clone(), work), |tx, (users, work)| {
            Box::pin(async move {
                let Some(user) = store::find(&mut *tx, &work.id).await? else { return Ok(false) };
                let tombstone = Tombstone {
                    id: id_digest(&work.id),
                    username: name_mac(&work.vault, &UsernameKey::of(&user.username)),
                };
                if !gone::purge(tx, &work.id, &tombstone, work.now).await? {
                    return Ok(false);
                }
                // What is recorded stays, with ids alone.
                audit::forget(tx, &work.id).await?;
                users.tell_operated(tx, &work.id, (Action::Delete, "user"));
                work.tell(tx, (&user, DONE), work.now).await?;
                Ok(true)
            })
        });
        unit.await
    }
}

/// What stands for the id of somebody who is gone.
pub(in crate::users) fn id_digest(id: &UserId) -> Digest {
    Digest::of(id.as_str().as_bytes())
}

/// What stands for the name of somebody who is gone: keyed, so that a stolen table cannot be asked
/// for names.
pub(in crate::users) fn name_mac(vault: &Vault, key: &UsernameKey) -> Digest {
    vault.mac(NAME_PURPOSE, &[key.as_str().as_bytes()])
}
