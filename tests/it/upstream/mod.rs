//! Signing in at providers of others.

mod binding;
mod hostile;
mod idp;
mod linking;
mod oidc;
pub mod op;
mod peers;
mod saml;
mod tenants;
