//! Tenants: accounts, the groups in them, and who is in which.

mod declare;
pub mod joining;
pub mod leaving;
pub mod model;
pub mod service;
mod store;

#[cfg(test)]
mod tests;
