//! Whose an arrival is: a user's we know, somebody new, or perhaps a user's, who is asked.
//!
//! An identity belongs to a user because it was linked, and is linked in two ways alone: with the
//! user it is made for, or by a user of the same verified address who signed in here to say yes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounts::joining::join_by_provider;
use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::entropy::Entropy;
use crate::base::id::{AccountId, GrantId, GroupId, ProviderId, UserId};
use crate::base::secret::{Digest, Secret};
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::once::model::{Found, Kind, Owner};
use crate::once::service as once;
use crate::upstream::arrival::Arrival;
use crate::upstream::error::Refused;
use crate::upstream::journey::JOURNEY_TTL;
use crate::upstream::model::Name;
use crate::upstream::service::{Returned, Upstream};
use crate::upstream::store;
use crate::users::arriving::{Draft, arrive};
use crate::users::error::UserError;
use crate::users::model::{NewUser, User};

/// Whose an arrival is.
#[derive(Clone, Debug)]
pub enum Settled {
    /// A user's, who may sign in.
    Of(Arc<User>),
    /// Perhaps a user's, who is to say so: with this, on the page that asks.
    Perhaps(Secret),
}

/// Somebody who may be a user that has the same address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Where they came from.
    pub provider: ProviderId,
    /// Who they are there.
    pub arrival: Arrival,
    /// Who they may be.
    pub user: UserId,
    /// The browser that is asked.
    browser: Digest,
    grant: Option<i64>,
    /// When they arrived, in microseconds.
    pub at: i64,
}

impl Question {
    /// The authorization that waits.
    pub fn grant(&self) -> Option<GrantId> {
        self.grant.map(GrantId)
    }
}

/// A user about to be made, with what belongs to them.
struct NewPerson {
    draft: Draft,
    name: Name,
    shown: String,
    account: Option<AccountId>,
    groups: Vec<GroupId>,
    ctx: Ctx,
    now: DateTime<Utc>,
}

impl Upstream {
    /// Finds out whose an arrival is.
    ///
    /// # Errors
    /// [`Refused`] if it is nobody's and nobody is to be made, or whose it is may not sign in.
    pub async fn settle(&self, returned: &Returned, browser: Digest) -> Result<Settled, Refused> {
        let arrival = &returned.arrival;
        if let Some(user) = self.known(arrival).await? {
            return Ok(Settled::Of(user));
        }
        if let Some(address) = arrival.verified_email()
            && let Some(user) = self.parts().users.find_by_email(address).await?
        {
            let question = Question {
                provider: returned.provider.id.clone(),
                arrival: arrival.clone(),
                user: user.id.clone(),
                browser,
                grant: returned.grant.map(|grant| grant.0),
                at: crate::base::clock::micros(self.ctx().now()),
            };
            let (kind, owner) = (Kind::UpstreamLink, Owner::User(&user.id));
            let secret = once::give_out(self.ctx(), kind, owner, &question, JOURNEY_TTL).await?;
            return Ok(Settled::Perhaps(secret));
        }
        if !returned.provider.settings.creates_users {
            return Err(Refused::Unknown);
        }
        self.make(returned).await.map(Settled::Of)
    }

    /// The user that an arrival is linked to.
    async fn known(&self, arrival: &Arrival) -> Result<Option<Arc<User>>, Refused> {
        let db = &self.ctx().db;
        let Some(id) = store::user_of(db, &arrival.name).await? else { return Ok(None) };
        let user = self.parts().users.find(&id).await?.filter(|user| user.is_active());
        let user = user.ok_or(Refused::Disabled)?;
        store::used(db, &arrival.name, arrival.shown(), self.ctx().now()).await?;
        Ok(Some(user))
    }

    async fn make(&self, returned: &Returned) -> Result<Arc<User>, Refused> {
        let (provider, arrival) = (&returned.provider, &returned.arrival);
        let draft = self.parts().users.draft(new_user(arrival, self.ctx().entropy()));
        let draft = draft.map_err(|error| match error {
            UserError::Internal(error) => Refused::Internal(error),
            _ => Refused::Untrue("it says of the user what cannot be"),
        })?;
        let id = draft.id().clone();
        let person = NewPerson {
            draft,
            name: arrival.name.clone(),
            shown: arrival.shown().to_owned(),
            account: provider.account.clone(),
            groups: provider.settings.groups.clone(),
            ctx: self.ctx().clone(),
            now: self.ctx().now(),
        };
        let unit = self.ctx().db.write(person, |tx, person| Box::pin(write(tx, person)));
        match unit.await {
            Ok(()) => {}
            // Somebody was quicker: the same person, in another window.
            Err(UserError::Internal(DbError::Duplicate(_)) | UserError::DuplicateUsername) => {
                return self.known(arrival).await?.ok_or(Refused::Taken);
            }
            Err(UserError::Internal(error)) => return Err(error.into()),
            Err(_) => return Err(Refused::Taken),
        }
        tracing::info!(provider = %provider.id, user = %id, "a user was made");
        self.parts().users.find(&id).await?.ok_or(Refused::Unknown)
    }

    /// What somebody is asked who may be a user: in the browser that they arrived in.
    ///
    /// # Errors
    /// [`Refused::Over`] if it was answered, is too late, or another browser's.
    pub async fn question(&self, text: &str, browser: Digest) -> Result<Found<Question>, Refused> {
        let found = once::find::<Question>(self.ctx(), Kind::UpstreamLink, text).await?;
        found.filter(|found| found.data.browser == browser).ok_or(Refused::Over)
    }

    /// Takes the answer: the identity is the user's from now on.
    ///
    /// Whoever calls this has seen that the user signed in here, after the question came up.
    ///
    /// # Errors
    /// [`Refused::Over`], [`Refused::Taken`].
    pub async fn link(&self, question: &Found<Question>) -> Result<(), Refused> {
        let (id, data, ctx) = (question.id, question.data.clone(), self.ctx().clone());
        let provider = self.parts().providers.find(&data.provider).await?;
        if !provider.is_some_and(|provider| provider.enabled) {
            return Err(Refused::NotInUse);
        }
        let unit = self.ctx().db.write((id, data, ctx), |tx, (id, data, ctx)| {
            Box::pin(async move {
                let now = ctx.now();
                if !once::consume_in(tx, *id, now).await? {
                    return Ok(false);
                }
                let (user, shown) = (&data.user, data.arrival.shown());
                store::link(tx, &data.arrival.name, (user, shown), now).await?;
                tell_link(tx, ctx, (user, &data.provider), Action::Create);
                Ok::<bool, DbError>(true)
            })
        });
        match unit.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::Over),
            Err(DbError::Duplicate(_)) => Err(Refused::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets the question: the answer was no.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn leave_apart(&self, question: &Found<Question>) -> Result<(), DbError> {
        once::consume(self.ctx(), question.id).await.map(drop)
    }
}

/// Records that a user's identity at a provider was added or taken away.
pub(in crate::upstream) fn tell_link(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (user, provider): (&UserId, &ProviderId),
    action: Action,
) {
    let event = Event::new(action, "user", user.as_str());
    let event = event.after(json!({ "changed": "identity", "provider": provider.as_str() }));
    record(tx, ctx, &Actor::user(user), &event);
}

async fn write(tx: &mut Tx<'_>, person: &NewPerson) -> Result<(), UserError> {
    arrive(tx, &person.draft).await?;
    let user = person.draft.id();
    store::link(tx, &person.name, (user, &person.shown), person.now).await?;
    tell_link(tx, &person.ctx, (user, &person.name.provider), Action::Create);
    for group in &person.groups {
        if let Some(account) = &person.account
            && !join_by_provider(tx, &person.ctx, account, (group, user)).await?
        {
            tracing::warn!(%account, %group, "a provider's group is gone");
        }
    }
    Ok(())
}

fn new_user(arrival: &Arrival, entropy: &dyn Entropy) -> NewUser {
    let (email, email_verified) = arrival.email.clone().unzip();
    NewUser {
        username: fresh_username(arrival, entropy),
        email,
        email_verified: email_verified.unwrap_or(false),
        name: arrival.full_name.clone(),
        given_name: arrival.given_name.clone(),
        family_name: arrival.family_name.clone(),
        ..NewUser::default()
    }
}

/// A name that nobody has and nobody mistakes for an address: what stands before the `@`, and a
/// few random letters.
fn fresh_username(arrival: &Arrival, entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let email = arrival.email.as_ref().and_then(|(email, _)| email.split('@').next());
    let source = email.or(arrival.given_name.as_deref()).unwrap_or_default();
    let kept = source.chars().filter(char::is_ascii_alphanumeric).take(20);
    let mut name: String = kept.map(|c| c.to_ascii_lowercase()).collect();
    if name.is_empty() {
        name.push_str("user");
    }
    name.push('-');
    for byte in entropy.bytes::<8>() {
        name.push(LETTERS.get(usize::from(byte % 32)).map_or('x', |letter| char::from(*letter)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn a_new_name_is_never_an_address_and_never_twice_the_same() {
        let arrival = |email: Option<&str>| Arrival {
            name: Name {
                provider: "op".parse().unwrap(),
                issuer: "https://op.example".to_owned(),
                subject: "1".to_owned(),
            },
            email: email.map(|email| (email.to_owned(), false)),
            full_name: None,
            given_name: None,
            family_name: None,
            amr: Vec::new(),
        };
        let entropy = OsEntropy::default();
        let fresh = |email| fresh_username(&arrival(email), &entropy);

        assert!(fresh(Some("Ada.L+x@acme.example")).starts_with("adalx-"));
        assert!(fresh(Some("ß@x.example")).starts_with("user-"));
        assert!(!fresh(Some("a@b@c.example")).contains('@'));
        assert_ne!(fresh(None), fresh(None));
    }
}
