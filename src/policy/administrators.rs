//! The last administrator cannot lock the account out.

use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::compare::Comparison;
use crate::policy::document::Grant;
use crate::policy::model::PolicyError;
use crate::policy::path::Later;
use crate::policy::privilege::{AccessAdmin, Privilege as _};
use crate::policy::rule::{Rule, Term};
use crate::policy::service::merge;
use crate::policy::store_subjects::{self as store, Which};

/// How many members are looked at in one go.
const MEMBERS_MAX: u32 = 200;
/// From how many groups on all members are looked at.
const GROUPS_MAX: usize = 200;

/// Refuses a unit of work after which nobody could change everything about access in the account:
/// no member who may sign in holds `accessAdmin` for every resource. To be asked last in every unit
/// that takes something away: a policy, a group, a member, an attribute.
///
/// `facts` are those that the permit of the caller was given on. Rules may ask for a sign-in of
/// some kind, or an address: they count if one like that of the caller would do.
///
/// It locks the account, so that of two who take away each other's access at once one is refused.
///
/// # Errors
/// [`PolicyError::LastAdministrator`], or [`PolicyError::Internal`].
pub async fn keeps_administrator(
    tx: &mut Tx<'_>,
    account: &AccountId,
    facts: &Attributes,
) -> Result<(), PolicyError> {
    lock(tx, account).await?;
    let texts = store::texts_with(&mut *tx, account, AccessAdmin::NAME).await?;
    let policy = merge(account, texts);
    let Some(grant) = policy.grant(AccessAdmin::NAME) else {
        return Err(PolicyError::LastAdministrator);
    };
    let Some(kind) = store::account_kind(&mut *tx, account).await? else { return Ok(()) };
    let environment = facts.only("environment");
    let groups = groups_of(grant);
    let mut after: Option<UserId> = None;
    loop {
        let which = groups.as_deref().map_or(Which::All, Which::In);
        let page = (after.as_ref(), MEMBERS_MAX);
        let members = store::members(&mut *tx, account, which, page).await?;
        let administers = members.iter().filter(|member| member.is_active).any(|member| {
            let facts = member.subject().facts(account, &kind).and(&environment);
            let held = policy.reduce_one(AccessAdmin::NAME, &facts, Later::Nothing);
            matches!(held, Some(Grant::Always { .. }))
        });
        if administers {
            return Ok(());
        }
        after = members.last().map(|member| member.id.clone());
        if after.is_none() {
            return Err(PolicyError::LastAdministrator);
        }
    }
}

/// Makes others who change access in the account wait until this unit of work has ended.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn lock(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), DbError> {
    store::lock(tx, account).await
}

/// The groups of which one is asked for by every rule; `None` if one rule asks for none, or there
/// are too many.
fn groups_of(grant: &Grant) -> Option<Vec<GroupId>> {
    let Grant::AnyOf(rules) = grant else { return None };
    let groups = rules.entries().iter().map(|entry| group_of(&entry.rule));
    let mut groups = groups.collect::<Option<Vec<GroupId>>>()?;
    groups.sort();
    groups.dedup();
    (groups.len() <= GROUPS_MAX).then_some(groups)
}

fn group_of(rule: &Rule) -> Option<GroupId> {
    rule.conditions.iter().find_map(|condition| {
        match (&condition.key, condition.comparison, &condition.operand) {
            (Term::Path(path), Comparison::Includes, Term::Known(value))
                if path.as_str() == "user.groups" =>
            {
                value.as_text()?.parse().ok()
            }
            _ => None,
        }
    })
}
