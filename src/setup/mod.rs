//! Configuration as code: a file declares accounts, users, groups, members, policies, projects and
//! apps, and `narthex apply` makes the server agree with it.
//!
//! ```text
//! text ──tree──▶ Node ──read──▶ Declaration ──check──▶ ──apply──▶ Difference
//! ```
//!
//! All faults are found before anything is written. Applying the same file again changes nothing.
//! What the file does not name is left alone.

pub mod accounts;
pub mod apis;
mod app_step;
pub mod apps;
mod check;
pub mod declaration;
pub mod demo;
pub mod difference;
pub mod fault;
mod perform;
mod plan;
mod problem;
mod provider_step;
pub mod providers;
pub mod read;
mod saml_settings;
pub mod secret;
pub mod service;
pub mod tree;
pub mod users;
