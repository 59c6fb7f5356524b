//! Registered apps: what OAuth calls clients.

pub mod belongings;
pub mod blocks;
pub mod changes;
pub mod check;
pub mod claims;
pub mod declare;
pub mod edit;
pub mod error;
pub mod manage;
pub mod metadata;
pub mod model;
pub mod narrowing;
pub mod new_app;
pub mod picture;
pub mod profile;
pub mod redirect;
pub mod registration;
pub mod reviews;
pub mod secrets;
pub mod service;
mod store;
mod store_blocks;
mod store_logos;
mod store_manage;
mod store_registrations;
mod store_reviews;
#[cfg(test)]
mod tests;
mod told;
pub mod url;
pub mod verdicts;
