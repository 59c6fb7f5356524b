//! What is good once: secrets that are given out to be brought back, and names that are seen.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::id::AppId;
use crate::base::secret::{Digest, Secret};
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::oauth::service::OAuth;
use crate::oauth::store_once::{self, Stored};

/// What a one-time secret is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Kind {
    /// A pushed authorization request. Source: RFC 9126.
    PushedRequest,
    /// Lets somebody register apps. Source: RFC 7591 section 3.
    InitialAccess,
}

impl Kind {
    pub(in crate::oauth) fn as_str(self) -> &'static str {
        match self {
            Self::PushedRequest => "pushed_request",
            Self::InitialAccess => "initial_access",
        }
    }
}

/// A one-time secret that was found.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct Found<T> {
    /// Its number; [`consume`] takes it.
    pub(in crate::oauth) id: i64,
    /// The app it was given to.
    pub(in crate::oauth) app: Option<AppId>,
    /// Whether it was used up; only [`find_used`] answers such.
    pub(in crate::oauth) is_used: bool,
    /// What it stands for.
    pub(in crate::oauth) data: T,
}

/// Stores `data` and answers the one text that it can be found by: a number and a secret.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn give_out<T: Serialize>(
    oauth: &OAuth,
    kind: Kind,
    app: Option<&AppId>,
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    give_out_on(oauth.ctx(), kind, app, data, lifetime).await
}

/// [`give_out`], for whoever has the database and no more.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn give_out_on<T: Serialize>(
    ctx: &Ctx,
    kind: Kind,
    app: Option<&AppId>,
    data: &T,
    lifetime: TimeDelta,
) -> Result<Secret, DbError> {
    let secret = Secret::generate(ctx.entropy());
    let now = ctx.now();
    let data = serde_json::to_string(data).map_err(|_| store_once::corrupt())?;
    let stored = Stored {
        kind: kind.as_str(),
        digest: secret.digest(),
        app,
        data,
        now,
        end: now + lifetime,
    };
    let id = store_once::insert(&ctx.db, stored).await?;
    Ok(Secret::presented(format!("{id}.{}", secret.reveal())))
}

/// What a text stands for, if it was given out as this kind, is not over and was not used.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn find<T: DeserializeOwned>(
    oauth: &OAuth,
    kind: Kind,
    text: &str,
) -> Result<Option<Found<T>>, DbError> {
    Ok(find_used(oauth, kind, text).await?.filter(|found| !found.is_used))
}

/// The same, used or not: to tell somebody who comes again that it was.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn find_used<T: DeserializeOwned>(
    oauth: &OAuth,
    kind: Kind,
    text: &str,
) -> Result<Option<Found<T>>, DbError> {
    let Some((id, secret)) = text.split_once('.') else { return Ok(None) };
    let Ok(id) = id.parse::<i64>() else { return Ok(None) };
    let digest = Secret::presented(secret).digest();
    store_once::find(&oauth.ctx().db, kind.as_str(), id, digest, oauth.now()).await
}

/// How many of this kind were given to `app` after `since`, and were not used.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn count(
    oauth: &OAuth,
    kind: Kind,
    app: &AppId,
    since: DateTime<Utc>,
) -> Result<i64, DbError> {
    store_once::count(&oauth.ctx().db, kind.as_str(), app, since).await
}

/// Uses it up: `true` for exactly one caller, however many race.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn consume(oauth: &OAuth, id: i64) -> Result<bool, DbError> {
    store_once::consume(&oauth.ctx().db, id, oauth.now()).await
}

/// Changes what it stands for: `true` for exactly one of those who saw `old`.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn swap<T: Serialize>(
    oauth: &OAuth,
    id: i64,
    old: &T,
    new: &T,
) -> Result<bool, DbError> {
    let text = |data: &T| serde_json::to_string(data).map_err(|_| store_once::corrupt());
    store_once::swap(&oauth.ctx().db, id, (text(old)?, text(new)?), oauth.now()).await
}

/// Notes that `owner` used the name `name`; `false` if they did so before, while it mattered.
///
/// `end` is when whatever carries the name is refused anyway.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn first_seen(
    oauth: &OAuth,
    kind: &str,
    (owner, name): (&str, &str),
    end: DateTime<Utc>,
) -> Result<bool, DbError> {
    let parts = [kind, owner, name].map(|part| format!("{}:{part}", part.len()));
    let digest = Digest::of(parts.concat().as_bytes());
    store_once::note(&oauth.ctx().db, digest, end, oauth.now()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::tests_world::world;

    const HOUR: TimeDelta = TimeDelta::hours(1);

    #[tokio::test]
    async fn case_21_a_secret_is_good_once_and_for_its_kind_alone() {
        let world = world().await;
        let oauth = &world.oauth;
        let given = give_out(oauth, Kind::PushedRequest, None, &"data", HOUR).await.unwrap();

        let other = find::<String>(oauth, Kind::InitialAccess, given.reveal()).await.unwrap();
        assert!(other.is_none());
        for bent in ["", "1", "1.x", "x.y", &format!("{}x", given.reveal())] {
            let found = find::<String>(oauth, Kind::PushedRequest, bent).await.unwrap();
            assert!(found.is_none(), "{bent}");
        }
        let found = find::<String>(oauth, Kind::PushedRequest, given.reveal()).await.unwrap();
        let found = found.unwrap();
        assert_eq!((found.data.as_str(), found.app), ("data", None));
        let (one, two) = tokio::join!(consume(oauth, found.id), consume(oauth, found.id));
        assert_eq!([one.unwrap(), two.unwrap()].iter().filter(|won| **won).count(), 1);
        let found = find::<String>(oauth, Kind::PushedRequest, given.reveal()).await.unwrap();
        assert!(found.is_none());
    }

    #[tokio::test]
    async fn what_is_over_is_neither_found_nor_kept() {
        let world = world().await;
        let oauth = &world.oauth;
        let given = give_out(oauth, Kind::PushedRequest, None, &1, HOUR).await.unwrap();
        assert!(first_seen(oauth, "jti", ("app", "1"), oauth.now() + HOUR).await.unwrap());
        assert!(!first_seen(oauth, "jti", ("app", "1"), oauth.now() + HOUR).await.unwrap());
        assert!(first_seen(oauth, "jti", ("ap", "p1"), oauth.now() + HOUR).await.unwrap());

        world.clock.advance(HOUR);

        assert!(find::<i32>(oauth, Kind::PushedRequest, given.reveal()).await.unwrap().is_none());
        assert!(first_seen(oauth, "jti", ("app", "1"), oauth.now() + HOUR).await.unwrap());
        assert_eq!(oauth.sweep().await.unwrap(), 2);
    }
}
