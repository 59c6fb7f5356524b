//! What services ask before they act: who may do what to which resource.
//!
//! A machine asks in the account that owns it, about everybody there: whoever gave it the scope let
//! it. A user asks about themselves, and about others only where `accessAdmin` lets them see those;
//! each question of a batch is judged by itself. What is known of the subject comes from the account
//! alone, whatever the question claims; what is known of the resource and the environment is the
//! asker's to say, for it is the asker who acts on the answer.
//! Source: AuthZEN Authorization API 1.0.

use std::sync::Arc;

use chrono::SecondsFormat;

use crate::accounts::model::Account;
use crate::audit::model::Actor;
use crate::base::id::{AccountId, AppId, UserId};
use crate::db::error::DbError;
use crate::gate::checks;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{ASK, AccountNeed, Demand, Lock};
use crate::gate::service::{Caller, Gate, Presented};
use crate::oauth::possession::Scheme;
use crate::policy::attributes::Attributes;
use crate::policy::document::Document as Policy;
use crate::policy::permit::{self, Permit, RESOURCE};
use crate::policy::privilege::{AccessAdmin, Privilege as _, ReadData};
use crate::policy::reach::Reach;

/// The one type of subjects that there is.
pub const USER: &str = "user";
/// The resources that are found here.
pub const PROJECT: &str = "project";
/// Most members of an account who are looked at for one page of a search.
const SCANNED_MAX: u32 = 200;

/// Somebody who may ask.
#[derive(Clone, Debug)]
pub struct Asker {
    account: Arc<Account>,
    policy: Arc<Policy>,
    who: Who,
    actor: Actor,
}

#[derive(Clone, Debug)]
enum Who {
    Machine,
    Member {
        user: UserId,
        administers: Option<Box<Permit<AccessAdmin>>>,
        reads: Option<Box<Reach>>,
    },
}

/// A question about one subject.
#[derive(Clone, Debug)]
pub struct Question {
    /// The type of the subject.
    pub kind: String,
    /// The id of the subject.
    pub id: String,
    /// What it wants to do.
    pub action: String,
    /// What is known of the resource and of the environment.
    pub known: Attributes,
}

/// What is answered to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Permit,
    /// It may not, or there is no such subject here.
    Deny,
    /// The asker may not know.
    NotYours,
}

impl Asker {
    /// Where it asks.
    pub fn account(&self) -> &AccountId {
        &self.account.id
    }

    /// By which app; `None` for a key.
    pub fn app(&self) -> Option<&AppId> {
        self.actor.app.as_ref()
    }

    /// The user; `None` for a machine.
    pub fn user(&self) -> Option<&UserId> {
        match &self.who {
            Who::Machine => None,
            Who::Member { user, .. } => Some(user),
        }
    }

    fn may_ask_about(&self, user: &UserId) -> bool {
        match &self.who {
            Who::Machine => true,
            Who::Member { user: own, .. } if own == user => true,
            Who::Member { administers: Some(permit), .. } => permit.allows(&subject(user)),
            Who::Member { administers: None, .. } => false,
        }
    }

    /// Whether it may look for subjects at all.
    fn may_search_subjects(&self) -> bool {
        match &self.who {
            Who::Machine => true,
            Who::Member { administers, .. } => administers.is_some(),
        }
    }
}

fn subject(user: &UserId) -> Attributes {
    Attributes::new().with(RESOURCE, "id", user.as_str()).with(RESOURCE, "type", USER)
}

impl Gate {
    /// Lets somebody ask. Whoever may not is noted, as at every other route; what they are told of
    /// others is an answer and no refusal.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn asker(
        &self,
        lock: &'static Lock,
        presented: &Presented<'_>,
    ) -> Result<Asker, Refusal> {
        let mut actor = Actor::default().from(presented.ip);
        let asker = self.who_asks(lock, presented, &mut actor).await;
        asker.inspect_err(|refusal| self.refused(actor, presented, lock.scope, refusal))
    }

    async fn who_asks(
        &self,
        lock: &'static Lock,
        presented: &Presented<'_>,
        actor: &mut Actor,
    ) -> Result<Asker, Refusal> {
        let demand = Demand { account: AccountNeed::Required, ..lock.demand() };
        let shown = checks::bearer(presented.authorization, presented.token_in_query)?;
        if shown.0 == Scheme::Bearer && self.programs.is_key(shown.1) {
            return self.member(self.by_key(&demand, presented, shown.1, actor).await?).await;
        }
        // A proof of possession is used up by the first look at it.
        let token = self.token(shown, presented).await?;
        if token.sub.is_some() {
            return self.member(self.by_token(&demand, presented, token, actor).await?).await;
        }
        actor.app = Some(token.client.clone());
        checks::scope(&lock.demand(), &token.scope)?;
        let named = checks::account(AccountNeed::Optional, presented.account)?;
        let app = self.app(&token.client).await?;
        if named.is_some_and(|named| named != app.account) {
            return Err(Refusal::AppNotAllowed);
        }
        checks::app_status(&app, false)?;
        checks::app_allowed(&app, Some(&app.account))?;
        let actor = actor.clone().during(presented.request.map(Arc::from));
        self.in_account(&app.account, Who::Machine, actor).await
    }

    async fn member(&self, caller: Caller) -> Result<Asker, Refusal> {
        let Caller { user, place, actor, .. } = caller;
        let place = place.ok_or(Refusal::AccountRequired)?;
        let account = &place.account;
        let policy = place.policy();
        let permit = permit::authorize::<AccessAdmin>(policy, &place.facts, account, &user).ok();
        let reads = Reach::of((account, policy), ReadData::NAME, &place.facts);
        let who =
            Who::Member { user, administers: permit.map(Box::new), reads: reads.map(Box::new) };
        self.in_account(account, who, actor).await
    }

    async fn in_account(&self, id: &AccountId, who: Who, actor: Actor) -> Result<Asker, Refusal> {
        let found = self.accounts().find(id).await?.filter(|it| !it.is_over(self.now()));
        let account = found.ok_or(Refusal::NotAMember)?;
        let policy = self.policies().merged(id).await?;
        Ok(Asker { account, policy, who, actor })
    }

    /// Whoever asks about somebody whom they do not administer is refused, and that is noted.
    fn not_yours(&self, asker: &Asker) -> Refusal {
        let refusal = Refusal::PolicyDenies { privilege: AccessAdmin::NAME.into() };
        self.note(asker.actor.clone(), Some(asker.account().clone()), ASK, &refusal);
        refusal
    }

    /// Answers a question.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn evaluate(&self, asker: &Asker, question: &Question) -> Result<Verdict, DbError> {
        let Some(user) = user_of(question) else { return Ok(Verdict::Deny) };
        if !asker.may_ask_about(&user) {
            self.not_yours(asker);
            return Ok(Verdict::NotYours);
        }
        let Some(facts) = self.facts_of(asker, &user, &question.known).await? else {
            return Ok(Verdict::Deny);
        };
        let may = asker.policy.decide(&question.action, &facts);
        Ok(if may { Verdict::Permit } else { Verdict::Deny })
    }

    /// What the subject may do.
    ///
    /// # Errors
    /// [`Refusal::PolicyDenies`] if the asker may not know, [`Refusal::Internal`].
    pub async fn actions(
        &self,
        asker: &Asker,
        question: &Question,
    ) -> Result<Vec<String>, Refusal> {
        let Some(user) = user_of(question) else { return Ok(Vec::new()) };
        if !asker.may_ask_about(&user) {
            return Err(self.not_yours(asker));
        }
        let facts = self.facts_of(asker, &user, &question.known).await?;
        let found = facts.map(|facts| {
            let names = asker.policy.privileges(&facts).into_iter();
            names.map(str::to_owned).collect()
        });
        Ok(found.unwrap_or_default())
    }

    /// Members who may do it, by id, of those after `after`; and where to go on, if that is not all.
    /// Those about whom the asker may not know are not among them.
    ///
    /// # Errors
    /// [`Refusal::PolicyDenies`] if the asker may know of nobody else, [`Refusal::Internal`].
    pub async fn subjects(
        &self,
        asker: &Asker,
        question: &Question,
        (after, limit): (Option<&UserId>, usize),
    ) -> Result<(Vec<UserId>, Option<UserId>), Refusal> {
        if !asker.may_search_subjects() {
            return Err(self.not_yours(asker));
        }
        let mut found = Vec::new();
        if question.kind != USER {
            return Ok((found, None));
        }
        let members = self.accounts().member_ids(asker.account(), after, SCANNED_MAX).await?;
        let is_all = u32::try_from(members.len()).is_ok_and(|many| many < SCANNED_MAX);
        let mut last = None;
        for user in members {
            if found.len() >= limit {
                return Ok((found, last));
            }
            if asker.may_ask_about(&user)
                && let Some(facts) = self.facts_of(asker, &user, &question.known).await?
                && asker.policy.decide(&question.action, &facts)
            {
                found.push(user.clone());
            }
            last = Some(user);
        }
        Ok((found, last.filter(|_| !is_all)))
    }

    /// The resources to which the subject may do it; what reaches nothing is `None`. A user who asks
    /// about another is told of no resource that they could not read themselves.
    ///
    /// # Errors
    /// [`Refusal::PolicyDenies`] if the asker may not know, [`Refusal::Internal`].
    pub async fn reach(
        &self,
        asker: &Asker,
        question: &Question,
    ) -> Result<Option<Reach>, Refusal> {
        let Some(user) = user_of(question) else { return Ok(None) };
        if !asker.may_ask_about(&user) {
            return Err(self.not_yours(asker));
        }
        let Some(facts) = self.facts_of(asker, &user, &question.known).await? else {
            return Ok(None);
        };
        let reach = Reach::of((asker.account(), &asker.policy), &question.action, &facts);
        let bound = match &asker.who {
            Who::Member { user: own, reads, .. } if *own != user => reads,
            Who::Machine | Who::Member { .. } => return Ok(reach),
        };
        let bound = bound.as_deref().cloned();
        Ok(reach.zip(bound).and_then(|(reach, bound)| reach.and(bound)))
    }

    /// What is known of a member, and of what the question is about; `None` for who is no active
    /// member of the account.
    async fn facts_of(
        &self,
        asker: &Asker,
        user: &UserId,
        known: &Attributes,
    ) -> Result<Option<Attributes>, DbError> {
        let Some(membership) = self.accounts().membership(asker.account(), user).await? else {
            return Ok(None);
        };
        let user = self.users().find(user).await?.filter(|user| user.is_active());
        let Some(user) = user else { return Ok(None) };
        let now = self.now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let facts = known.clone().and(&membership.facts(&user, &asker.account));
        Ok(Some(facts.with("environment", "time", now)))
    }
}

fn user_of(question: &Question) -> Option<UserId> {
    question.id.parse().ok().filter(|_| question.kind == USER)
}
