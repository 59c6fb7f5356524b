//! Who acts without a person at a browser, and what is noted of those who are refused.

use std::sync::Arc;

use crate::apps::model::App;
use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::audit::trail::GATE;
use crate::base::id::{AccountId, UserId};
use crate::config::step_up::StepUp;
use crate::gate::checks;
use crate::gate::facts::Means;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{AccountNeed, Demand};
use crate::gate::service::{Caller, Gate, Held, Presented};
use crate::oauth::access_token::AccessToken;
use crate::policy::attributes::Attributes;
use crate::policy::privilege::{ApiKeyUser, Privilege as _};

impl Caller {
    /// Lets pass who acts for themselves: what is theirs in all accounts is no business of a key, which
    /// is for one, and of a service account its administrators dispose.
    ///
    /// # Errors
    /// [`Refusal::KeyNotAllowed`], [`Refusal::NoUser`].
    pub fn in_person(&self) -> Result<(), Refusal> {
        match &self.scope {
            Held::Key(_) => Err(Refusal::KeyNotAllowed),
            Held::Token(token) if token.sub.is_none() => Err(Refusal::NoUser),
            Held::Token(_) => Ok(()),
        }
    }
}

impl Gate {
    /// Notes that somebody was refused what `scope` opens. What strangers without a token say about
    /// accounts is not believed.
    pub fn note(&self, actor: Actor, account: Option<AccountId>, scope: &str, refusal: &Refusal) {
        let is_known = actor.user.is_some() || actor.app.is_some();
        let event = Event::new(Action::Execute, GATE, scope);
        let event = event.outcome(Outcome::Refused(refusal.reason()));
        let event = Event { account: account.filter(|_| is_known), ..event };
        self.users.trail().note(actor, event, self.ctx.now());
    }

    /// Notes a refusal with what the request says of itself.
    pub(in crate::gate) fn refused(
        &self,
        actor: Actor,
        presented: &Presented<'_>,
        scope: &str,
        refusal: &Refusal,
    ) {
        let account = checks::account(AccountNeed::Optional, presented.account).ok().flatten();
        self.note(actor.during(presented.request.map(Arc::from)), account, scope, refusal);
    }

    /// For whom a token acts: its user, or, in the account that owns it, the service account that the
    /// app is bound to.
    pub(in crate::gate) async fn acts_for(
        &self,
        token: &AccessToken,
        app: &App,
        account: &AccountId,
    ) -> Result<Option<UserId>, Refusal> {
        if token.sub.is_some() || app.account != *account {
            return Ok(token.sub.clone());
        }
        let service = Box::pin(self.programs.of_app(&app.id)).await?;
        Ok(service.filter(|service| service.account == *account).map(|it| it.user.clone()))
    }

    /// The same checks for a key: no app stands between, so that nothing is asked of one. A key is
    /// no sign-in, and is for one account.
    pub(in crate::gate) async fn by_key(
        &self,
        demand: &Demand<'_>,
        presented: &Presented<'_>,
        text: &str,
        actor: &mut Actor,
    ) -> Result<Caller, Refusal> {
        let key = self.programs.key(text).await?.ok_or(Refusal::InvalidToken)?;
        let user = self.users.find(&key.user).await?.filter(|user| user.is_active());
        let user = user.ok_or(Refusal::InvalidToken)?.id.clone();
        (actor.user, actor.key) = (Some(user.clone()), Some(key.id.clone()));
        checks::scope(demand, &key.scope)?;
        if demand.sensitive && self.step_up != StepUp::default() {
            return Err(Refusal::SignIn(self.step_up.clone()));
        }
        let account = checks::account(demand.account, presented.account)?;
        if account.as_ref().is_some_and(|account| *account != key.account) {
            return Err(Refusal::KeyNotAllowed);
        }
        let means = Means { amr: &[], client: None };
        let place = self.place(&key.account, &user, &means, presented.ip).await?;
        let place = place.ok_or(Refusal::NotAMember)?;
        if !key.is_of_service && !place.may(ApiKeyUser::NAME, &Attributes::new()) {
            return Err(Refusal::KeyNotAllowed);
        }
        let actor = actor.clone().during(presented.request.map(Arc::from));
        let place = account.map(|_| place);
        Ok(Caller { user, app: None, scope: Held::Key(key), actor, grant: None, place })
    }
}
