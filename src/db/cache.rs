//! A bounded cache of rows, which forgets when their topic changes.

use std::hash::Hash;

use crate::db::changes::{Changes, Topic};

/// Holds what was read, until something of the same topics changes.
#[derive(Clone)]
pub struct Cache<K, V> {
    entries: moka::sync::Cache<K, ([u64; 2], V)>,
    changes: Changes,
    topics: [Topic; 2],
}

/// A state of a cache's topics, see [`Cache::stamp`].
#[derive(Clone, Copy, Debug)]
pub struct Stamp([u64; 2]);

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl<K, V> Cache<K, V>
where
    K: Eq + Hash + Send + Sync + Clone + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of at most `entries_max` values, which depend on `topic` alone.
    pub fn new(changes: &Changes, topic: Topic, entries_max: u64) -> Self {
        Self::of_two(changes, [topic, topic], entries_max)
    }

    /// A cache of values that depend on two topics.
    pub fn of_two(changes: &Changes, topics: [Topic; 2], entries_max: u64) -> Self {
        Self { entries: moka::sync::Cache::new(entries_max), changes: changes.clone(), topics }
    }

    fn epochs(&self) -> [u64; 2] {
        self.topics.map(|topic| self.changes.epoch(topic))
    }

    /// The value for `key`, if it is held and nothing has changed since.
    pub fn get(&self, key: &K) -> Option<V> {
        let (epochs, value) = self.entries.get(key)?;
        (epochs == self.epochs()).then_some(value)
    }

    /// The value for `key`, from `load` if it is not held. Room for `load` is made only then.
    ///
    /// # Errors
    /// What `load` answers.
    pub async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl AsyncFnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        // Read before the load: a change during it makes the entry stale at once.
        let epochs = self.epochs();
        let value = Box::pin(load()).await?;
        // Several may load at once, and what they saw may differ by a change that this process has
        // not heard of. The first to come back is right for all of them until it has: so nobody is
        // answered by the old row after somebody was answered by the new one.
        let entry = self.entries.entry_by_ref(key);
        let is_older = |(held, _): &([u64; 2], V)| *held < epochs;
        let (held, first) =
            entry.or_insert_with_if(|| (epochs, value.clone()), is_older).into_value();
        let is_current = held.iter().zip(&epochs).all(|(held, own)| held >= own);
        Ok(if is_current { first } else { value })
    }

    /// Holds `value`, which is known to be current.
    pub fn insert(&self, key: K, value: V) {
        self.entries.insert(key, (self.epochs(), value));
    }

    /// The state of the topics now: taken before a write whose result is to be held after it.
    pub fn stamp(&self) -> Stamp {
        Stamp(self.epochs())
    }

    /// Holds `value`, which was current when `stamp` was taken: a change since then, of which
    /// `value` may not know, makes it stale at once.
    pub fn insert_as_of(&self, stamp: Stamp, key: K, value: V) {
        self.entries.insert(key, (stamp.0, value));
    }

    /// Forgets `key`.
    pub fn forget(&self, key: &K) {
        self.entries.invalidate(key);
    }
}
