//! How keys fail.

use crate::db::error::DbError;

/// Why keys cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Storage failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A key does not open with the configured encryption key.
    #[error("a signing key does not open: is this the encryption key of this database?")]
    Sealed,
    /// A key could not be made or parsed.
    #[error("a signing key is unusable: {0}")]
    Unusable(&'static str),
    /// The library refused to sign.
    #[error("signing failed: {0}")]
    Sign(String),
}

/// Why a token is refused, for our log; whoever sent it hears only that it is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TokenFault(pub &'static str);
