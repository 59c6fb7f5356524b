//! APIs of others: their scopes and routes, registered like those of the built-in one.
//!
//! An API is what a proxy protects with our gate. The proxy names the API and says what was asked
//! of it; which of the API's routes that is, is decided here, on paths that have one form only.

pub mod check;
pub mod model;
pub mod path;
pub mod service;
mod store;
