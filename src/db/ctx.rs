//! What every service needs: the database, the time, randomness.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::base::mac::MacKey;
use crate::db::Db;

/// The surroundings of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Storage.
    pub db: Db,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What authenticates the record, by a key that is not in the database.
    pub seal: Option<MacKey>,
}

impl Ctx {
    /// The current instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Randomness, as an argument for pure functions.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }
}
