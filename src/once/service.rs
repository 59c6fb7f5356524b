//! What is good once: secrets that are given out to be brought back, and names that are seen.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::id::{AppId, UserId};
use crate::base::secret::{Digest, Secret};
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::once::model::{Found, Kind, Owner};
use crate::once::store::{self, Stored};

/// Stores `data` and answers the one text that it can be found by: a number and a secret.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn give_out<T: Serialize>(
    ctx: &Ctx,
    kind: Kind,
    owner: Owner<'_>,
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    let (secret, stored) = fresh(ctx, kind, owner, data, lifetime)?;
    let id = store::insert(&ctx.db, stored).await?;
    Ok(shown(id, &secret))
}

/// [`give_out`] in the unit of work of the act that it belongs to.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn give_out_in<T: Serialize>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (kind, owner): (Kind, Owner<'_>),
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    let (secret, stored) = fresh(ctx, kind, owner, data, lifetime)?;
    let id = store::insert_in(tx, stored).await?;
    Ok(shown(id, &secret))
}

/// [`give_out_in`]; what the same user was given before as this kind is void from now on.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn give_out_anew<T: Serialize>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    kind: Kind,
    user: &UserId,
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    store::void(tx, kind.as_str(), user).await?;
    give_out_in(tx, ctx, (kind, Owner::User(user)), data, lifetime).await
}

/// The same for somebody who is no user yet.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn give_out_to<T: Serialize>(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (kind, subject): (Kind, Digest),
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    store::void_of(tx, kind.as_str(), subject).await?;
    give_out_in(tx, ctx, (kind, Owner::Subject(subject)), data, lifetime).await
}

fn fresh<'a, T: Serialize>(
    ctx: &Ctx,
    kind: Kind,
    owner: Owner<'a>,
    data: &T,
    lifetime: TimeDelta,
) -> Result<(Secret, Stored<'a>), DbError> {
    let secret = Secret::generate(ctx.entropy());
    let now = ctx.now();
    let data = serde_json::to_string(data).map_err(|_| store::corrupt())?;
    let digest = secret.digest();
    Ok((secret, Stored { kind: kind.as_str(), digest, owner, data, now, end: now + lifetime }))
}

fn shown(id: i64, secret: &Secret) -> Secret {
    Secret::presented(format!("{id}.{}", secret.reveal()))
}

/// Makes void what a user was given as this kind.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn void(tx: &mut Tx<'_>, kind: Kind, user: &UserId) -> Result<(), DbError> {
    store::void(tx, kind.as_str(), user).await
}

/// Makes void what a user was given as this kind from the secret of number `id` on.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn void_since(
    tx: &mut Tx<'_>,
    kind: Kind,
    user: &UserId,
    id: i64,
) -> Result<(), DbError> {
    store::void_since(tx, kind.as_str(), user, id).await
}

/// What a text stands for, if it was given out as this kind, is not over and was not used.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn find<T: DeserializeOwned>(
    ctx: &Ctx,
    kind: Kind,
    text: &str,
) -> Result<Option<Found<T>>, DbError> {
    Ok(find_used(ctx, kind, text).await?.filter(|found| !found.is_used))
}

/// What this subject was given last as this kind, if it is not over and was not used. Whoever asks
/// has to show something else: the subject alone is no secret.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn find_of<T: DeserializeOwned>(
    ctx: &Ctx,
    kind: Kind,
    subject: Digest,
) -> Result<Option<Found<T>>, DbError> {
    store::find_of(&ctx.db, kind.as_str(), subject, ctx.now()).await
}

/// The same as [`find`], used or not: to tell somebody who comes again that it was.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn find_used<T: DeserializeOwned>(
    ctx: &Ctx,
    kind: Kind,
    text: &str,
) -> Result<Option<Found<T>>, DbError> {
    let Some((id, secret)) = text.split_once('.') else { return Ok(None) };
    let Ok(id) = id.parse::<i64>() else { return Ok(None) };
    let digest = Secret::presented(secret).digest();
    store::find(&ctx.db, kind.as_str(), id, digest, ctx.now()).await
}

/// How many of this kind were given to `app` after `since`, and were not used.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn count(
    ctx: &Ctx,
    kind: Kind,
    app: &AppId,
    since: DateTime<Utc>,
) -> Result<i64, DbError> {
    store::count(&ctx.db, kind.as_str(), app, since).await
}

/// Uses it up: `true` for exactly one caller, however many race.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn consume(ctx: &Ctx, id: i64) -> Result<bool, DbError> {
    store::consume(&ctx.db, id, ctx.now()).await
}

/// [`consume`] in the unit of work of the act that it allows.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn consume_in(tx: &mut Tx<'_>, id: i64, now: DateTime<Utc>) -> Result<bool, DbError> {
    store::consume_in(tx, id, now).await
}

/// Changes what it stands for: `true` for exactly one of those who saw `old`.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn swap<T: Serialize>(ctx: &Ctx, id: i64, old: &T, new: &T) -> Result<bool, DbError> {
    let text = |data: &T| serde_json::to_string(data).map_err(|_| store::corrupt());
    store::swap(&ctx.db, id, (text(old)?, text(new)?), ctx.now()).await
}

/// Notes that `owner` used the name `name`; `false` if they did so before, while it mattered.
///
/// `end` is when whatever carries the name is refused anyway.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn first_seen(
    ctx: &Ctx,
    kind: &str,
    (owner, name): (&str, &str),
    end: DateTime<Utc>,
) -> Result<bool, DbError> {
    let parts = [kind, owner, name].map(|part| format!("{}:{part}", part.len()));
    let digest = Digest::of(parts.concat().as_bytes());
    store::note(&ctx.db, digest, end, ctx.now()).await
}

/// Deletes a bounded number of rows that are over, and says how many.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn sweep(ctx: &Ctx) -> Result<u64, DbError> {
    ctx.db.write(ctx.now(), |tx, now| Box::pin(store::sweep(tx, *now))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{ManualClock, from_micros};
    use crate::base::entropy::OsEntropy;
    use crate::db::testing;
    use std::sync::Arc;

    async fn open() -> (testing::Guard, Arc<ManualClock>, Ctx) {
        let (folder, db) = testing::open().await;
        let clock = Arc::new(ManualClock::at(from_micros(1_800_000_000_000_000)));
        let ctx =
            Ctx { db, clock: clock.clone(), entropy: Arc::new(OsEntropy::default()), seal: None };
        (folder, clock, ctx)
    }

    const HOUR: TimeDelta = TimeDelta::hours(1);

    #[tokio::test]
    async fn case_21_a_secret_is_good_once_and_for_its_kind_alone() {
        let (_folder, _, ctx) = open().await;
        let ctx = &ctx;
        let given = give_out(ctx, Kind::PushedRequest, Owner::Nobody, &"data", HOUR).await.unwrap();

        let other = find::<String>(ctx, Kind::InitialAccess, given.reveal()).await.unwrap();
        assert!(other.is_none());
        for bent in ["", "1", "1.x", "x.y", &format!("{}x", given.reveal())] {
            let found = find::<String>(ctx, Kind::PushedRequest, bent).await.unwrap();
            assert!(found.is_none(), "{bent}");
        }
        let found = find::<String>(ctx, Kind::PushedRequest, given.reveal()).await.unwrap();
        let found = found.unwrap();
        assert_eq!((found.data.as_str(), found.app), ("data", None));
        let (one, two) = tokio::join!(consume(ctx, found.id), consume(ctx, found.id));
        assert_eq!([one.unwrap(), two.unwrap()].iter().filter(|won| **won).count(), 1);
        let found = find::<String>(ctx, Kind::PushedRequest, given.reveal()).await.unwrap();
        assert!(found.is_none());
    }

    #[tokio::test]
    async fn what_is_over_is_neither_found_nor_kept() {
        let (_folder, clock, ctx) = open().await;
        let ctx = &ctx;
        let given = give_out(ctx, Kind::PushedRequest, Owner::Nobody, &1, HOUR).await.unwrap();
        assert!(first_seen(ctx, "jti", ("app", "1"), ctx.now() + HOUR).await.unwrap());
        assert!(!first_seen(ctx, "jti", ("app", "1"), ctx.now() + HOUR).await.unwrap());
        assert!(first_seen(ctx, "jti", ("ap", "p1"), ctx.now() + HOUR).await.unwrap());

        clock.advance(HOUR);

        assert!(find::<i32>(ctx, Kind::PushedRequest, given.reveal()).await.unwrap().is_none());
        assert!(first_seen(ctx, "jti", ("app", "1"), ctx.now() + HOUR).await.unwrap());
        assert_eq!(sweep(ctx).await.unwrap(), 2);
    }
}
