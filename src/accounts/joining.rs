//! Joining a group because somebody whom its account trusts says so.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::accounts::act::Act;
use crate::accounts::groups::MEMBER;
use crate::accounts::store;
use crate::audit::model::{Action, Actor};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;

/// Makes a user, who is not one yet, a member of the account's group; `false` if there is no such
/// group.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn join(
    tx: &mut Tx<'_>,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    if store::group(&mut *tx, account, group).await?.is_none() {
        return Ok(false);
    }
    store::insert_member(tx, account, (group, user), now).await?;
    tx.touch(Topic::Accounts);
    Ok(true)
}

/// [`join`] by signing in at a provider whose account says so, which stands in the record.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn join_by_provider(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    account: &AccountId,
    (group, user): (&GroupId, &UserId),
) -> Result<bool, DbError> {
    let act = Act::by(ctx, account, &Actor::user(user));
    let is_in = join(tx, account, (group, user), act.now).await?;
    if is_in {
        let event = act.event(Action::Create, MEMBER, user.as_str());
        act.record(tx, &event.after(json!({ "group": group.as_str() })));
    }
    Ok(is_in)
}
