//! An app that fewer people may use than before, told to whoever gave it something.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::apps::model::{AllowedAccounts, Status};
use crate::apps::new_app::NewApp;
use crate::base::clock::micros;
use crate::base::id::AppId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::queue::service::push;

/// The kind of the job that tells of it: its payload is [`Narrowed`].
pub const NARROWED: &str = "app_narrowed";

/// An app that fewer people may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowed {
    /// Which.
    pub app: AppId,
    /// Since when, in microseconds.
    pub at: i64,
}

/// Has it told if fewer people may use the app than before.
pub(in crate::apps) async fn tell(
    tx: &mut Tx<'_>,
    (before, after): (&NewApp, &NewApp),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if !is_narrower(before, after) {
        return Ok(());
    }
    push_narrowed(tx, &after.id, now).await
}

/// Has it told that fewer people may use the app.
pub(in crate::apps) async fn push_narrowed(
    tx: &mut Tx<'_>,
    app: &AppId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let narrowed = Narrowed { app: app.clone(), at: micros(now) };
    let payload = serde_json::to_value(narrowed)
        .map_err(|_| DbError::CorruptRow { table: "jobs", column: "payload" })?;
    push(tx, NARROWED, &payload, now).await
}

fn is_narrower(before: &NewApp, after: &NewApp) -> bool {
    let fewer_accounts = match (&before.allowed_accounts, &after.allowed_accounts) {
        (_, AllowedAccounts::All) => false,
        (AllowedAccounts::All, AllowedAccounts::These(_)) => true,
        (AllowedAccounts::These(before), AllowedAccounts::These(after)) => !before.is_subset(after),
    };
    let fewer_people = match (before.status, after.status) {
        (before, after) if before == after => false,
        (Status::Live, _) | (_, Status::Disabled) => true,
        (Status::Developing | Status::Disabled, _) => false,
    };
    fewer_accounts || fewer_people
}
