//! Answering invitations, on behalf of those who are invited.
//!
//! An invitation is for an address. Whoever signs in and proved to receive mail there may answer;
//! so may whoever brings the secret of its letter, which is such a proof, and signs in with that
//! address, or becomes a user by it.

use std::net::IpAddr;

use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::groups::MEMBER;
use crate::accounts::invitations::model::{Decision, Invitation, InvitationError, Status};
use crate::accounts::invitations::service::KIND;
use crate::accounts::invitations::store;
use crate::accounts::tenancy::Tenancy;
use crate::accounts::{store as groups, store_members, store_patients};
use crate::audit::model::{Action, Actor};
use crate::base::id::{InvitationId, UserId};
use crate::base::secret::Secret;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::users::mailed::invitation::make_person;
use crate::users::model::User;
use crate::users::username::UsernameKey;

/// An invitation whose letter somebody brings.
#[derive(Clone, Debug)]
pub struct OpenedInvitation {
    /// What it is.
    pub invitation: Invitation,
    /// Whether somebody signs in with its address.
    pub is_known: bool,
    secret: i64,
}

impl OpenedInvitation {
    /// Whether it is for this user. The letter proves the address, so that it need not have been
    /// proved before.
    pub fn is_for(&self, user: &User) -> bool {
        let key = |text: &str| UsernameKey::of(text);
        user.email.as_deref().is_some_and(|own| key(own) == key(&self.invitation.email))
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The same, for the record.
    pub actor: &'a Actor,
}

/// The address whose invitations are a user's: one that they proved to be theirs.
fn own_key(user: &User) -> Option<String> {
    let email = user.proven_email()?;
    Some(UsernameKey::of(email).as_str().to_owned())
}

impl Tenancy {
    /// A page of the invitations that wait for an answer of this user, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn own_invitations(
        &self,
        user: &User,
        (after, limit): (Option<&InvitationId>, u32),
    ) -> Result<Vec<Invitation>, DbError> {
        let Some(key) = own_key(user) else { return Ok(Vec::new()) };
        let page = (after, limit, self.0.ctx.now());
        store::list_for(&self.0.ctx.db, &key, page).await
    }

    /// The invitation, if it is this user's, whatever became of it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn own_invitation(
        &self,
        user: &User,
        id: &InvitationId,
    ) -> Result<Option<Invitation>, DbError> {
        let Some(key) = own_key(user) else { return Ok(None) };
        let found = store::find_for(&self.0.ctx.db, &key, id).await?;
        Ok(found.filter(|it| !it.has_expired(self.0.ctx.now())))
    }

    /// Says yes or no to an invitation of one's own, once.
    ///
    /// # Errors
    /// [`InvitationError::Over`], [`InvitationError::AlreadyAccepted`].
    pub async fn answer(
        &self,
        (user, actor): (&User, &Actor),
        id: &InvitationId,
        decision: Decision,
    ) -> Result<Invitation, InvitationError> {
        let found = self.own_invitation(user, id).await?.ok_or(InvitationError::Over)?;
        self.settle(&found, Answering { user: &user.id, actor }, decision).await
    }

    /// The invitation of a letter: its id, and the secret that came with it.
    ///
    /// # Errors
    /// [`InvitationError::Over`], [`InvitationError::AlreadyAccepted`].
    pub async fn opened(
        &self,
        id: &InvitationId,
        evc: &str,
    ) -> Result<OpenedInvitation, InvitationError> {
        let (ctx, kind) = (&self.0.ctx, Kind::AccountInvitation);
        let found = once::find_used::<InvitationId>(ctx, kind, evc).await?;
        let found = found.filter(|found| found.data == *id).ok_or(InvitationError::Over)?;
        let read = async || {
            let found = store::find_by_letter(&ctx.db, id).await?;
            found.ok_or(InvitationError::Over)
        };
        // Whoever accepts becomes known and ends the invitation in one unit of work: read in this
        // order, nobody is known whose invitation still seems open.
        let is_known = self.0.users.is_known(&read().await?.email).await?;
        let invitation = read().await?;
        if invitation.status == Status::Accepted {
            return Err(InvitationError::AlreadyAccepted);
        }
        if found.is_used || !invitation.is_open(ctx.now()) {
            return Err(InvitationError::Over);
        }
        Ok(OpenedInvitation { invitation, is_known, secret: found.id })
    }

    /// Says yes or no to an invitation whose letter a user brings.
    ///
    /// # Errors
    /// [`InvitationError::OtherAddress`] unless it is for this user, and as [`Tenancy::answer`].
    pub async fn answer_opened(
        &self,
        (user, actor): (&User, &Actor),
        opened: &OpenedInvitation,
        decision: Decision,
    ) -> Result<Invitation, InvitationError> {
        if !opened.is_for(user) {
            return Err(InvitationError::OtherAddress);
        }
        self.settle(&opened.invitation, Answering { user: &user.id, actor }, decision).await
    }

    /// Says no to an invitation whose letter somebody brings, without signing in.
    ///
    /// # Errors
    /// As [`Tenancy::answer`].
    pub async fn reject_opened(
        &self,
        opened: &OpenedInvitation,
        ip: Option<IpAddr>,
    ) -> Result<(), InvitationError> {
        let invitation = opened.invitation.clone();
        let act = Act::by(&self.0.ctx, &invitation.account, &Actor::default().from(ip));
        let unit = self.0.ctx.db.write((act, invitation), |tx, (act, invitation)| {
            Box::pin(async move {
                decide(tx, act, invitation, (Status::Rejected, None)).await.map(drop)
            })
        });
        unit.await
    }

    /// Makes a user of whoever brings the letter, and says yes for them: both or neither.
    ///
    /// # Errors
    /// [`InvitationError::Mailed`] for a name or a password that is not taken, or an address that
    /// somebody signs in with meanwhile, and as [`Tenancy::answer`].
    pub async fn accept_as_new(
        &self,
        opened: &OpenedInvitation,
        (name, password): (&str, &Secret),
        actor: &Actor,
    ) -> Result<User, InvitationError> {
        let OpenedInvitation { invitation, secret, .. } = opened.clone();
        let person = self.0.users.prepare_person(name, &invitation.email, password).await?;
        let act = Act::by(&self.0.ctx, &invitation.account, actor);
        let input = (act, invitation, person, secret);
        let unit = self.0.ctx.db.write(input, |tx, (act, invitation, person, secret)| {
            Box::pin(async move {
                if !once::consume_in(tx, *secret, act.now).await? {
                    return Err(lost(tx, invitation).await?);
                }
                let user = make_person(tx, person).await?;
                let actor = Actor { user: Some(user.id.clone()), ..act.actor.clone() };
                let act = Act { actor, ..act.clone() };
                decide(tx, &act, invitation, (Status::Accepted, Some(&user.id))).await?;
                Ok(user)
            })
        });
        unit.await
    }

    async fn settle(
        &self,
        invitation: &Invitation,
        who: Answering<'_>,
        decision: Decision,
    ) -> Result<Invitation, InvitationError> {
        let status = match decision {
            Decision::Accept => Status::Accepted,
            Decision::Reject => Status::Rejected,
        };
        let act = Act::by(&self.0.ctx, &invitation.account, who.actor);
        let input = (act, invitation.clone(), status, who.user.clone());
        let unit = self.0.ctx.db.write(input, |tx, (act, invitation, status, user)| {
            Box::pin(decide(tx, act, invitation, (*status, Some(user))))
        });
        unit.await
    }
}

/// Why nothing was decided.
async fn lost(tx: &mut Tx<'_>, invitation: &Invitation) -> Result<InvitationError, DbError> {
    let now = store::find(&mut *tx, &invitation.account, &invitation.id).await?;
    Ok(match now.map(|now| now.status) {
        Some(Status::Accepted) => InvitationError::AlreadyAccepted,
        _ => InvitationError::Over,
    })
}

async fn decide(
    tx: &mut Tx<'_>,
    act: &Act,
    invitation: &Invitation,
    (status, user): (Status, Option<&UserId>),
) -> Result<Invitation, InvitationError> {
    let (account, id) = (&act.account, &invitation.id);
    let place = groups::account(&mut *tx, account).await?;
    if place.is_none_or(|place| place.is_over(act.now)) {
        return Err(InvitationError::Over);
    }
    if !store::decide(tx, (account, id), (status, user), act.now).await? {
        return Err(lost(tx, invitation).await?);
    }
    let event = act.event(Action::Update, KIND, id.as_str());
    act.record(tx, &event.after(json!({ "status": status.as_str() })));
    if let (Status::Accepted, Some(user)) = (status, user) {
        join(tx, act, invitation, user).await?;
    }
    store::find(&mut *tx, account, id).await?.ok_or(InvitationError::Over)
}

async fn join(
    tx: &mut Tx<'_>,
    act: &Act,
    invitation: &Invitation,
    user: &UserId,
) -> Result<(), DbError> {
    let (account, group) = (&act.account, &invitation.group);
    store_members::add(tx, account, (group, user), act.now).await?;
    let patient = invitation.patient.as_ref();
    if let Some(patient) = patient {
        store_patients::map(tx, account, (user, patient), act.now).await?;
    }
    let after = json!({
        "group": group.as_str(),
        "invitation": invitation.id.as_str(),
        "project": patient.map(|patient| patient.project.as_str()),
        "patient": patient.map(|patient| patient.id.as_str()),
    });
    let event = act.event(Action::Create, MEMBER, user.as_str());
    act.record(tx, &event.after(after));
    tx.touch(Topic::Accounts);
    Ok(())
}
