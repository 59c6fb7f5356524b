//! A key set that somebody else publishes: when it is asked for, and by whom.
//!
//! It is fetched once for all who wait for it, and again when a signature asks for a key that it
//! does not have, but not more often than its owner has a reason to change keys: who sends such
//! signatures is nobody we know.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::keys::error::TokenFault;
use crate::keys::foreign::{BadKey, KeySet};
use crate::outbound::Outbound;

/// How long a set is good without being asked for again.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How long a set is made do with while its owner does not answer.
const LIFETIME_MAX: TimeDelta = TimeDelta::hours(1);
/// How long an owner is left alone after it failed, or after a set was asked for before its time.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// A JWK set, read.
#[derive(Debug)]
pub struct Held {
    /// As it came.
    pub source: Value,
    /// Those of its keys that sign.
    pub signing: Arc<KeySet>,
}

impl Held {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn read(source: Value) -> Result<Self, BadKey> {
        let signing = Arc::new(KeySet::from_json(&source)?);
        Ok(Self { source, signing })
    }
}

/// A published key set, and how asking for it went.
#[derive(Debug, Default)]
pub struct Slot {
    held: Option<(Arc<Held>, DateTime<Utc>)>,
    failed_at: Option<DateTime<Utc>>,
    /// When it was last asked for before its time.
    hurried_at: Option<DateTime<Utc>>,
}

/// What is wanted of a set.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// Whatever it holds.
    Any,
    /// A key of this name.
    Kid(&'a str),
    /// Another set than this one, which did not help.
    NotThis(&'a Arc<Held>),
}

impl Want<'_> {
    fn is_met_by(self, held: &Arc<Held>) -> bool {
        match self {
            Self::Any => true,
            Self::Kid(kid) => held.signing.has(kid),
            Self::NotThis(other) => !Arc::ptr_eq(held, other),
        }
    }
}

impl Slot {
    /// Whether to ask now. The first set, or one that is over, does not count as hurry: its owner may
    /// change keys right after it was first asked.
    fn is_due(&self, want: Want<'_>, now: DateTime<Utc>) -> bool {
        let is_rested = |last: Option<DateTime<Utc>>| last.is_none_or(|last| now >= last + PAUSE);
        match &self.held {
            Some((held, at)) if now < *at + LIFETIME => {
                !want.is_met_by(held) && is_rested(self.hurried_at)
            }
            _ => is_rested(self.failed_at),
        }
    }

    /// What there is to use.
    fn usable(&self, now: DateTime<Utc>) -> Result<Arc<Held>, TokenFault> {
        let held = self.held.as_ref().filter(|(_, at)| now < *at + LIFETIME_MAX);
        held.map(|(held, _)| held.clone()).ok_or(TokenFault("the published keys cannot be had"))
    }

    fn put(&mut self, found: Option<Held>, now: DateTime<Utc>) {
        if self.held.as_ref().is_some_and(|(_, at)| now < *at + LIFETIME) {
            self.hurried_at = Some(now);
        }
        match found {
            Some(found) => {
                self.failed_at = None;
                self.held = Some((Arc::new(found), now));
            }
            None => self.failed_at = Some(now),
        }
    }
}

/// The set of a slot, asked for if it is time. Who comes meanwhile waits for the same answer.
///
/// # Errors
/// [`TokenFault`], for our log.
pub async fn ask(
    (outbound, now): (&Outbound, DateTime<Utc>),
    uri: &str,
    slot: Arc<Mutex<Slot>>,
    want: Want<'_>,
) -> Result<Arc<Held>, TokenFault> {
    let mut slot = slot.lock_owned().await;
    if !slot.is_due(want, now) {
        return slot.usable(now);
    }
    let (outbound, uri) = (outbound.clone(), uri.to_owned());
    // On its own, so that a client that hangs up does not break off what others wait for.
    let asking = tokio::spawn(async move {
        slot.put(fetch(&outbound, &uri).await, now);
        slot.usable(now)
    });
    asking.await.map_err(|_| TokenFault("asking for published keys broke off"))?
}

async fn fetch(outbound: &Outbound, uri: &str) -> Option<Held> {
    let answer = match outbound.get(uri, "application/jwk-set+json, */*").await {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            tracing::info!(uri, status = answer.status, "no key set");
            return None;
        }
        Err(error) => {
            tracing::info!(uri, %error, "no key set");
            return None;
        }
    };
    let set = serde_json::from_slice(&answer.body).ok()?;
    Held::read(set).map_err(|error| tracing::info!(uri, %error, "a bad key set")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::clock::from_micros;

    fn at(seconds: i64) -> DateTime<Utc> {
        from_micros(seconds * 1_000_000)
    }

    fn empty() -> Held {
        Held::read(json!({"keys": []})).unwrap()
    }

    #[test]
    fn case_40_a_set_is_asked_for_seldom_but_soon_after_keys_change() {
        let mut slot = Slot::default();
        assert!(slot.is_due(Want::Any, at(0)));
        slot.put(Some(empty()), at(0));
        assert!(!slot.is_due(Want::Any, at(899)) && slot.is_due(Want::Any, at(900)));
        assert!(slot.is_due(Want::Kid("new"), at(1)), "the first one was no hurry");

        slot.put(Some(empty()), at(1));
        assert!(!slot.is_due(Want::Kid("other"), at(60)) && slot.is_due(Want::Kid("x"), at(61)));
    }

    #[test]
    fn case_40_what_fails_is_left_alone_and_the_last_set_is_kept_for_a_while() {
        let mut slot = Slot::default();
        slot.put(None, at(0));
        assert!(!slot.is_due(Want::Any, at(59)) && slot.is_due(Want::Any, at(60)));
        assert!(slot.usable(at(1)).is_err());

        slot.put(Some(empty()), at(60));
        slot.put(None, at(960));
        assert!(slot.usable(at(60 + 3_599)).is_ok() && slot.usable(at(60 + 3_600)).is_err());
    }

    #[test]
    fn who_waited_for_a_fresh_set_does_not_ask_again() {
        let mut slot = Slot::default();
        slot.put(Some(empty()), at(0));
        let old = slot.usable(at(0)).unwrap();
        assert!(slot.is_due(Want::NotThis(&old), at(1)));
        slot.put(Some(empty()), at(1));
        assert!(!slot.is_due(Want::NotThis(&old), at(500)));
    }
}
