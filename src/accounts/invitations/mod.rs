//! Invitations: into a group of an account, or into the group Subjects as a Patient of a project.
//! Whoever receives mail at the address says yes or no, once, within 30 days; who is no user yet
//! becomes one by it.

pub mod answer;
pub mod model;
pub mod service;
pub(in crate::accounts) mod store;
