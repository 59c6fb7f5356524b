//! The gate itself: asks every check, in order, with what storage knows.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::accounts::service::Accounts;
use crate::apps::model::{App, Status};
use crate::apps::service::Apps;
use crate::audit::model::Actor;
use crate::base::document::Document;
use crate::base::id::{AccountId, AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::config::step_up::StepUp;
use crate::db::ctx::Ctx;
use crate::gate::checks::{self, Header};
use crate::gate::facts::{self, Means};
use crate::gate::metadata;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{Demand, Lock};
use crate::oauth::access_token::{AccessToken, TokenFault};
use crate::oauth::certificate::Certificate;
use crate::oauth::possession::{self, Elsewhere, PossessionFault, ProofField, Scheme, Shown};
use crate::oauth::service::OAuth;
use crate::policy::attributes::Attributes;
use crate::policy::document::Document as Policy;
use crate::policy::path::Later;
use crate::policy::permit::{self, Permit};
use crate::policy::privilege::{DevelopApps, Privilege};
use crate::policy::service::Policies;
use crate::programs::model::ApiKey;
use crate::programs::service::Programs;
use crate::users::service::Users;

/// What a request shows at the gate.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'r> {
    /// The header `Authorization`.
    pub authorization: Header<'r>,
    /// Whether the query carries `access_token`.
    pub token_in_query: bool,
    /// The header that names the account.
    pub account: Header<'r>,
    /// Where the request comes from.
    pub ip: Option<IpAddr>,
    /// The number of the request.
    pub request: Option<&'r str>,
    /// The header `DPoP`.
    pub proof: ProofField<'r>,
    /// The certificate whose key the client holds.
    pub certificate: Option<&'r Certificate>,
    /// The method of the request.
    pub method: &'r str,
    /// The path of the request.
    pub path: &'r str,
    /// Whose request it is, if it is not for this server.
    pub elsewhere: Option<Elsewhere<'r>>,
}

/// Somebody who has passed.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The app that the user uses; `None` for a key.
    pub app: Option<Arc<App>>,
    /// What opens no more than this: the scope of the token or key.
    pub scope: Held,
    /// Both, with the request, for the record.
    pub actor: Actor,
    /// The grant that the token belongs to.
    pub grant: Option<GrantId>,
    /// The account of the request, where the user is a member, if the request is about one.
    pub place: Option<Place>,
}

/// The scope of whoever has passed, as the token or the key holds it.
#[derive(Clone, Debug)]
pub enum Held {
    /// Of an access token.
    Token(Arc<AccessToken>),
    /// Of a key.
    Key(Arc<ApiKey>),
}

impl Held {
    /// The scope.
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Token(token) => &token.scope,
            Self::Key(key) => &key.scope,
        }
    }
}

/// A user in an account, with all that is known there.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which account.
    pub account: AccountId,
    /// What is known about the user, the account and the environment.
    pub facts: Attributes,
    policy: Arc<Policy>,
}

/// The gate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    pub(in crate::gate) ctx: Ctx,
    oauth: OAuth,
    pub(in crate::gate) users: Users,
    accounts: Accounts,
    pub(in crate::gate) apps: Apps,
    pub(in crate::gate) policies: Policies,
    pub(in crate::gate) programs: Programs,
    pub(in crate::gate) step_up: StepUp,
    metadata: Document,
    decision_point: Document,
}

impl Gate {
    /// Between those who answer its questions.
    pub fn new(oauth: &OAuth, programs: &Programs) -> Self {
        let parts = programs.parts();
        Self {
            ctx: parts.ctx.clone(),
            oauth: oauth.clone(),
            users: parts.users.clone(),
            accounts: parts.accounts.clone(),
            apps: parts.apps.clone(),
            policies: parts.policies.clone(),
            programs: programs.clone(),
            step_up: StepUp::default(),
            metadata: metadata::document(oauth.parts()),
            decision_point: metadata::decision_point(oauth.parts()),
        }
    }

    /// The same, where sensitive routes ask this of a sign-in.
    #[must_use]
    pub fn asking(mut self, step_up: StepUp) -> Self {
        self.step_up = step_up;
        self
    }

    /// `/.well-known/oauth-protected-resource`, as JSON. Source: RFC 9728 section 3.
    pub fn metadata(&self) -> &Document {
        &self.metadata
    }

    /// `/.well-known/authzen-configuration`, as JSON.
    pub fn decision_point(&self) -> &Document {
        &self.decision_point
    }

    /// Lets a request pass, or says what stands against it: the first of token, scope, account,
    /// app status, app allow-list, membership and policy.
    ///
    /// If the route has a privilege, the caller has it at least for some resources; which, only
    /// the [`Permit`] of [`Caller::permit`] knows.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn checkpoint(
        &self,
        lock: &'static Lock,
        presented: &Presented<'_>,
    ) -> Result<Caller, Refusal> {
        self.pass(&lock.demand(), presented).await
    }

    /// The one decision, whoever asks: for a line of our own table, or for a route of somebody
    /// else's API, whose privilege `wanted` names, on a resource of which `resource` is known.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn decide(
        &self,
        demand: &Demand<'_>,
        wanted: Option<&str>,
        resource: &Attributes,
        presented: &Presented<'_>,
    ) -> Result<Caller, Refusal> {
        let caller = self.pass(demand, presented).await?;
        let Some(privilege) = wanted else { return Ok(caller) };
        let place = caller.place.as_ref().ok_or(Refusal::AccountRequired)?;
        if place.may(privilege, resource) {
            return Ok(caller);
        }
        let refusal = Refusal::PolicyDenies { privilege: privilege.to_owned().into() };
        self.note(caller.actor, Some(place.account.clone()), demand.scope, &refusal);
        Err(refusal)
    }

    /// The chain of checks; whoever is refused is noted with as much as is known of them.
    pub(in crate::gate) async fn pass(
        &self,
        demand: &Demand<'_>,
        presented: &Presented<'_>,
    ) -> Result<Caller, Refusal> {
        let mut actor = Actor::default().from(presented.ip);
        let passed = self.chain(demand, presented, &mut actor).await;
        passed.inspect_err(|refusal| self.refused(actor, presented, demand.scope, refusal))
    }

    async fn chain(
        &self,
        demand: &Demand<'_>,
        presented: &Presented<'_>,
        actor: &mut Actor,
    ) -> Result<Caller, Refusal> {
        let (scheme, text) = checks::bearer(presented.authorization, presented.token_in_query)?;
        if scheme == Scheme::Bearer && self.programs.is_key(text) {
            return Box::pin(self.by_key(demand, presented, text, actor)).await;
        }
        let token = self.token((scheme, text), presented).await?;
        self.by_token(demand, presented, token, actor).await
    }

    /// The checks that follow, for who shows a token that is theirs.
    pub(in crate::gate) async fn by_token(
        &self,
        demand: &Demand<'_>,
        presented: &Presented<'_>,
        token: Arc<AccessToken>,
        actor: &mut Actor,
    ) -> Result<Caller, Refusal> {
        actor.app = Some(token.client.clone());
        actor.user.clone_from(&token.sub);
        checks::scope(demand, &token.scope)?;
        checks::sign_in(demand, &self.step_up, &token, self.ctx.now())?;
        let account = checks::account(demand.account, presented.account)?;
        let app = self.app(&token.client).await?;
        // What was taken from the app is gone from its tokens, too.
        checks::scope(demand, &app.allowed_scopes)?;

        // While an app is in development and the request is about no account, the one that owns
        // the app says who its developers are.
        let home = match app.status {
            Status::Live | Status::Disabled => account.as_ref(),
            Status::Developing => account.as_ref().or(Some(&app.account)),
        };
        let place = match home {
            Some(home) => match self.acts_for(&token, &app, home).await? {
                Some(user) => {
                    let means = Means { amr: &token.amr, client: Some(&token.client) };
                    self.place(home, &user, &means, presented.ip).await?
                }
                None => None,
            },
            None => None,
        };
        checks::app_status(&app, place.as_ref().is_some_and(Place::develops_apps))?;
        checks::app_allowed(&app, account.as_ref())?;
        let user = self.acts_for(&token, &app, account.as_ref().unwrap_or(&app.account)).await?;
        let user = user.ok_or(Refusal::NoUser)?;
        actor.user = Some(user.clone());
        let place = match account {
            Some(_) => Some(place.ok_or(Refusal::NotAMember)?),
            None => None,
        };
        let (grant, scope) = (token.grant, Held::Token(token));
        let actor = actor.clone().during(presented.request.map(Arc::from));
        Ok(Caller { user, app: Some(app), scope, actor, grant, place })
    }

    pub(in crate::gate) async fn token(
        &self,
        (scheme, token): (Scheme, &str),
        presented: &Presented<'_>,
    ) -> Result<Arc<AccessToken>, Refusal> {
        let Presented { proof, certificate, method, path, elsewhere, .. } = *presented;
        let shown = Shown { token, scheme, proof, method, path, certificate, elsewhere };
        possession::verify(&self.oauth, &shown).await.map_err(|fault| match fault {
            PossessionFault::Proof(fault) => Refusal::Proof(fault),
            PossessionFault::Token(TokenFault::Invalid(why)) => {
                tracing::debug!(why, "an access token was refused");
                Refusal::InvalidToken
            }
            PossessionFault::Token(TokenFault::Internal(error)) => Refusal::Internal(error),
        })
    }

    pub(in crate::gate) async fn app(&self, id: &AppId) -> Result<Arc<App>, Refusal> {
        self.apps.find(id).await?.ok_or(Refusal::InvalidToken)
    }

    pub(in crate::gate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(in crate::gate) fn users(&self) -> &Users {
        &self.users
    }

    pub(in crate::gate) fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(in crate::gate) fn now(&self) -> DateTime<Utc> {
        self.ctx.now()
    }

    /// The user in the account; `None` unless the user is a member.
    pub(in crate::gate) async fn place(
        &self,
        account: &AccountId,
        user: &UserId,
        means: &Means<'_>,
        ip: Option<IpAddr>,
    ) -> Result<Option<Place>, Refusal> {
        let Some(membership) = self.accounts.membership(account, user).await? else {
            return Ok(None);
        };
        let now = self.ctx.now();
        let Some(account) = self.accounts.find(account).await?.filter(|it| !it.is_over(now)) else {
            return Ok(None);
        };
        let Some(user) = self.users.find(user).await? else { return Err(Refusal::InvalidToken) };
        let policy = self.policies.merged(&account.id).await?;
        let facts = facts::gather((&user, &membership), &account, means, ip, now);
        Ok(Some(Place { account: account.id.clone(), facts, policy }))
    }
}

impl Place {
    fn develops_apps(&self) -> bool {
        self.holds::<DevelopApps>()
    }

    /// Whether the user has the privilege here without condition on the resource.
    pub fn holds<P: Privilege>(&self) -> bool {
        self.policy.decide(P::NAME, &self.facts)
    }

    pub(in crate::gate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether `operation` is allowed for some resource of which `resource` is known.
    pub fn may(&self, operation: &str, resource: &Attributes) -> bool {
        let later = Later::Only(permit::RESOURCE);
        if resource.is_empty() {
            return self.policy.reduce_one(operation, &self.facts, later).is_some();
        }
        let facts = self.facts.clone().and(resource);
        self.policy.reduce_one(operation, &facts, later).is_some()
    }

    /// What the policies of the account leave to be said about resources.
    pub fn reduced(&self) -> Policy {
        self.policy.reduce(&self.facts, Later::Only(permit::RESOURCE))
    }
}

impl Caller {
    /// Whether what the user acts by may be used for the account.
    pub fn reaches(&self, account: &AccountId) -> bool {
        match (&self.app, &self.scope) {
            (_, Held::Key(key)) => key.account == *account,
            (Some(app), Held::Token(_)) => app.is_for(account),
            (None, Held::Token(_)) => false,
        }
    }

    /// What the caller may do besides what the route asks for: for what a route does for some only.
    ///
    /// # Errors
    /// [`Refusal::PolicyDenies`]; [`Refusal::AccountRequired`] if the request is about no account.
    pub fn also<P: Privilege>(&self) -> Result<Permit<P>, Refusal> {
        let place = self.place.as_ref().ok_or(Refusal::AccountRequired)?;
        permit::authorize(&place.policy, &place.facts, &place.account, &self.user)
            .map(|permit| permit.by(self.actor.clone()))
            .map_err(|denied| Refusal::PolicyDenies { privilege: denied.privilege.into() })
    }

    /// The last check: what the policies of the account allow the caller.
    ///
    /// # Errors
    /// [`Refusal::PolicyDenies`]; [`Refusal::Bug`] if `lock` is for another privilege.
    pub fn permit<P: Privilege>(&self, lock: &Lock) -> Result<Permit<P>, Refusal> {
        if lock.privilege != Some(P::NAME) && lock.or != Some(P::NAME) {
            return Err(Refusal::Bug("a handler asks for another privilege than its route"));
        }
        if self.place.is_none() {
            return Err(Refusal::Bug("a route without an account"));
        }
        self.also()
    }
}
