//! Counting, in memory: a look into a table behind one of several locks.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::id::UserId;
use crate::usage::model::{Batch, Count, Day, Whose};

/// How many locks: requests of different accounts rarely wait for each other.
const SHARDS: usize = 16;
/// Most users that are remembered as written, in one shard; they are written again else, to no harm.
const KNOWN_MAX: usize = 20_000;

#[derive(Default)]
struct Shard {
    lines: HashMap<Whose, Line>,
    /// How many users the lines know.
    known: usize,
    day: Option<Day>,
}

/// What one app does in one account on one day.
#[derive(Default)]
struct Line {
    /// Since the last time it was taken.
    count: Count,
    /// Users seen since then, for the first time that day.
    new: Vec<UserId>,
    known: HashSet<UserId>,
}

impl Line {
    fn is_taken(&self) -> bool {
        self.count == Count::default() && self.new.is_empty()
    }

    fn add(&mut self, count: Count) {
        self.count.calls = self.count.calls.saturating_add(count.calls);
        self.count.micros = self.count.micros.saturating_add(count.micros);
    }
}

impl Shard {
    /// Forgets who was seen; what was not taken stays.
    fn forget(&mut self) {
        self.known = 0;
        self.lines.retain(|_, line| {
            line.known.clear();
            !line.is_taken()
        });
    }

    fn line(&mut self, whose: Whose) -> &mut Line {
        match self.lines.entry(whose) {
            Entry::Occupied(line) => line.into_mut(),
            Entry::Vacant(place) => place.insert(Line::default()),
        }
    }
}

/// The counters of this process. Cheap to clone.
#[derive(Clone)]
pub struct Counters(Arc<[Mutex<Shard>; SHARDS]>);

impl Default for Counters {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counters")
    }
}

fn held(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counters {
    #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
    fn shard(&self, whose: &Whose) -> MutexGuard<'_, Shard> {
        let mut hasher = DefaultHasher::new();
        whose.account.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default();
        held(&self.0[at])
    }

    /// Counts a call that took so many microseconds, and the user, if there is one.
    pub fn count(&self, whose: Whose, user: Option<&UserId>, micros: i64) {
        let mut shard = self.shard(&whose);
        if shard.day != Some(whose.day) || shard.known >= KNOWN_MAX {
            shard.forget();
            shard.day = Some(whose.day);
        }
        let line = shard.line(whose);
        line.add(Count { calls: 1, micros });
        if let Some(user) = user.filter(|user| !line.known.contains(*user)) {
            line.known.insert(user.clone());
            line.new.push(user.clone());
            shard.known += 1;
        }
    }

    /// Takes what was counted.
    pub fn take(&self) -> Batch {
        let mut batch = Batch::default();
        for shard in self.0.iter() {
            let mut shard = held(shard);
            for (whose, line) in shard.lines.iter_mut().filter(|(_, line)| !line.is_taken()) {
                batch.calls.push((whose.clone(), std::mem::take(&mut line.count)));
                let users = line.new.drain(..);
                batch.users.extend(users.map(|user| (whose.clone(), user)));
            }
        }
        batch
    }

    /// Gives back what was taken and could not be written.
    pub fn put_back(&self, batch: Batch) {
        for (whose, count) in batch.calls {
            self.shard(&whose).line(whose).add(count);
        }
        for (whose, user) in batch.users {
            self.shard(&whose).line(whose).new.push(user);
        }
    }
}
