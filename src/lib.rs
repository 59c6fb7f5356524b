//! Narthex: a standalone OAuth 2.0 and OpenID Connect identity provider.
#![doc = include_str!("ARCHITECTURE.md")]
// An optimizing build lays out each future with all that it waits for, and the gate waits deeply.
#![recursion_limit = "256"]

pub mod accounts;
pub mod apis;
pub mod apps;
pub mod audit;
pub mod base;
pub mod cli;
pub mod config;
pub mod db;
pub mod decisions;
pub mod gate;
pub mod http;
pub mod keys;
pub mod mail;
pub mod oauth;
pub mod once;
pub mod outbound;
pub mod places;
pub mod policy;
pub mod programs;
pub mod projects;
pub mod queue;
pub mod resource;
pub mod server;
pub mod setup;
pub mod tls;
pub mod upstream;
pub mod usage;
pub mod users;
pub mod words;
pub mod worker;
