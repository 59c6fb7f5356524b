//! The vocabulary of the product: ids, time, secrets, text. No I/O.

pub mod clock;
pub mod document;
pub mod entropy;
pub mod id;
pub mod mac;
pub mod method;
pub mod scope;
pub mod secret;
pub mod text;
