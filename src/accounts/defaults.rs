//! What every account begins with: the groups Administrators, Users and Subjects, and a policy for
//! each.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::accounts::act::Act;
use crate::accounts::model::{AccountError, GroupKind, NewGroup, Purpose};
use crate::accounts::service::Accounts;
use crate::accounts::tenancy::ACCOUNT;
use crate::accounts::{store, store_members};
use crate::audit::model::{Action, Actor};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::given::give;
use crate::policy::model::{Declared, Policy, PolicyError};
use crate::policy::privilege::{
    AccessAdmin, AccountAdmin, BillingAdmin, CreateData, DeleteData, DevelopApps, DownloadFile,
    EduContentAdmin, LayoutAdmin, Privilege, ProjectAdmin, ReadData, UpdateData,
};

/// What administrators hold: all but `readMaskedData`, which would take nothing away from
/// `readData`, and `apiKeyUser`. Source: the platform's documentation of its default policies.
const ADMINISTRATORS_HOLD: &[&str] = &[
    ReadData::NAME,
    DownloadFile::NAME,
    CreateData::NAME,
    DeleteData::NAME,
    UpdateData::NAME,
    LayoutAdmin::NAME,
    AccessAdmin::NAME,
    AccountAdmin::NAME,
    BillingAdmin::NAME,
    ProjectAdmin::NAME,
    DevelopApps::NAME,
    EduContentAdmin::NAME,
];
/// What users hold.
const USERS_HOLD: &[&str] = &[ReadData::NAME];
/// What subjects hold, for what is about themselves.
const SUBJECTS_HOLD: &[&str] =
    &[CreateData::NAME, ReadData::NAME, UpdateData::NAME, DeleteData::NAME];

/// The groups that an account begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Those who administer the account.
    pub administrators: GroupId,
    /// Those who see its data.
    pub users: GroupId,
    /// Those whom its data is about.
    pub subjects: GroupId,
}

impl Accounts {
    /// What [`Accounts::declare_defaults`] would do.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn compare_defaults(&self, account: &AccountId) -> Result<Declared, DbError> {
        for purpose in [Purpose::Administrators, Purpose::Users, Purpose::Subjects] {
            if store_members::group_for(&self.ctx.db, account, purpose).await?.is_none() {
                return Ok(Declared::Created);
            }
        }
        Ok(Declared::Unchanged)
    }

    /// Gives the account, which exists, what of it is missing, on behalf of the operator. A group
    /// that has the name of one that is missing takes its place.
    ///
    /// # Errors
    /// [`AccountError::UnknownAccount`], [`AccountError::Internal`].
    pub async fn declare_defaults(&self, account: &AccountId) -> Result<Defaults, AccountError> {
        let fresh = fresh(&self.ctx);
        let act = Act::by(&self.ctx, account, &Actor::operator());
        let unit = self.ctx.db.write((act, fresh), |tx, (act, fresh)| {
            Box::pin(async move {
                let account = &act.account;
                if store::account(&mut *tx, account).await?.is_none() {
                    return Err(AccountError::UnknownAccount(account.clone()));
                }
                let made = complete(tx, account, (fresh, None), act.now).await?;
                let event = act.event(Action::Update, ACCOUNT, account.as_str());
                act.record(tx, &event.after(json!({ "defaultGroups": true })));
                Ok(made)
            })
        });
        unit.await
    }
}

/// Ids for groups that are to be made.
pub(in crate::accounts) fn fresh(ctx: &Ctx) -> Defaults {
    let id = || GroupId::generate(ctx.now(), ctx.entropy());
    Defaults { administrators: id(), users: id(), subjects: id() }
}

/// Makes what is missing of the groups and policies that an account begins with, because of `by`,
/// and tells the groups.
///
/// # Errors
/// [`AccountError::Internal`] if a statement fails.
pub(in crate::accounts) async fn complete(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (fresh, by): (&Defaults, Option<&UserId>),
    now: DateTime<Utc>,
) -> Result<Defaults, AccountError> {
    let administrators = (Purpose::Administrators, "Administrators", &fresh.administrators);
    let administrators = group(tx, account, administrators, now).await?;
    let users = group(tx, account, (Purpose::Users, "Users", &fresh.users), now).await?;
    let subjects = (Purpose::Subjects, "Subjects", &fresh.subjects);
    let subjects = group(tx, account, subjects, now).await?;

    let in_group = |id: &GroupId| json!({"comparison": "includes", "value": id.as_str()});
    let own = json!({"comparison": "includes", "target": "resource.subject"});
    let policies = [
        (
            "Administrator Access",
            ADMINISTRATORS_HOLD,
            json!({"user.groups": in_group(&administrators)}),
        ),
        ("User Access", USERS_HOLD, json!({"user.groups": in_group(&users)})),
        (
            "Subject Access",
            SUBJECTS_HOLD,
            json!({"user.groups": in_group(&subjects), "user.patients": own}),
        ),
    ];
    for (name, held, rule) in policies {
        let rules: Map<String, Value> =
            held.iter().map(|privilege| ((*privilege).to_owned(), json!([rule]))).collect();
        let document = json!({ "rules": rules });
        let policy = Policy { name: name.to_owned(), document, created_at: now, updated_at: now };
        give(tx, account, &policy, by).await.map_err(|error| match error {
            PolicyError::Internal(error) => AccountError::Internal(error),
            // The account is there, and our own policies follow the grammar.
            _ => AccountError::UnknownAccount(account.clone()),
        })?;
    }
    tx.touch(Topic::Accounts);
    Ok(Defaults { administrators, users, subjects })
}

async fn group(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (purpose, name, fresh): (Purpose, &str, &GroupId),
    now: DateTime<Utc>,
) -> Result<GroupId, AccountError> {
    if let Some(found) = store_members::group_for(&mut *tx, account, purpose).await? {
        return Ok(found.id);
    }
    let id = if let Some(namesake) = store::group_named(&mut *tx, account, name).await? {
        namesake.id
    } else {
        let (name, kind) = (name.to_owned(), GroupKind::Closed);
        let new = NewGroup { id: None, name, description: None, kind };
        store::insert_group(tx, account, (fresh, &new), now).await?;
        fresh.clone()
    };
    store_members::set_purpose(tx, account, (&id, purpose)).await?;
    Ok(id)
}
