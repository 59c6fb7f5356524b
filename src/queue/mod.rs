//! What has to be delivered to others, whatever happens: an outbox of jobs.
//!
//! [`service::push`] writes a job in the transaction of the act that causes it, so that there is
//! never one without the other. A node takes jobs under a lease; when it dies, the lease ends and
//! another node takes them: a delivery may happen twice, but is never lost. It does not know what
//! the jobs say; the layers above deliver them by kind.

pub mod model;
pub mod service;
mod store;
#[cfg(test)]
mod tests;
