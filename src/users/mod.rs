//! People: who they are, how they prove it, and where they are signed in.
//!
//! Passwords are argon2id in a bounded pool, codes are TOTP, guesses are throttled so that nobody
//! can lock somebody else out, sessions are rows under the digest of the cookie's id. It does not
//! know accounts, apps, cookies or pages.

mod alarm;
pub mod arriving;
pub mod choose;
pub mod chosen;
pub mod deletion;
pub mod device;
pub mod ending;
pub mod error;
mod factor_letters;
pub mod factors;
mod foreign_hash;
pub mod guard;
pub mod hash;
pub mod login;
pub mod mailed;
pub mod model;
pub mod own_profile;
pub mod own_sessions;
pub mod passkeys;
pub mod passkeys_use;
pub mod password;
mod pool;
pub mod profile;
pub mod recovery;
mod sealed;
pub mod service;
pub mod sessions;
pub mod sign_in;
mod store;
mod store_deletion;
mod store_factors;
mod store_names;
mod store_passwords;
mod store_places;
mod store_profile;
mod store_sessions;
mod store_throttle;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_throttle;
mod throttle;
mod told;
pub mod totp;
pub mod username;
