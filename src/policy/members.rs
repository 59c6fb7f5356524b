//! The members of an account as its policies see them: for previews and explanations, never for a
//! request of theirs.

use serde_json::Value;

use crate::base::id::{AccountId, UserId};
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::explain::Explanation;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::{LATER, Policies, merge};
use crate::policy::store as store_policies;
use crate::policy::store_subjects::{self as store, Which};
use crate::policy::subject::Member;

/// Most members that are looked at for one page.
const LOOKED_AT_MAX: u32 = 1000;

/// A member who may do something.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// Who.
    pub user: UserId,
    /// The name to sign in with.
    pub username: String,
    /// Why; nothing but that is told if it hinges on the resource or the sign-in.
    pub because: Explanation,
    /// What of the policies is left to be fulfilled, if anything is.
    pub only_if: Option<Value>,
}

/// Members who may do something, and where to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holders {
    /// By id.
    pub found: Vec<Holder>,
    /// The last member who was looked at, if there are more.
    pub last: Option<UserId>,
}

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

    /// The members of the permit's account who may do `operation`, of whose resource and sign-in
    /// `known` is known: at most `limit`, those after `after`. There may be more behind a short
    /// page: only so many members are looked at in one go.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn holders(
        &self,
        permit: &Permit<AccessAdmin>,
        (operation, known): (&str, &Attributes),
        (after, limit): (Option<&UserId>, usize),
    ) -> Result<Holders, DbError> {
        let account = permit.account();
        let policy = self.merged(account).await?;
        let kind = store::account_kind(&self.ctx.db, account).await?.unwrap_or_default();
        let page = (after, LOOKED_AT_MAX);
        let members = store::members(&self.ctx.db, account, Which::All, page).await?;
        let has_more = members.len() >= usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
        let mut holders = Holders {
            last: members.last().filter(|_| has_more).map(|member| member.id.clone()),
            found: Vec::new(),
        };
        for member in members {
            let facts = member.subject().facts(account, &kind).and(known);
            let Some(holder) = holder(&policy, operation, &member, &facts) else { continue };
            if holders.found.len() == limit {
                holders.last = holders.found.last().map(|holder| holder.user.clone());
                break;
            }
            holders.found.push(holder);
        }
        Ok(holders)
    }

    /// The policies of the account as they would be with these in place of those of the same names;
    /// `None` for one that would not be there.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn merged_with(
        &self,
        account: &AccountId,
        drafts: &[(String, Option<Value>)],
    ) -> Result<Document, DbError> {
        let mut texts = store_policies::texts(&self.ctx.db, account).await?;
        for (name, document) in drafts {
            texts.retain(|(known, _)| known != name);
            if let Some(document) = document {
                texts.push((name.clone(), document.to_string()));
            }
        }
        Ok(merge(account, texts))
    }
}

fn holder(
    policy: &Document,
    operation: &str,
    member: &Member,
    facts: &Attributes,
) -> Option<Holder> {
    let grant = policy.reduce_one(operation, facts, LATER)?;
    let only_if = match grant {
        Grant::Always { .. } => None,
        Grant::AnyOf(_) => {
            let left = policy.reduce(facts, LATER).to_json();
            left.get("rules").and_then(|rules| rules.get(operation)).cloned()
        }
    };
    Some(Holder {
        user: member.id.clone(),
        username: member.username.clone(),
        because: policy.explain(operation, facts),
        only_if,
    })
}
