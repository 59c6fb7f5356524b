//! Providers of others: where people sign in elsewhere, whom they send, and whose that is.
//!
//! ```text
//! OpenID Connect ─┐
//!                 ├─▶ Arrival ──▶ a user we know · somebody new · perhaps a user, who is asked
//! SAML 2.0 ───────┘
//! ```
//!
//! What a provider says is checked by one file for each protocol, and is an `arrival` after that,
//! whatever it came by. It does not know apps, pages or cookies.

pub mod arrival;
mod client_auth;
mod declare;
mod discovery;
pub mod error;
mod id_token;
pub mod journey;
pub mod model;
pub mod oidc;
pub mod providers;
pub mod saml;
pub mod service;
pub mod settings;
pub mod settle;
mod store;
