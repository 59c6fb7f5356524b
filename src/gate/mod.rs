//! The gate in front of the resource API: token, scope, account, app, membership, policy.
//!
//! The policy enforcement point of NIST SP 800-162. It knows nothing of HTTP beyond the words of
//! the request; `http/api` brings them and turns a [`refusal::Refusal`] into an answer.

pub mod checks;
pub mod explain;
mod facts;
mod metadata;
pub mod outside;
mod programs;
pub mod questions;
pub mod refusal;
pub mod routes;
pub mod service;
