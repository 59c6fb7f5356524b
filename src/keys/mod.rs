//! The vault that seals what lies at rest, the signing keys, JOSE.
//!
//! Private keys are parsed once and held; jsonwebtoken signs and verifies through a provider of
//! our own, which finds them by a handle. The crate `rsa` makes RSA keys and does nothing else.

pub mod algorithm;
pub mod error;
pub mod foreign;
pub mod given;
pub mod jwe;
pub mod pair;
mod provider;
pub mod published;
pub mod ring;
pub mod service;
mod store;
pub mod vault;
