//! Who did what, and what came of it: a record to which is only ever added.
//!
//! [`service::record`] writes an entry in the transaction of the act that it tells of, so that there
//! is never one without the other. The entries of an account are a chain: the digest of each covers
//! the one before, and a row of its own holds the last. What strangers may cause as often as they
//! like goes through [`trail`], which is bounded. It does not know what the kinds of things
//! mean that entries are about.

mod chain;
pub mod fhir;
pub mod model;
pub mod service;
mod store;
#[cfg(test)]
mod tests;
pub mod trail;
pub mod verify;
