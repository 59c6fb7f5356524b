//! Counting, in memory: a look into a table behind one of several locks.

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
    calls: HashMap<Whose, Count>,
    new: Vec<(Whose, UserId)>,
    known: HashSet<(Whose, UserId)>,
    day: Option<Day>,
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

    /// Counts a call that took so many microseconds.
    pub fn count(&self, whose: Whose, user: &UserId, micros: i64) {
        let mut shard = self.shard(&whose);
        if shard.day != Some(whose.day) {
            shard.known.clear();
            shard.day = Some(whose.day);
        }
        let seen = (whose, user.clone());
        if !shard.known.contains(&seen) {
            if shard.known.len() >= KNOWN_MAX {
                shard.known.clear();
            }
            shard.known.insert(seen.clone());
            shard.new.push(seen.clone());
        }
        let count = shard.calls.entry(seen.0).or_default();
        count.calls = count.calls.saturating_add(1);
        count.micros = count.micros.saturating_add(micros);
    }

    /// Takes what was counted.
    pub fn take(&self) -> Batch {
        let mut batch = Batch::default();
        for shard in self.0.iter() {
            let mut shard = held(shard);
            batch.calls.extend(shard.calls.drain());
            batch.users.append(&mut shard.new);
        }
        batch
    }

    /// Gives back what was taken and could not be written.
    pub fn put_back(&self, batch: Batch) {
        for (whose, count) in batch.calls {
            let mut shard = self.shard(&whose);
            let sum = shard.calls.entry(whose).or_default();
            sum.calls = sum.calls.saturating_add(count.calls);
            sum.micros = sum.micros.saturating_add(count.micros);
        }
        for (whose, user) in batch.users {
            self.shard(&whose).new.push((whose.clone(), user));
        }
    }
}
