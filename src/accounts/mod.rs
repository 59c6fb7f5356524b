//! Tenants: accounts, the groups in them, and who is in which.

mod act;
pub mod attributes;
mod declare;
pub mod defaults;
pub mod deletion;
pub mod going;
pub mod groups;
pub mod invitations;
pub mod joining;
pub mod leaving;
pub mod model;
pub mod owner;
pub mod patients;
pub mod service;
mod store;
mod store_accounts;
mod store_members;
mod store_patients;
pub mod tenancy;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_rows;
