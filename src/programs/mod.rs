//! What acts without a person at a browser: API keys, service accounts, and apps that act by
//! themselves for one.
//!
//! A key acts for its user in one account. A service account is a user who cannot sign in, owned by
//! one account: its administrators make keys for it, or bind an app of the account to it, whose
//! `client_credentials` tokens act for it then. It does not know the gate, which asks it.

pub mod keys;
pub mod model;
pub mod service;
pub mod service_accounts;
mod store;
mod store_accounts;
mod token;
