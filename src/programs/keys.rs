//! Making, listing and revoking keys.

use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::base::id::{AccountId, ApiKeyId, UserId};
use crate::base::secret::{Digest, Secret};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::policy::attributes::Attributes;
use crate::policy::permit::{Permit, RESOURCE};
use crate::policy::privilege::ApiKeyUser;
use crate::programs::model::{ApiKey, KEYS_MAX, NewKey, ProgramError};
use crate::programs::service::Programs;
use crate::programs::{store, token};

/// What keys are, as resources that policies and the record are about.
const TYPE: &str = "apiKey";

/// Whose keys: where, and for whom they act.
pub(in crate::programs) type Whose<'a> = (&'a AccountId, &'a UserId);

impl Programs {
    /// The caller's own keys in the account, by id.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn own_keys(
        &self,
        permit: &Permit<ApiKeyUser>,
        after: Option<&ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, ProgramError> {
        check(permit)?;
        self.keys_of((permit.account(), permit.user()), after, limit).await
    }

    /// Makes a key that acts for the caller in the account, and gives its text: the only time.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn make_own_key(
        &self,
        permit: &Permit<ApiKeyUser>,
        new: &NewKey,
    ) -> Result<(ApiKey, Secret), ProgramError> {
        check(permit)?;
        self.make_key((permit.account(), permit.user()), new, permit.actor()).await
    }

    /// Revokes a key of the caller's. It works nowhere any more, on any node.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn revoke_own_key(
        &self,
        permit: &Permit<ApiKeyUser>,
        id: &ApiKeyId,
    ) -> Result<(), ProgramError> {
        check(permit)?;
        self.revoke_key((permit.account(), permit.user()), id, permit.actor()).await
    }

    pub(in crate::programs) async fn keys_of(
        &self,
        whose: Whose<'_>,
        after: Option<&ApiKeyId>,
        limit: u32,
    ) -> Result<Vec<ApiKey>, ProgramError> {
        Ok(store::list(&self.parts.ctx.db, whose, after, limit).await?)
    }

    pub(in crate::programs) async fn make_key(
        &self,
        (account, user): Whose<'_>,
        new: &NewKey,
        actor: &Actor,
    ) -> Result<(ApiKey, Secret), ProgramError> {
        let life = new.check()?;
        if actor.key.is_some() {
            return Err(ProgramError::ByKey);
        }
        let ctx = &self.parts.ctx;
        let now = ctx.now();
        let username = self.parts.users.find(user).await?.ok_or(ProgramError::Unknown)?;
        let key = ApiKey {
            id: ApiKeyId::generate(now, ctx.entropy()),
            account: account.clone(),
            user: user.clone(),
            name: new.name.clone(),
            scope: new.scope.clone(),
            created_at: now,
            expires_at: now + life,
            is_of_service: false,
        };
        let random = Secret::generate(ctx.entropy());
        let issuer = self.parts.issuer.as_str();
        let text = token::make(&self.mac, issuer, (&key, &username.username), &random);
        let input = (ctx.clone(), key.clone(), text.digest(), actor.clone());
        let unit = ctx.db.write(input, |tx, (ctx, key, digest, actor)| {
            Box::pin(insert(tx, ctx, (key, *digest), actor))
        });
        unit.await?;
        Ok((key, text))
    }

    pub(in crate::programs) async fn revoke_key(
        &self,
        (account, user): Whose<'_>,
        id: &ApiKeyId,
        actor: &Actor,
    ) -> Result<(), ProgramError> {
        let ctx = &self.parts.ctx;
        let input = (ctx.clone(), account.clone(), user.clone(), id.clone(), actor.clone());
        let unit = ctx.db.write(input, |tx, (ctx, account, user, id, actor)| {
            Box::pin(async move {
                if !delete(tx, (ctx, actor), (account, user), id).await? {
                    return Err(ProgramError::Unknown);
                }
                Ok(())
            })
        });
        unit.await
    }

    /// Revokes the keys of somebody who has left an account: they do not come back with them.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn left(&self, account: &AccountId, user: &UserId) -> Result<(), DbError> {
        let ctx = &self.parts.ctx;
        // The change may be another process's.
        ctx.db.poll_changes().await?;
        if self.parts.accounts.membership(account, user).await?.is_some() {
            return Ok(());
        }
        let input = (ctx.clone(), account.clone(), user.clone());
        let unit = ctx.db.write(input, |tx, (ctx, account, user)| {
            Box::pin(async move {
                for id in store::ids(&mut *tx, (account, user)).await? {
                    delete(tx, (ctx, &Actor::operator()), (account, user), &id).await?;
                }
                Ok::<(), DbError>(())
            })
        });
        unit.await
    }
}

/// Removes a key, and records it; `false` if there is none.
async fn delete(
    tx: &mut Tx<'_>,
    (ctx, actor): (&Ctx, &Actor),
    (account, user): (&AccountId, &UserId),
    id: &ApiKeyId,
) -> Result<bool, DbError> {
    let Some((name, scope)) = store::delete(tx, (account, user), id).await? else {
        return Ok(false);
    };
    tx.touch(Topic::Programs);
    let event = Event::new(Action::Delete, TYPE, id.as_str()).of(account);
    let before = json!({ "user": user, "name": name, "scope": scope });
    record(tx, ctx, actor, &event.before(before));
    Ok(true)
}

/// A privilege that holds for other things only is none for keys.
fn check(permit: &Permit<ApiKeyUser>) -> Result<(), ProgramError> {
    let key = Attributes::new().with(RESOURCE, "type", TYPE);
    if permit.allows(&key) { Ok(()) } else { Err(ProgramError::NotAllowed) }
}

async fn insert(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (key, digest): (&ApiKey, Digest),
    actor: &Actor,
) -> Result<(), ProgramError> {
    if store::count(&mut *tx, &key.account, &key.user).await? >= KEYS_MAX {
        return Err(ProgramError::TooMany);
    }
    store::insert(tx, key, digest).await.map_err(|error| match error {
        DbError::Refused(_) => ProgramError::Unknown,
        other => ProgramError::Internal(other),
    })?;
    let event = Event::new(Action::Create, TYPE, key.id.as_str()).of(&key.account);
    let after = json!({
        "user": key.user, "name": key.name, "scope": key.scope, "expiresAt": key.expires_at.to_rfc3339(),
    });
    record(tx, ctx, actor, &event.after(after));
    Ok(())
}
