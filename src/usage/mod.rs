//! What accounts use: requests, time, active users, storage, by day and by app.
//!
//! Counted in memory and added to the database by each node's worker every few seconds, in one unit
//! of work: what was counted is in it once, or still in memory. A crash loses what was counted since.

pub mod counters;
pub mod model;
pub mod service;
mod store;
#[cfg(test)]
mod tests;
