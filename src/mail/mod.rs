//! Letters to people, by mail.
//!
//! [`service::post`] puts a letter into the queue in the transaction of the act that it tells of,
//! sealed, because it may hold a link that is as good as a password. The worker delivers it:
//! through SMTP, or into a folder. A letter says what happened; its texts are in
//! `templates/words/`, and one file, `templates/mail/letter.html`, is what all of them look like.
//! It stands here and not among the pages, because whoever delivers letters knows no HTTP, and a
//! letter goes by other rules than a page: styles inside, nothing loaded from anywhere.
//!
//! ```text
//! post: Letter ──seal──▶ queue ──▶ worker ──▶ open ──▶ message (texts, MIME) ──▶ transport
//! ```

mod directory;
mod message;
pub mod model;
mod page;
pub mod read;
mod sealed;
pub mod service;
mod smtp;
#[cfg(test)]
mod tests;
