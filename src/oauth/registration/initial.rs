//! Initial access tokens: leave to register apps for an account. Source: RFC 7591 section 3.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::AccountId;
use crate::base::secret::Secret;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::oauth::service::OAuth;
use crate::once::model::{Found, Kind, Owner};
use crate::once::service as once;

/// What the record calls such a token.
const KIND: &str = "registration-token";
/// Most apps that one token registers.
pub const USES_MAX: u32 = 1_000;
/// Longest life of a token, in seconds: 90 days.
pub const SECONDS_MAX: u32 = 90 * 86_400;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Leave {
    account: AccountId,
    uses: u32,
}

/// A token that was found to be good.
#[derive(Debug)]
pub(in crate::oauth) struct Initial(Found<Leave>);

/// Makes a token that lets its holder register `uses` apps for `account`.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn give_out(
    ctx: &Ctx,
    account: &AccountId,
    uses: u32,
    seconds: u32,
) -> Result<Secret, DbError> {
    let leave = Leave { account: account.clone(), uses: uses.clamp(1, USES_MAX) };
    let lifetime = TimeDelta::seconds(i64::from(seconds.min(SECONDS_MAX)));
    let unit = ctx.db.write((ctx.clone(), leave, lifetime), |tx, (ctx, leave, lifetime)| {
        Box::pin(async move {
            let event = Event::new(Action::Create, KIND, leave.account.as_str());
            let event = event.of(&leave.account).after(json!({ "uses": leave.uses }));
            record(tx, ctx, &Actor::operator(), &event);
            let kind = (Kind::InitialAccess, Owner::Nobody);
            once::give_out_in(tx, ctx, kind, leave, *lifetime).await
        })
    });
    unit.await
}

/// The token behind a text, if it is good.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn find(oauth: &OAuth, text: &str) -> Result<Option<Initial>, DbError> {
    Ok(once::find(oauth.ctx(), Kind::InitialAccess, text).await?.map(Initial))
}

impl Initial {
    /// For whom.
    pub(in crate::oauth) fn account(&self) -> &AccountId {
        &self.0.data.account
    }

    /// Uses it once; `false` if others were faster and used it up, however many race.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub(in crate::oauth) async fn use_up(self, oauth: &OAuth) -> Result<bool, DbError> {
        let mut leave = self.0.data;
        while leave.uses > 1 {
            let less = Leave { uses: leave.uses - 1, ..leave.clone() };
            if once::swap(oauth.ctx(), self.0.id, &leave, &less).await? {
                return Ok(true);
            }
            // Somebody else counted it down meanwhile, once or more often.
            leave = less;
        }
        once::consume(oauth.ctx(), self.0.id).await
    }
}
