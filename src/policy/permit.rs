//! The witness: services ask for a [`Permit`], and only [`authorize`] makes one.

use std::fmt;
use std::marker::PhantomData;

use crate::audit::model::Actor;
use crate::base::id::{AccountId, UserId};
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::filter::{Columns, Filter, filter};
use crate::policy::path::Later;
use crate::policy::privilege::Privilege;

/// The root whose attributes a permit leaves open: they come with each resource.
pub const RESOURCE: &str = "resource";

/// Proof that the caller may do `P` in one account, perhaps to some resources only.
pub struct Permit<P: Privilege> {
    account: AccountId,
    user: UserId,
    actor: Actor,
    grant: Grant,
    /// What was known of the resource already.
    resource: Attributes,
    privilege: PhantomData<fn() -> P>,
}

/// The account's policies do not allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policies of the account do not allow {privilege}")]
pub struct Denied {
    /// What was asked for.
    pub privilege: &'static str,
}

/// Asks whether `user` may do `P` in `account`.
///
/// Everything about the user, the environment and the account must be in `facts`; of the resource
/// there may be as much as is known: the rest is left as a condition.
///
/// # Errors
/// [`Denied`] if there is no resource to which it could be allowed.
pub fn authorize<P: Privilege>(
    policy: &Document,
    facts: &Attributes,
    account: &AccountId,
    user: &UserId,
) -> Result<Permit<P>, Denied> {
    let grant = policy
        .reduce_one(P::NAME, facts, Later::Only(RESOURCE))
        .ok_or(Denied { privilege: P::NAME })?;
    Ok(Permit {
        account: account.clone(),
        user: user.clone(),
        actor: Actor::user(user),
        grant,
        resource: facts.only(RESOURCE),
        privilege: PhantomData,
    })
}

impl<P: Privilege> Permit<P> {
    /// Where.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// To whom.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Who acts, for the record.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same, where this is known of who acts.
    #[must_use]
    pub fn by(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// Whether it holds for every resource.
    pub fn is_unconditional(&self) -> bool {
        matches!(self.grant, Grant::Always { .. })
    }

    /// Whether it holds for the resource with these attributes (under the root `resource`), beside
    /// those that were known when it was given.
    pub fn allows(&self, resource: &Attributes) -> bool {
        match &self.grant {
            Grant::Always { .. } => true,
            grant @ Grant::AnyOf(_) if self.resource.is_empty() => grant.holds(resource.as_fact()),
            grant @ Grant::AnyOf(_) => grant.holds(self.resource.clone().and(resource).as_fact()),
        }
    }

    /// The rows for which it holds, as SQL whose parameters start at `$first_param`.
    pub fn filter(&self, columns: &Columns, first_param: usize) -> Filter {
        filter(&self.grant, columns, first_param)
    }
}

impl<P: Privilege> Clone for Permit<P> {
    fn clone(&self) -> Self {
        Self {
            account: self.account.clone(),
            user: self.user.clone(),
            actor: self.actor.clone(),
            grant: self.grant.clone(),
            resource: self.resource.clone(),
            privilege: PhantomData,
        }
    }
}

impl<P: Privilege> fmt::Debug for Permit<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("privilege", &P::NAME)
            .field("account", &self.account)
            .field("user", &self.user)
            .field("is_unconditional", &self.is_unconditional())
            .finish_non_exhaustive()
    }
}
