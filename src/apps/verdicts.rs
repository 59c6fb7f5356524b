//! What the platform decides about apps, and the letter to whoever asked.

use serde_json::json;

use crate::apps::changes::check;
use crate::apps::error::ManageError;
use crate::apps::manage::{Managed, keeps_off, replace};
use crate::apps::model::Status;
use crate::apps::new_app::NewApp;
use crate::apps::reviews::{KIND, Review, Reviewer, State, checked, put};
use crate::apps::service::Apps;
use crate::apps::{store, store_manage, store_reviews};
use crate::audit::model::{Action, Event};
use crate::audit::service::record;
use crate::base::id::AppId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::users::model::User;
use crate::users::service::Users;

/// What stands in a letter for a reason that nobody gave.
const NO_REASON: &str = "–";

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The app becomes what was asked for, and live.
    Approve,
    /// It stays as it is.
    Reject,
    /// Whatever was asked for: the app is switched off until something is approved.
    Suspend,
}

impl Verdict {
    fn letter(self) -> &'static str {
        match self {
            Self::Approve => "mail-app-approved",
            Self::Reject => "mail-app-rejected",
            Self::Suspend => "mail-app-suspended",
        }
    }
}

/// A decision.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Which version was looked at; not asked for to suspend.
    pub version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

/// What a unit of work that decides needs.
struct Work {
    apps: Apps,
    by: Reviewer,
    id: AppId,
    decision: Decision,
    letter: Option<Letter>,
}

impl Apps {
    /// Decides, and writes to whoever asked; of a suspension, to whoever registered the app.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn decide(
        &self,
        by: &Reviewer,
        id: &AppId,
        decision: Decision,
        users: &Users,
    ) -> Result<Managed, ManageError> {
        let reason = decision.reason.as_deref().map(|text| checked("reason", text)).transpose()?;
        let decision = Decision { reason, ..decision };
        let letter = self.letter(id, &decision, users).await?;
        let work = Work { apps: self.clone(), by: by.clone(), id: id.clone(), decision, letter };
        self.ctx.db.write(work, |tx, work| Box::pin(work.write(tx))).await
    }

    /// The letter about a decision, for whom it is about as things stand: if that changes before
    /// the decision is written, the version is another one, and nothing is decided.
    async fn letter(
        &self,
        id: &AppId,
        decision: &Decision,
        users: &Users,
    ) -> Result<Option<Letter>, DbError> {
        let db = &self.ctx.db;
        let Some(app) = store::find(db, id).await? else { return Ok(None) };
        let of_whom = match decision.verdict {
            Verdict::Approve | Verdict::Reject => {
                store_reviews::find(db, id).await?.and_then(|review| review.asked_by)
            }
            Verdict::Suspend => {
                let managed = store_manage::find(db, &app.account, id).await?;
                managed.and_then(|managed| managed.registered_by)
            }
        };
        let Some(user) = of_whom else { return Ok(None) };
        let user = users.find(&user).await?;
        let Some((user, to)) = user.as_deref().and_then(reached) else { return Ok(None) };
        let reason = decision.reason.clone().filter(|reason| !reason.is_empty());
        let reason = reason.unwrap_or_else(|| NO_REASON.to_owned());
        let values = vec![("app", app.title), ("reason", reason)];
        let kind = decision.verdict.letter();
        Ok(Some(Letter { to, language: user.language(), kind, values, link: None }))
    }
}

fn reached(user: &User) -> Option<(&User, String)> {
    let address = user.proven_email().filter(|_| user.is_active())?;
    Some((user, address.to_owned()))
}

impl Work {
    async fn write(&self, tx: &mut Tx<'_>) -> Result<Managed, ManageError> {
        if !store::hold(tx, &self.id).await? {
            return Err(ManageError::Unknown);
        }
        keeps_off(self.by.0.actor(), &self.id)?;
        let before = store::find(&mut *tx, &self.id).await?.ok_or(ManageError::Unknown)?;
        match self.decision.verdict {
            Verdict::Suspend => self.suspend(tx, &before).await?,
            Verdict::Approve => self.approve(tx, &before).await?,
            Verdict::Reject => {
                let review = self.looked_at(tx).await?;
                self.put(tx, review, State::Rejected).await?;
            }
        }
        if let Some(letter) = &self.letter {
            post(tx, &self.apps.ctx, &self.apps.vault, letter).await?;
        }
        let after = store_manage::find(&mut *tx, &before.account, &self.id).await?;
        after.ok_or(ManageError::Unknown)
    }

    async fn suspend(&self, tx: &mut Tx<'_>, before: &NewApp) -> Result<(), ManageError> {
        let after = NewApp { status: Status::Disabled, ..before.clone() };
        store_manage::set_suspended(tx, &self.id, true).await?;
        self.replace(tx, before, &after).await?;
        let event = Event::new(Action::Update, KIND, self.id.as_str()).of(&before.account);
        let told = json!({ "state": "suspended", "reason": self.decision.reason });
        record(tx, &self.apps.ctx, self.by.0.actor(), &event.after(told));
        Ok(())
    }

    async fn approve(&self, tx: &mut Tx<'_>, before: &NewApp) -> Result<(), ManageError> {
        let review = self.looked_at(tx).await?;
        let wanted = review.wanted.clone().over(before.clone());
        let after = NewApp { status: Status::Live, ..wanted };
        // The rules may have become stricter since it was drafted.
        check(before, &after, false)?;
        store_manage::set_suspended(tx, &self.id, false).await?;
        self.replace(tx, before, &after).await?;
        self.put(tx, review, State::Approved).await?;
        Ok(())
    }

    /// What is asked for, if that is what was looked at, and somebody else asks for it.
    async fn looked_at(&self, tx: &mut Tx<'_>) -> Result<Review, ManageError> {
        let known = store_reviews::find(&mut *tx, &self.id).await?;
        let is_asked = |review: &Review| {
            review.state == State::Submitted && Some(review.version) == self.decision.version
        };
        let review = known.filter(is_asked).ok_or(ManageError::Stale)?;
        if review.asked_by.as_ref() == Some(self.by.0.user()) {
            return Err(ManageError::OwnRequest);
        }
        Ok(review)
    }

    async fn put(&self, tx: &mut Tx<'_>, review: Review, state: State) -> Result<(), DbError> {
        let decided = Review {
            state,
            version: review.version + 1,
            decided_by: Some(self.by.0.user().clone()),
            decided_at: Some(self.apps.ctx.now()),
            reason: self.decision.reason.clone(),
            ..review
        };
        put(tx, &self.apps.ctx, self.by.0.actor(), &decided).await
    }

    async fn replace(
        &self,
        tx: &mut Tx<'_>,
        before: &NewApp,
        after: &NewApp,
    ) -> Result<(), ManageError> {
        Ok(replace(tx, &self.apps.ctx, self.by.0.actor(), (before, after)).await?)
    }
}
