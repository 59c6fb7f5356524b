//! What is good once: secrets that are given out to be brought back, and names that were seen.
//!
//! One table for all of them, pushed requests and links in mails alike. A kind is never redeemed as
//! another, of many who race one wins, and of the secret only its digest is kept.

pub mod model;
pub mod service;
mod store;
