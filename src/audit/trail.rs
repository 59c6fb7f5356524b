//! What happens too often to be written one by one: refusals and sign-ins, held in memory until a
//! node's worker writes them together.
//!
//! Noting costs a look into a table in memory. What repeats within a minute is one entry that counts;
//! the first time is written at once, the others when the minute is over. The table is bounded: what
//! finds no room is counted, and the count is written.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::base::id::{AccountId, ApiKeyId, AppId, UserId};

/// What entries about signing in are about; the target is the user.
pub const SIGN_IN: &str = "sign-in";
/// What entries about apps that sign in for themselves are about; the target is the app.
pub const APP_SIGN_IN: &str = "app-sign-in";
/// What refusals of the gate are about; the target is the scope that was needed.
pub const GATE: &str = "gate";

/// Most refusals that are held.
const REFUSED_MAX: usize = 8_192;
/// Most that are held of anything: successes find room when refusals do not.
const HELD_MAX: usize = 32_768;
/// How long what repeats is only counted.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// What was seen, and how often it was so.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: Event,
    /// When first.
    pub at: DateTime<Utc>,
    /// How often.
    pub times: i64,
}

/// What makes two events one that happened twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Same {
    user: Option<UserId>,
    app: Option<AppId>,
    key: Option<ApiKeyId>,
    /// Of successes only: whoever is refused chooses among many addresses.
    ip: Option<IpAddr>,
    account: Option<AccountId>,
    action: Action,
    kind: &'static str,
    target: String,
    outcome: Outcome,
}

struct Slot {
    seen: Seen,
    written_at: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<Same, Slot>,
    dropped: i64,
}

/// What was seen and is not written yet. Cheap to clone.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trail")
    }
}

impl Same {
    fn of(actor: &Actor, event: &Event) -> Self {
        Self {
            user: actor.user.clone(),
            app: actor.app.clone(),
            key: actor.key.clone(),
            ip: actor.ip.filter(|_| event.outcome == Outcome::Success),
            account: event.account.clone(),
            action: event.action,
            kind: event.kind,
            target: event.target.clone(),
            outcome: event.outcome,
        }
    }
}

impl Trail {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something happened.
    pub fn note(&self, actor: Actor, event: Event, now: DateTime<Utc>) {
        self.add(Seen { actor: actor.caused(), event, at: now, times: 1 });
    }

    /// Notes that somebody signed in, or out, or tried to.
    pub fn note_sign_in(&self, actor: Actor, user: &UserId, outcome: Outcome, now: DateTime<Utc>) {
        let event = Event::new(Action::Execute, SIGN_IN, user.as_str()).outcome(outcome);
        self.note(actor, event, now);
    }

    fn add(&self, seen: Seen) {
        let key = Same::of(&seen.actor, &seen.event);
        let mut inner = self.inner();
        let most = if seen.event.outcome == Outcome::Success { HELD_MAX } else { REFUSED_MAX };
        let is_full = inner.slots.len() >= most;
        if let Some(slot) = inner.slots.get_mut(&key) {
            if slot.seen.times == 0 {
                slot.seen = seen;
            } else {
                slot.seen.times = slot.seen.times.saturating_add(seen.times);
            }
        } else if is_full {
            inner.dropped = inner.dropped.saturating_add(seen.times);
        } else {
            inner.slots.insert(key, Slot { seen, written_at: None });
        }
    }

    /// Takes what is due: what has not been seen lately, and counts whose minute is over. `all` takes
    /// the others, too: the process ends.
    pub fn take(&self, now: DateTime<Utc>, all: bool) -> Vec<Seen> {
        let mut taken = Vec::new();
        let mut inner = self.inner();
        inner.slots.retain(|_, slot| {
            let is_over = slot.written_at.is_none_or(|at| now - at >= WINDOW);
            if slot.seen.times == 0 {
                return !is_over;
            }
            if is_over || all {
                taken.push(slot.seen.clone());
                slot.seen.times = 0;
                slot.written_at = Some(now);
            }
            true
        });
        if inner.dropped > 0 {
            let event = Event::new(Action::Execute, "audit", "dropped")
                .outcome(Outcome::Failed("no_room"))
                .after(json!({ "dropped": inner.dropped }));
            taken.push(Seen { actor: Actor::operator(), event, at: now, times: inner.dropped });
            inner.dropped = 0;
        }
        taken
    }

    /// Gives back what was taken and could not be written.
    pub fn put_back(&self, seen: Vec<Seen>) {
        for seen in seen {
            if let Some(slot) = self.inner().slots.get_mut(&Same::of(&seen.actor, &seen.event)) {
                slot.written_at = None;
            }
            self.add(seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_micros;

    fn at(seconds: i64) -> DateTime<Utc> {
        from_micros(seconds * 1_000_000)
    }

    fn refuse(trail: &Trail, target: &str, seconds: i64) {
        let event = Event::new(Action::Execute, GATE, target);
        let event = event.outcome(Outcome::Refused("insufficient_scope"));
        trail.note(Actor::default(), event, at(seconds));
    }

    fn taken(trail: &Trail, seconds: i64, all: bool) -> Vec<(String, i64)> {
        let mut seen: Vec<_> = trail
            .take(at(seconds), all)
            .into_iter()
            .map(|seen| (seen.event.target, seen.times))
            .collect();
        seen.sort();
        seen
    }

    fn counted(target: &str, times: i64) -> (String, i64) {
        (target.to_owned(), times)
    }

    #[test]
    fn what_repeats_is_written_at_once_and_counted_then() {
        let trail = Trail::default();
        refuse(&trail, "a", 0);
        refuse(&trail, "a", 0);
        refuse(&trail, "b", 0);

        assert_eq!(taken(&trail, 1, false), [counted("a", 2), counted("b", 1)]);
        for second in 2..40 {
            refuse(&trail, "a", second);
            assert_eq!(taken(&trail, second, false), []);
        }
        assert_eq!(taken(&trail, 61, false), [counted("a", 38)]);
        refuse(&trail, "a", 62);
        assert_eq!(taken(&trail, 62, true), [counted("a", 1)]);
        assert_eq!(taken(&trail, 200, false), []);
        assert!(trail.inner().slots.is_empty());
    }

    #[test]
    fn case_75_strangers_find_an_end_and_are_counted() {
        let trail = Trail::default();
        for n in 0..REFUSED_MAX + 10 {
            refuse(&trail, &n.to_string(), 0);
        }
        let user = "u".parse().unwrap();
        trail.note_sign_in(Actor::user(&user), &user, Outcome::Success, at(0));

        let seen = taken(&trail, 1, false);

        assert_eq!(seen.len(), REFUSED_MAX + 2);
        assert!(seen.contains(&counted("dropped", 10)) && seen.contains(&counted("u", 1)));
        assert_eq!(taken(&trail, 2, false), []);
    }

    #[test]
    fn what_could_not_be_written_is_not_lost() {
        let trail = Trail::default();
        refuse(&trail, "a", 0);
        let seen = trail.take(at(1), false);
        refuse(&trail, "a", 2);
        trail.put_back(seen);

        assert_eq!(taken(&trail, 3, false), [counted("a", 2)]);
    }
}
