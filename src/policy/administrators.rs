//! The last administrator cannot lock the account out.

use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::compare::Comparison;
use crate::policy::document::{Document, Grant};
use crate::policy::fact::Fact;
use crate::policy::model::PolicyError;
use crate::policy::path::Later;
use crate::policy::privilege::{AccessAdmin, Privilege as _};
use crate::policy::rule::{Rule, Term};
use crate::policy::service::merge;
use crate::policy::store_subjects::{self as store, Which};
use crate::policy::subject::{Member, Standing};

/// How many members are looked at in one go.
const MEMBERS_MAX: u32 = 200;
/// From how many groups on all members are looked at.
const GROUPS_MAX: usize = 200;
/// What is not known of somebody's next sign-in.
const SIGN_IN: Later = Later::Only("environment");

/// Refuses a unit of work after which nobody could change everything about access in the account:
/// no member who signs in, and stays, holds `accessAdmin` for every resource. To be asked last in
/// every unit that takes something away: a policy, a group, a member, an attribute.
///
/// `facts` are those that the permit of the caller was given on. Rules may ask for a sign-in of
/// some kind, or an address: they count if one like that of the caller would do. Those that ask
/// for a time do not: it passes.
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
    let Some(rules) = AccessRules::read(tx, account).await? else { return Ok(()) };
    let environment = facts.only("environment").with("environment", "time", Fact::Null);
    let administers = |member: &Member| {
        member.standing == Standing::Stays && rules.gives(member, &environment, Later::Nothing)
    };
    if rules.find(tx, administers).await? { Ok(()) } else { Err(PolicyError::LastAdministrator) }
}

/// Whether `user` administers everything about access in the account, under whatever sign-in, and
/// nobody else does who stays. It locks the account, so that of two who leave at once one is
/// needed.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn needs(tx: &mut Tx<'_>, account: &AccountId, user: &UserId) -> Result<bool, DbError> {
    lock(tx, account).await?;
    let Some(rules) = AccessRules::read(tx, account).await? else { return Ok(false) };
    let is_able = |member: &Member| {
        member.standing == Standing::Stays && rules.gives(member, &Attributes::new(), SIGN_IN)
    };
    if !rules.find(tx, |member| member.id == *user && is_able(member)).await? {
        return Ok(false);
    }
    Ok(!rules.find(tx, |member| member.id != *user && is_able(member)).await?)
}

/// Whether all who administer everything about access in the account, under whatever sign-in,
/// asked to be deleted; and there are some.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn are_all_leaving(tx: &mut Tx<'_>, account: &AccountId) -> Result<bool, DbError> {
    lock(tx, account).await?;
    let Some(rules) = AccessRules::read(tx, account).await? else { return Ok(false) };
    let is_able = |standing: Standing| {
        let rules = &rules;
        move |member: &Member| {
            member.standing == standing && rules.gives(member, &Attributes::new(), SIGN_IN)
        }
    };
    Ok(!rules.find(tx, is_able(Standing::Stays)).await?
        && rules.find(tx, is_able(Standing::Leaves)).await?)
}

/// What the account says of who administers access.
struct AccessRules<'a> {
    account: &'a AccountId,
    kind: String,
    policy: Document,
    groups: Option<Vec<GroupId>>,
}

impl<'a> AccessRules<'a> {
    /// Those of the account; `None` if there is no such account.
    async fn read(tx: &mut Tx<'_>, account: &'a AccountId) -> Result<Option<Self>, DbError> {
        let Some(kind) = store::account_kind(&mut *tx, account).await? else { return Ok(None) };
        let texts = store::texts_with(&mut *tx, account, AccessAdmin::NAME).await?;
        let policy = merge(account, texts);
        let groups = policy.grant(AccessAdmin::NAME).map_or(Some(Vec::new()), groups_of);
        Ok(Some(Self { account, kind, policy, groups }))
    }

    /// Whether a member administers everything, of whose sign-in `known` is known.
    fn gives(&self, member: &Member, known: &Attributes, later: Later) -> bool {
        let facts = member.subject().facts(self.account, &self.kind).and(known);
        let held = self.policy.reduce_one(AccessAdmin::NAME, &facts, later);
        match later {
            Later::Nothing => matches!(held, Some(Grant::Always { .. })),
            _ => held.is_some(),
        }
    }

    /// Whether there is such a member among those whom the rules may be for.
    async fn find(
        &self,
        tx: &mut Tx<'_>,
        is_it: impl Fn(&Member) -> bool,
    ) -> Result<bool, DbError> {
        if self.groups.as_ref().is_some_and(Vec::is_empty) {
            return Ok(false);
        }
        let which = self.groups.as_deref().map_or(Which::All, Which::In);
        let mut after: Option<UserId> = None;
        loop {
            let page = (after.as_ref(), MEMBERS_MAX);
            let members = store::members(&mut *tx, self.account, which, page).await?;
            if members.iter().any(&is_it) {
                return Ok(true);
            }
            after = members.last().map(|member| member.id.clone());
            if after.is_none() {
                return Ok(false);
            }
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
