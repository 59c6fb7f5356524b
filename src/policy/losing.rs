//! What members gain by losing something.
//!
//! Access adds up, so with one policy less nobody has more. But a rule may ask not to be in a group,
//! or to be in no others: whoever is taken out of one may gain by it. Nobody has others gain in this
//! way what they do not hold themselves.

use std::slice;
use std::sync::Arc;

use crate::base::id::{AccountId, GroupId, PatientId, UserId};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::policy::administrators::lock;
use crate::policy::attributes::Attributes;
use crate::policy::compare::Comparison;
use crate::policy::cover::turned;
use crate::policy::document::{Document, Grant, Operation};
use crate::policy::holdings::Holdings;
use crate::policy::model::PolicyError;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::rule::{Condition, Entry, Rule, Rules, Term};
use crate::policy::service::{LATER, Policies};
use crate::policy::store_subjects::{self as store, Which};
use crate::policy::subject::Member;

/// How many members are looked at in one go.
const MEMBERS_AT_ONCE: u32 = 200;

/// What is taken from members.
#[derive(Clone, Copy, Debug)]
pub enum Loss<'l> {
    /// To be in this group.
    Group(&'l GroupId),
    /// To be this Patient, in one project.
    Patient(&'l PatientId),
}

impl Loss<'_> {
    fn attribute(&self) -> &'static str {
        match self {
            Self::Group(_) => "groups",
            Self::Patient(_) => "patients",
        }
    }

    fn taken_from(&self, member: &Member) -> Member {
        let mut less = member.clone();
        match self {
            Self::Group(group) => less.groups.retain(|held| held != *group),
            // They may be the same in another project.
            Self::Patient(patient) => {
                if let Some(place) = less.patients.iter().position(|held| held == *patient) {
                    less.patients.remove(place);
                }
            }
        }
        less
    }
}

/// What somebody who changes access holds, beside what everybody is given.
#[derive(Clone, Debug)]
pub struct Scales {
    policy: Arc<Document>,
    held: Holdings,
}

impl Policies {
    /// The scales of somebody about whom `facts` are known: those that the permit was given on.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn scales(
        &self,
        (permit, facts): (&Permit<AccessAdmin>, &Attributes),
    ) -> Result<Scales, DbError> {
        let policy = self.merged(permit.account()).await?;
        let held = Holdings::of(&policy, facts);
        Ok(Scales { policy, held })
    }
}

impl Scales {
    /// Refuses if somebody of whom `before` was known until now, and `after` from now on, is given
    /// something by that which is not held.
    ///
    /// # Errors
    /// [`PolicyError::GrantsMoreThanHeld`].
    pub fn weigh(&self, before: &Attributes, after: &Attributes) -> Result<(), PolicyError> {
        let of = |facts: &Attributes| self.policy.reduce(facts, LATER);
        self.held.cover_beside(&of(before), &of(after))
    }

    /// Refuses if `who` gains by a loss something that is not held; `None` for all who lose it.
    /// To be asked in the unit of work that takes it from them, before it does: it locks the
    /// account. Who is in no group afterwards is no member, and gains nothing.
    ///
    /// # Errors
    /// [`PolicyError::GrantsMoreThanHeld`], [`PolicyError::Internal`].
    pub async fn weigh_loss(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        (who, loss): (Option<&UserId>, Loss<'_>),
    ) -> Result<(), PolicyError> {
        lock(tx, account).await?;
        let gain = gained_without(&self.policy, loss.attribute());
        if gain.operations().is_empty() || self.held.cover(&gain).is_ok() {
            return Ok(());
        }
        let Some(kind) = store::account_kind(&mut *tx, account).await? else { return Ok(()) };
        let which = match (who, &loss) {
            (Some(user), _) => Which::One(user),
            (None, Loss::Group(group)) => Which::In(slice::from_ref(*group)),
            (None, Loss::Patient(_)) => Which::All,
        };
        let mut after: Option<UserId> = None;
        loop {
            let page = (after.as_ref(), MEMBERS_AT_ONCE);
            let members = store::members(&mut *tx, account, which, page).await?;
            for member in &members {
                let rest = loss.taken_from(member);
                if !rest.groups.is_empty() {
                    let facts = |member: &Member| member.subject().facts(account, &kind);
                    self.weigh(&facts(member), &facts(&rest))?;
                }
            }
            after = members.last().map(|member| member.id.clone());
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// The most that members can gain by having less in `user.NAME`: every rule that looks at it in
/// another way than to ask for something that is in it, without what it asks of it.
fn gained_without(document: &Document, name: &str) -> Document {
    let gained = document.operations().iter().filter_map(|operation| {
        let Grant::AnyOf(rules) = &operation.grant else { return None };
        let entries = rules.entries().iter().filter(|entry| {
            entry.rule.conditions.iter().any(|condition| may_begin_to_hold(condition, name))
        });
        let left: Vec<Entry> = entries.map(|entry| without(entry, name)).collect();
        let grant = match left.iter().find(|entry| entry.rule.conditions.is_empty()) {
            _ if left.is_empty() => return None,
            Some(entry) => Grant::Always { policy: entry.policy },
            None => Grant::AnyOf(Rules::new(left)),
        };
        Some(Operation { name: operation.name.clone(), grant })
    });
    Document::of(gained.collect())
}

fn without(entry: &Entry, name: &str) -> Entry {
    let others = entry.rule.conditions.iter().filter(|condition| !is_about(condition, name));
    Entry { rule: Arc::new(Rule { conditions: others.cloned().collect() }), ..entry.clone() }
}

fn touches(term: &Term, name: &str) -> bool {
    matches!(term, Term::Path(path) if path.may_touch("user", name))
}

fn is_about(condition: &Condition, name: &str) -> bool {
    touches(&condition.key, name) || touches(&condition.operand, name)
}

/// Whether the condition may hold for whoever has less in `user.NAME`, though it did not before.
fn may_begin_to_hold(condition: &Condition, name: &str) -> bool {
    if !is_about(condition, name) {
        return false;
    }
    let condition = turned(condition);
    let is_it = |term: &Term| {
        matches!(term, Term::Path(path)
            if path.as_str().strip_prefix("user.").is_some_and(|rest| rest == name))
    };
    let asks_for_more = match condition.comparison {
        Comparison::Includes | Comparison::Superset => {
            is_it(&condition.key) && !touches(&condition.operand, name)
        }
        Comparison::In | Comparison::Subset => {
            is_it(&condition.operand) && !touches(&condition.key, name)
        }
        Comparison::Exists => is_it(&condition.key),
        _ => false,
    };
    !asks_for_more
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is left of a rule that may be gained by being in fewer groups.
    fn gained(rule: &Value) -> Option<usize> {
        let document = Document::parse(&json!({ "rules": { "readData": [rule] } })).unwrap();
        match gained_without(&document, "groups").grant("readData")? {
            Grant::Always { .. } => Some(0),
            Grant::AnyOf(rules) => Some(rules.entries()[0].rule.conditions.len()),
        }
    }

    #[test]
    fn case_63_only_rules_that_ask_for_less_are_gained_by_losing_a_group() {
        let value = |comparison: &str, value: Value| json!({ "user.groups": { "comparison": comparison, "value": value } });
        for (rule, expected) in [
            (value("includes", json!("g")), None),
            (value("superset", json!(["g", "h"])), None),
            (value("exists", json!(null)), None),
            (value("notIncludes", json!("g")), Some(0)),
            (value("subset", json!(["g"])), Some(0)),
            (value("equals", json!(["g"])), Some(0)),
            (value("notEquals", json!(["g"])), Some(0)),
            (json!({ "user.groups.*": { "comparison": "equals", "value": "g" } }), Some(0)),
            (json!({ "user.*": { "comparison": "notEquals", "value": 1 } }), Some(0)),
            (json!({ "resource.team": { "comparison": "in", "target": "user.groups" } }), None),
            (
                json!({ "resource.team": { "comparison": "notIn", "target": "user.groups" } }),
                Some(0),
            ),
            (
                json!({ "user.groups": { "comparison": "includes", "target": "resource.team" } }),
                None,
            ),
            (json!({ "user.id": { "comparison": "notEquals", "value": "x" } }), None),
        ] {
            assert_eq!(gained(&rule), expected, "{rule}");
        }
        let mut rule = value("notIncludes", json!("g"));
        rule["resource.dataset"] = json!({ "comparison": "equals", "value": "heart" });
        assert_eq!(gained(&rule), Some(1));
    }
}
