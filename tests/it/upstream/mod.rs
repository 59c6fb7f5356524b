//! Signing in at providers of others.

mod binding;
mod hostile;
mod linking;
mod oidc;
mod op;
mod tenants;
