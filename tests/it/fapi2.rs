//! FAPI 2.0 Security Profile and Message Signing, one test for each module of the official plans.

mod clients;
mod codes;
mod messages;
mod proofs;
mod requests;
