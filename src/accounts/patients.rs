//! Which Patients the members of an account are: an invitation makes somebody one, who administers
//! access sees it and ends it.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::groups::{Given, MEMBER};
use crate::accounts::invitations::model::Patient;
use crate::accounts::model::{AccountError, member_resource};
use crate::accounts::service::Accounts;
use crate::accounts::store_patients as store;
use crate::audit::model::Action;
use crate::base::id::{PatientId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::policy::administrators::keeps_administrator;
use crate::policy::attributes::Attributes;
use crate::policy::filter::Columns;
use crate::policy::losing::{Loss, Scales};
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::Policies;

/// What somebody's being a Patient is, as a resource that policies are about.
const TYPE: &str = "patient";
const COLUMNS: Columns = Columns::new(&[
    ("resource.id", "p.patient_id"),
    ("resource.type", "'patient'"),
    ("resource.subject", "p.patient_id"),
    ("resource.dataset", "p.project_id"),
]);

/// A Patient that a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Which one.
    pub patient: Patient,
    /// What its project is called.
    pub project_name: String,
    /// Since when.
    pub mapped_at: DateTime<Utc>,
}

fn resource(patient: &Patient) -> Attributes {
    Attributes::new()
        .with(RESOURCE, "id", patient.id.as_str())
        .with(RESOURCE, "type", TYPE)
        .with(RESOURCE, "subject", patient.id.as_str())
        .with(RESOURCE, "dataset", patient.project.as_str())
}

impl Accounts {
    /// A page of the Patients that a member is and that the caller may see, by project; `None` if
    /// there are none, and no member whom the caller may see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn patients(
        &self,
        permit: &Permit<AccessAdmin>,
        user: &UserId,
        page: (Option<&Patient>, u32),
    ) -> Result<Option<Vec<Mapping>>, DbError> {
        let filter = permit.filter(&COLUMNS, store::FIRST_FREE);
        let found = store::list(&self.ctx.db, (permit.account(), user), page, filter).await?;
        let is_seen = !found.is_empty()
            || (permit.allows(&member_resource(user))
                && self.membership(permit.account(), user).await?.is_some());
        Ok(is_seen.then_some(found))
    }

    /// Makes a member no longer a Patient, in every project that the caller may do that in.
    /// `false` if there is none.
    ///
    /// # Errors
    /// [`AccountError::Policy`] if nobody would administer access any more, or the member would be
    /// given by it what the caller does not hold.
    pub async fn end_patient(
        &self,
        policies: &Policies,
        (permit, facts): Given<'_>,
        (user, id): (&UserId, &PatientId),
    ) -> Result<bool, AccountError> {
        let whose = (permit.account(), user);
        let projects = store::projects_of(&self.ctx.db, whose, id).await?;
        let patients = projects.into_iter().map(|project| Patient { project, id: id.clone() });
        let own: Vec<Patient> = patients.filter(|it| permit.allows(&resource(it))).collect();
        if own.is_empty() {
            return Ok(false);
        }
        let scales = policies.scales((permit, facts)).await?;
        let input = (Act::of(&self.ctx, permit), (user.clone(), own), facts.clone(), scales);
        let unit = self.ctx.db.write(input, |tx, (act, (user, own), facts, scales)| {
            Box::pin(async move {
                let mut is_done = false;
                for patient in own {
                    is_done |= end(tx, act, scales, (user, patient)).await?;
                }
                tx.touch(Topic::Accounts);
                keeps_administrator(tx, &act.account, facts).await?;
                Ok(is_done)
            })
        });
        unit.await
    }
}

async fn end(
    tx: &mut Tx<'_>,
    act: &Act,
    scales: &Scales,
    (user, patient): (&UserId, &Patient),
) -> Result<bool, AccountError> {
    scales.weigh_loss(tx, &act.account, (Some(user), Loss::Patient(&patient.id))).await?;
    if !store::unmap(tx, (&act.account, user), patient).await? {
        return Ok(false);
    }
    let before = json!({ "project": patient.project.as_str(), "patient": patient.id.as_str() });
    let event = act.event(Action::Update, MEMBER, user.as_str());
    act.record(tx, &event.before(before));
    Ok(true)
}
