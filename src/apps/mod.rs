//! Registered apps: what OAuth calls clients.

pub mod changes;
pub mod check;
pub mod claims;
pub mod declare;
pub mod error;
pub mod metadata;
pub mod model;
pub mod narrowing;
pub mod new_app;
pub mod picture;
pub mod profile;
pub mod redirect;
pub mod registration;
pub mod secrets;
pub mod service;
mod store;
mod store_registrations;
#[cfg(test)]
mod tests;
pub mod url;
