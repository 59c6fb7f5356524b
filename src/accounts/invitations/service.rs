//! Inviting, on behalf of those who administer access.

use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::invitations::model::{
    AWAITING_MAX, INVITATION_TTL, Invitation, InvitationError, LETTERS_MAX, NewInvitation, Patient,
    Status, Target, resource,
};
use crate::accounts::invitations::store::{self, Fresh};
use crate::accounts::model::{Purpose, group_resource};
use crate::accounts::tenancy::Tenancy;
use crate::accounts::{store as groups, store_members};
use crate::audit::model::Action;
use crate::base::id::{GroupId, InvitationId};
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::{Letter, is_address};
use crate::mail::service::post;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::policy::administrators::lock;
use crate::policy::filter::Columns;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::users::model::User;
use crate::users::username::UsernameKey;

const PURPOSE: &str = "accounts: invitation";
/// What an invitation is in the record.
pub(in crate::accounts) const KIND: &str = "invitation";
const COLUMNS: Columns = Columns::new(&[
    ("resource.id", "i.id"),
    ("resource.type", "'invitation'"),
    ("resource.dataset", "i.project_id"),
]);

/// What a unit of work about inviting needs.
struct Work {
    tenancy: Tenancy,
    act: Act,
    inviter: Option<String>,
}

impl Work {
    /// Posts the letter, with a secret that makes those of earlier letters void.
    ///
    /// It calls the account by its id, and whoever invites by an address that they proved: what
    /// people wrote themselves does not go to somebody who asked for nothing.
    async fn send(&self, tx: &mut Tx<'_>, invitation: &Invitation) -> Result<(), DbError> {
        let inner = &self.tenancy.0;
        let kind = (Kind::AccountInvitation, self.tenancy.subject(&invitation.id));
        let data = &invitation.id;
        let secret = once::give_out_to(tx, &inner.ctx, kind, data, INVITATION_TTL).await?;
        let query = format!("inviteId={}&evc={}", invitation.id, secret.reveal());
        let letter = Letter {
            to: invitation.email.clone(),
            language: invitation.language,
            kind: match (&invitation.patient, &self.inviter) {
                (None, Some(_)) => "mail-join",
                (None, None) => "mail-join-plain",
                (Some(_), _) => "mail-join-patient",
            },
            values: vec![
                ("account", self.act.account.to_string()),
                ("inviter", self.inviter.clone().unwrap_or_default()),
                ("date", invitation.language.day(invitation.expires_at)),
            ],
            link: Some(inner.issuer.url(&format!("/invitation?{query}"))),
        };
        post(tx, &inner.ctx, &inner.vault, &letter).await
    }
}

impl Tenancy {
    /// What the secrets of an invitation's letters are kept under.
    fn subject(&self, id: &InvitationId) -> Digest {
        self.0.vault.mac(PURPOSE, &[id.as_str().as_bytes()])
    }

    async fn inviting(&self, permit: &Permit<AccessAdmin>) -> Result<Work, DbError> {
        let inviter = self.0.users.find(permit.user()).await?;
        Ok(Work {
            tenancy: self.clone(),
            act: Act::of(&self.0.ctx, permit),
            inviter: inviter.as_deref().and_then(User::proven_email).map(str::to_owned),
        })
    }

    /// Invites whoever receives mail at an address. Whether there is such a user, nobody learns by
    /// it.
    ///
    /// # Errors
    /// [`InvitationError`].
    pub async fn invite(
        &self,
        permit: &Permit<AccessAdmin>,
        wanted: &NewInvitation,
    ) -> Result<Invitation, InvitationError> {
        let email = wanted.email.trim().to_owned();
        if !is_address(&email) {
            return Err(InvitationError::Address);
        }
        let now = self.0.ctx.now();
        let id = InvitationId::generate(now, self.0.ctx.entropy());
        let (group, patient) = self.target(permit, &wanted.target).await?;
        if patient.is_some() && !permit.allows(&resource(&id, patient.as_ref())) {
            return Err(InvitationError::UnknownProject);
        }
        self.0.users.write_to_invited(permit.account(), &email).await?;
        let fresh = Fresh {
            id,
            group,
            patient,
            email_key: UsernameKey::of(&email).as_str().to_owned(),
            invited_by: permit.user().clone(),
            expires_at: now + INVITATION_TTL,
        };
        let wanted = NewInvitation { email, ..wanted.clone() };
        let input = (self.inviting(permit).await?, fresh, wanted);
        let unit =
            self.0.ctx.db.write(input, |tx, (work, fresh, wanted)| {
                Box::pin(invite(tx, work, fresh, wanted))
            });
        unit.await
    }

    /// Which group an invitation leads to, and as which Patient. Whether the caller may give away
    /// what that group gives is asked with it: [`crate::policy::service::Policies::may_give`].
    ///
    /// # Errors
    /// [`InvitationError`] if the account has no such group or project, or the caller may not see it.
    pub async fn target(
        &self,
        permit: &Permit<AccessAdmin>,
        target: &Target,
    ) -> Result<(GroupId, Option<Patient>), InvitationError> {
        let (db, account) = (&self.0.ctx.db, permit.account());
        match target {
            Target::Group(group) => {
                if !permit.allows(&group_resource(group)) {
                    return Err(InvitationError::UnknownGroup);
                }
                let found = groups::group(db, account, group).await?;
                let found = found.ok_or(InvitationError::UnknownGroup)?;
                Ok((found.id, None))
            }
            Target::Project(patient) => {
                if !store::has_project(db, account, &patient.project).await? {
                    return Err(InvitationError::UnknownProject);
                }
                let found = store_members::group_for(db, account, Purpose::Subjects).await?;
                let found = found.ok_or(InvitationError::NoSubjects)?;
                Ok((found.id, Some(patient.clone())))
            }
        }
    }

    /// A page of the invitations that wait for an answer and that the caller may see, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn invitations(
        &self,
        permit: &Permit<AccessAdmin>,
        (after, limit): (Option<&InvitationId>, u32),
    ) -> Result<Vec<Invitation>, DbError> {
        let filter = permit.filter(&COLUMNS, store::FIRST_FREE);
        let page = (after, limit, self.0.ctx.now());
        store::list(&self.0.ctx.db, permit.account(), page, filter).await
    }

    /// The invitation, if there is one that the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn invitation(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &InvitationId,
    ) -> Result<Option<Invitation>, DbError> {
        let found = store::find(&self.0.ctx.db, permit.account(), id).await?;
        let now = self.0.ctx.now();
        let found = found.filter(|it| !it.has_expired(now));
        Ok(found.filter(|it| permit.allows(&resource(id, it.patient.as_ref()))))
    }

    /// Sends the letter once more; the links of the letters before are void.
    ///
    /// # Errors
    /// [`InvitationError`].
    pub async fn invite_again(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &InvitationId,
    ) -> Result<Invitation, InvitationError> {
        let found = self.invitation(permit, id).await?.ok_or(InvitationError::Over)?;
        if found.letters < LETTERS_MAX {
            self.0.users.write_to_invited(permit.account(), &found.email).await?;
        }
        let input = (self.inviting(permit).await?, id.clone());
        let unit = self.0.ctx.db.write(input, |tx, (work, id)| {
            Box::pin(async move {
                let (act, account, now) = (&work.act, &work.act.account, work.act.now);
                let limits = (LETTERS_MAX, now + INVITATION_TTL, now);
                let is_sent = store::send_again(tx, account, id, limits).await?;
                let found = store::find(&mut *tx, account, id).await?;
                let found = found.filter(|it| it.is_open(now)).ok_or(InvitationError::Over)?;
                if !is_sent {
                    return Err(InvitationError::TooManyLetters);
                }
                work.send(tx, &found).await?;
                let sent = json!({ "letters": found.letters });
                let event = act.event(Action::Execute, KIND, id.as_str());
                act.record(tx, &event.after(sent));
                Ok(found)
            })
        });
        unit.await
    }

    /// Takes an invitation back; `false` if there is none that waits for an answer and that the
    /// caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn revoke(
        &self,
        permit: &Permit<AccessAdmin>,
        id: &InvitationId,
    ) -> Result<bool, DbError> {
        if self.invitation(permit, id).await?.is_none() {
            return Ok(false);
        }
        let input = (self.inviting(permit).await?, id.clone(), permit.user().clone());
        let unit = self.0.ctx.db.write(input, |tx, (work, id, user)| {
            Box::pin(async move {
                let act = &work.act;
                let (of, decided) = ((&act.account, id), (Status::Revoked, Some(user)));
                if !store::decide(tx, of, decided, act.now).await? {
                    return Ok(false);
                }
                act.record(tx, &act.event(Action::Delete, KIND, id.as_str()));
                Ok(true)
            })
        });
        unit.await
    }

    /// Forgets a bounded number of invitations that ended by themselves, and says how many.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        // What was accepted can be asked about for as long again.
        let before = self.0.ctx.now() - INVITATION_TTL;
        let unit = self.0.ctx.db.write(before, |tx, before| Box::pin(store::sweep(tx, *before)));
        unit.await
    }
}

async fn invite(
    tx: &mut Tx<'_>,
    work: &Work,
    fresh: &Fresh,
    wanted: &NewInvitation,
) -> Result<Invitation, InvitationError> {
    let (act, account, now) = (&work.act, &work.act.account, work.act.now);
    // Of those who invite the same person at once one does.
    lock(tx, account).await?;
    let same = (fresh.email_key.as_str(), &fresh.group, fresh.patient.as_ref());
    if store::is_invited(&mut *tx, account, same, now).await? {
        return Err(InvitationError::AlreadyInvited);
    }
    if store::count(&mut *tx, account, now).await? >= AWAITING_MAX {
        return Err(InvitationError::TooMany);
    }
    store::insert(tx, account, (fresh, wanted), now).await.map_err(|error| match error {
        // Group or project were there a moment ago.
        DbError::Refused(_) => InvitationError::UnknownGroup,
        other => InvitationError::Internal(other),
    })?;
    let made = store::find(&mut *tx, account, &fresh.id).await?.ok_or(InvitationError::Over)?;
    work.send(tx, &made).await?;
    let patient = fresh.patient.as_ref();
    let after = json!({
        "group": fresh.group.as_str(),
        "project": patient.map(|patient| patient.project.as_str()),
        "patient": patient.map(|patient| patient.id.as_str()),
    });
    act.record(tx, &act.event(Action::Create, KIND, fresh.id.as_str()).after(after));
    Ok(made)
}
