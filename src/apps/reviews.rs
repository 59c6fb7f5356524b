//! Going live, and changing what is live: drafted and asked for by whoever administers an app,
//! decided by administrators of the platform's own account.
//!
//! An app that is live stays as it was approved until what is asked for is approved, too. Whoever
//! decides says which version they looked at: what changed meanwhile is looked at again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::apps::changes::{Wanted, check};
use crate::apps::edit::Edit;
use crate::apps::error::{Fault, ManageError};
use crate::apps::manage::{Managed, Manager, held};
use crate::apps::model::{BadVariant, variants};
use crate::apps::new_app::NewApp;
use crate::apps::service::Apps;
use crate::apps::{store_manage, store_reviews};
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, AppId, UserId};
use crate::base::text;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccountAdmin;

/// What reviews are called in the record.
pub(in crate::apps) const KIND: &str = "app-review";
/// Longest note or reason, in bytes.
const NOTE_BYTES_MAX: usize = 2_000;

variants! {
    /// Where a review stands.
    State: "draft, submitted, approved, rejected" {
        /// Nobody looks at it yet.
        Draft = "draft",
        /// The platform is asked to look.
        Submitted = "submitted",
        /// The app is as was asked for.
        Approved = "approved",
        /// It is not; it can be drafted and asked for again.
        Rejected = "rejected",
    }
}

/// What is asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Of which app.
    pub app: AppId,
    /// The account that owns the app.
    pub account: AccountId,
    /// Where it stands.
    pub state: State,
    /// Counts up with each change.
    pub version: i64,
    /// What the app is to be once it is live.
    pub wanted: Wanted,
    /// What the developer says to it.
    pub note: String,
    /// Who asks.
    pub asked_by: Option<UserId>,
    /// When they asked.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When they decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// What they say to it.
    pub reason: Option<String>,
}

/// An administrator of the platform's own account.
#[derive(Clone, Debug)]
pub struct Reviewer(pub(in crate::apps) Permit<AccountAdmin>);

impl Reviewer {
    /// Somebody who administers `platform`.
    ///
    /// # Errors
    /// [`ManageError::NotThePlatform`] for administrators of other accounts, and if the operator
    /// named none.
    pub fn new(
        permit: Permit<AccountAdmin>,
        platform: Option<&AccountId>,
    ) -> Result<Self, ManageError> {
        if platform == Some(permit.account()) && permit.is_unconditional() {
            Ok(Self(permit))
        } else {
            Err(ManageError::NotThePlatform)
        }
    }
}

impl Apps {
    /// The review of an app that somebody administers.
    ///
    /// # Errors
    /// [`ManageError::Unknown`] if there is no such app; `None` if nothing was asked for.
    pub async fn review(&self, by: &Manager, id: &AppId) -> Result<Option<Review>, ManageError> {
        self.managed(by, id).await?;
        Ok(store_reviews::find(&self.ctx.db, id).await?)
    }

    /// Drafts what an app is to be once it is live, on top of the draft of before: what is not named
    /// stays, the note, too. What was asked for before is taken back.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn draft_review(
        &self,
        by: &Manager,
        id: &AppId,
        (note, edit): (Option<&str>, Edit),
    ) -> Result<Review, ManageError> {
        let note = note.map(|note| checked("note", note)).transpose()?;
        let input = (self.ctx.clone(), by.clone(), id.clone(), (note, edit));
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id, (note, edit))| {
            Box::pin(async move {
                let before = held(tx, by, id).await?;
                let known = store_reviews::find(&mut *tx, id).await?;
                let known = known.filter(|known| known.state != State::Approved);
                let app = edit.clone().over(drafted(&before, known.as_ref()));
                check(&before.app, &app, false)?;
                let review = Review {
                    app: id.clone(),
                    account: by.account().clone(),
                    state: State::Draft,
                    version: store_reviews::last_version(&mut *tx, id).await? + 1,
                    wanted: Wanted::of(&app),
                    note: note.clone().or(known.map(|known| known.note)).unwrap_or_default(),
                    asked_by: Some(by.user().clone()),
                    submitted_at: None,
                    decided_by: None,
                    decided_at: None,
                    reason: None,
                };
                put(tx, ctx, by.actor(), &review).await?;
                Ok::<_, ManageError>(review)
            })
        });
        unit.await
    }

    /// Asks the platform to look at the draft.
    ///
    /// # Errors
    /// [`ManageError::Unknown`] if nothing is drafted, [`ManageError::Stale`] if it is asked for or
    /// decided already.
    pub async fn submit_review(&self, by: &Manager, id: &AppId) -> Result<Review, ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone());
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id)| {
            Box::pin(async move {
                held(tx, by, id).await?;
                let known = store_reviews::find(&mut *tx, id).await?;
                let draft = known.ok_or(ManageError::Unknown)?;
                if draft.state != State::Draft {
                    return Err(ManageError::Stale);
                }
                let review = Review {
                    state: State::Submitted,
                    version: draft.version + 1,
                    asked_by: Some(by.user().clone()),
                    submitted_at: Some(ctx.now()),
                    ..draft
                };
                put(tx, ctx, by.actor(), &review).await?;
                Ok::<_, ManageError>(review)
            })
        });
        unit.await
    }

    /// Takes back what was asked for.
    ///
    /// # Errors
    /// [`ManageError::Unknown`] if nothing was.
    pub async fn withdraw_review(&self, by: &Manager, id: &AppId) -> Result<(), ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone());
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id)| {
            Box::pin(async move {
                held(tx, by, id).await?;
                if !store_reviews::delete(tx, id).await? {
                    return Err(ManageError::Unknown);
                }
                let event = Event::new(Action::Delete, KIND, id.as_str()).of(by.account());
                record(tx, ctx, by.actor(), &event);
                Ok(())
            })
        });
        unit.await
    }

    /// A page of what the platform is asked to look at, of all accounts, by app.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn submitted(
        &self,
        _by: &Reviewer,
        after: Option<&AppId>,
        limit: u32,
    ) -> Result<Vec<Review>, DbError> {
        store_reviews::submitted(&self.ctx.db, after, limit).await
    }

    /// What is asked for an app, or was, beside what the app is now.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn to_review(
        &self,
        _by: &Reviewer,
        id: &AppId,
    ) -> Result<Option<(Review, Managed)>, DbError> {
        let review = store_reviews::find(&self.ctx.db, id).await?;
        // A draft is nobody's business but its author's.
        let Some(review) = review.filter(|review| review.state != State::Draft) else {
            return Ok(None);
        };
        let app = store_manage::find(&self.ctx.db, &review.account, id).await?;
        Ok(app.map(|app| (review, app)))
    }
}

pub(in crate::apps) fn checked(field: &'static str, text: &str) -> Result<String, ManageError> {
    let checked = text::optional_line(text.trim(), NOTE_BYTES_MAX);
    checked.map(str::to_owned).map_err(|bad| vec![Fault::new(field, bad)].into())
}

/// What a draft begins from: what is asked for already, or the app as it is.
fn drafted(before: &Managed, open: Option<&Review>) -> NewApp {
    match open {
        Some(known) => known.wanted.clone().over(before.app.clone()),
        None => before.app.clone(),
    }
}

/// Writes a review down, and records where it stands.
pub(in crate::apps) async fn put(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    actor: &Actor,
    review: &Review,
) -> Result<(), DbError> {
    let now = json!({
        "state": review.state, "version": review.version, "wanted": review.wanted,
        "note": review.note, "reason": review.reason,
    });
    let event = Event::new(Action::Update, KIND, review.app.as_str()).of(&review.account);
    record(tx, ctx, actor, &event.after(now));
    store_reviews::put(tx, review).await
}
