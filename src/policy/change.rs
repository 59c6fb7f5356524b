//! Changing policies on behalf of those who administer access in an account.
//!
//! Nobody grants what they do not hold: of what a policy grants after a change, each rule was in it
//! before, or is covered by what its author holds. And somebody always administers access.

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::model::Actor;
use crate::base::id::AccountId;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::administrators::{keeps_administrator, lock};
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::history::{Step, note};
use crate::policy::holdings::Holdings;
use crate::policy::model::{Change, NewPolicy, POLICIES_MAX, Policy, PolicyError};
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::{Policies, check, is_name, resource};
use crate::policy::{store, store_versions};

/// How long somebody can take their own changes back, whatever they hold by now.
const OWN_CHANGES_TTL: TimeDelta = TimeDelta::days(14);

/// Who changes policies, when, and what they may give.
struct Author {
    ctx: Ctx,
    account: AccountId,
    actor: Actor,
    facts: Attributes,
    holdings: Holdings,
    now: DateTime<Utc>,
}

impl Policies {
    /// Writes a new policy on behalf of somebody about whom `facts` are known: the facts that the
    /// permit was given on.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub async fn create(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        policy: &NewPolicy,
    ) -> Result<Policy, PolicyError> {
        let compiled = check(&policy.name, &policy.document)?;
        if !permit.allows(&resource(&policy.name)) {
            return Err(PolicyError::NotAllowed);
        }
        let author = self.author(permit, facts).await?;
        author.holdings.cover(&compiled)?;
        let unit = (author, policy.clone());
        self.ctx
            .db
            .write(unit, |tx, (author, policy)| {
                Box::pin(insert(tx, author, policy, Change::Created))
            })
            .await
    }

    /// Writes a policy over the one called `name`; another name in it renames that one.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub async fn replace(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        name: &str,
        policy: &NewPolicy,
    ) -> Result<Policy, PolicyError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Err(PolicyError::Unknown);
        }
        let compiled = check(&policy.name, &policy.document)?;
        if !permit.allows(&resource(&policy.name)) {
            return Err(PolicyError::NotAllowed);
        }
        let unit = (self.author(permit, facts).await?, name.to_owned(), policy.clone(), compiled);
        self.ctx
            .db
            .write(unit, |tx, (author, name, policy, compiled)| {
                Box::pin(async move {
                    lock(tx, &author.account).await?;
                    let found = store::find(&mut *tx, &author.account, name).await?;
                    let found = found.ok_or(PolicyError::Unknown)?;
                    // What cannot be read any more grants nothing.
                    let before = Document::parse(&found.document).unwrap_or_default();
                    author.holdings.cover_beside(&before, compiled)?;
                    overwrite(tx, author, (&found, policy), Change::Updated).await
                })
            })
            .await
    }

    /// Removes the policy called `name`.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub async fn remove(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        name: &str,
    ) -> Result<(), PolicyError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Err(PolicyError::Unknown);
        }
        let unit = (self.author(permit, facts).await?, name.to_owned());
        self.ctx
            .db
            .write(unit, |tx, (author, name)| {
                Box::pin(async move {
                    lock(tx, &author.account).await?;
                    let found = store::find(&mut *tx, &author.account, name).await?;
                    let found = found.ok_or(PolicyError::Unknown)?;
                    store::delete(tx, &author.account, name).await?;
                    let step = Step::of(Change::Deleted, name).before(&found.document);
                    author.note(tx, &step).await?;
                    settle(tx, author).await
                })
            })
            .await
    }

    /// Makes the policy called `name` again what it was as of version `number`, even if it was
    /// removed since. As with any change, nobody grants by it what they do not hold.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub async fn restore(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
        name: &str,
        number: i64,
    ) -> Result<Policy, PolicyError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Err(PolicyError::Unknown);
        }
        let unit = (self.author(permit, facts).await?, name.to_owned(), number);
        self.ctx
            .db
            .write(unit, |tx, (author, name, number)| {
                Box::pin(bring_back(tx, author, name, *number))
            })
            .await
    }

    async fn author(
        &self,
        permit: &Permit<AccessAdmin>,
        facts: &Attributes,
    ) -> Result<Author, PolicyError> {
        let policy = self.merged(permit.account()).await?;
        Ok(Author {
            ctx: self.ctx.clone(),
            actor: permit.actor().clone(),
            account: permit.account().clone(),
            facts: facts.clone(),
            holdings: Holdings::of_writer(&policy, facts),
            now: self.ctx.now(),
        })
    }
}

impl Author {
    /// Whether nobody but the author changed the policy since its version `number`, and of late:
    /// then nobody has more by having it back than before the author came by.
    async fn took_away(&self, tx: &mut Tx<'_>, name: &str, number: i64) -> Result<bool, DbError> {
        let Some(user) = &self.actor.user else { return Ok(false) };
        let since = (number, self.now - OWN_CHANGES_TTL);
        store_versions::are_all_by(tx, &self.account, name, (user, since)).await
    }

    async fn note(&self, tx: &mut Tx<'_>, step: &Step<'_>) -> Result<(), DbError> {
        note(tx, (&self.ctx, &self.actor), &self.account, step).await
    }
}

async fn insert(
    tx: &mut Tx<'_>,
    author: &Author,
    policy: &NewPolicy,
    change: Change,
) -> Result<Policy, PolicyError> {
    lock(tx, &author.account).await?;
    if store::count(&mut *tx, &author.account).await? >= POLICIES_MAX {
        return Err(PolicyError::TooMany);
    }
    let made = Policy {
        name: policy.name.clone(),
        document: policy.document.clone(),
        created_at: author.now,
        updated_at: author.now,
    };
    store::insert(tx, &author.account, &made).await?;
    author.note(tx, &Step::of(change, &made.name).after(&made.document)).await?;
    // Access adds up: with one policy more nobody has less.
    tx.touch(Topic::Policies);
    Ok(made)
}

/// Writes over `found`, in an account that is locked.
async fn overwrite(
    tx: &mut Tx<'_>,
    author: &Author,
    (found, policy): (&Policy, &NewPolicy),
    change: Change,
) -> Result<Policy, PolicyError> {
    let is_renamed = policy.name != found.name;
    if !is_renamed && policy.document == found.document {
        return Ok(found.clone());
    }
    let made = Policy {
        name: policy.name.clone(),
        document: policy.document.clone(),
        created_at: found.created_at,
        updated_at: author.now,
    };
    store::update(tx, &author.account, &found.name, &made).await?;
    let change = if is_renamed { Change::RenamedTo } else { change };
    let step = Step::of(change, &found.name).before(&found.document).after(&made.document);
    author.note(tx, &step.renamed(is_renamed.then_some(&made.name))).await?;
    settle(tx, author).await?;
    Ok(made)
}

async fn bring_back(
    tx: &mut Tx<'_>,
    author: &Author,
    name: &str,
    number: i64,
) -> Result<Policy, PolicyError> {
    lock(tx, &author.account).await?;
    let found = store::find(&mut *tx, &author.account, name).await?;
    let version = store_versions::find(&mut *tx, &author.account, name, number).await?;
    let version = match (&found, version) {
        (_, Some(version)) => version,
        (Some(_), None) => return Err(PolicyError::UnknownVersion),
        (None, None) => return Err(PolicyError::Unknown),
    };
    let policy = NewPolicy { name: name.to_owned(), document: version.document };
    // The language may have become stricter since.
    let compiled = check(name, &policy.document)?;
    let before = found.as_ref().map(|found| Document::parse(&found.document).unwrap_or_default());
    if !author.took_away(tx, name, number).await? {
        author.holdings.cover_beside(&before.unwrap_or_default(), &compiled)?;
    }
    match &found {
        Some(found) => overwrite(tx, author, (found, &policy), Change::Restored).await,
        None => insert(tx, author, &policy, Change::Restored).await,
    }
}

/// What every change ends with that may take something away.
async fn settle(tx: &mut Tx<'_>, author: &Author) -> Result<(), PolicyError> {
    tx.touch(Topic::Policies);
    keeps_administrator(tx, &author.account, &author.facts).await
}
