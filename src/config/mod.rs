//! Configuration: one immutable value, made once, before anything starts.
//!
//! A TOML file, `NARTHEX_*` variables and flags are merged in that order, each over the one
//! before. [`table`] names every key once: the file, the variables, the help and `config show` all
//! come from it. Whatever is wrong stops the start, with the key's name, and all of it at once.
//!
//! ```text
//! load (files, environment) ──▶ gather (pure: what was said, by whom) ──▶ build (pure: Config)
//! ```

pub mod accounts;
pub mod build;
pub mod fault;
pub mod gather;
pub mod key_file;
pub mod load;
pub mod mail;
pub mod model;
pub mod nearest;
pub mod registration;
pub mod show;
pub mod sign_up;
pub mod step_up;
pub mod table;
pub mod tls;
