//! How users and sign-ins are refused.

use crate::base::text::BadText;
use crate::db::error::DbError;
use crate::users::chosen::{BadList, Weakness};

/// Why a user or a credential is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Nobody has this id.
    #[error("there is no such user")]
    Unknown,
    /// The id is taken.
    #[error("there is a user with this id already")]
    DuplicateId,
    /// Somebody has this name, perhaps in other letters.
    #[error("there is a user with this name already")]
    DuplicateUsername,
    /// Somebody signs in with this address.
    #[error("there is a user who signs in with this e-mail address already")]
    DuplicateEmail,
    /// A field breaks a rule of text.
    #[error("{field} {rule}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The rule.
        rule: BadText,
    },
    /// A field of the profile breaks a rule of its own.
    #[error("profile.{field} {rule}")]
    BadProfile {
        /// The field.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// The name holds white space or characters that cannot be seen.
    #[error("username must not contain white space or invisible characters")]
    UsernameCharacters,
    /// The attributes take more room than they may.
    #[error("attributes must take at most {0} bytes as JSON")]
    AttributesTooLong(usize),
    /// The password is too short.
    #[error("a password must have at least {0} characters")]
    PasswordTooShort(usize),
    /// The password is too long.
    #[error("a password must have at most {0} bytes")]
    PasswordTooLong(usize),
    /// The hash is not one that can be checked here.
    #[error("not a password hash that can be used: {0}")]
    Phc(&'static str),
    /// The list of common passwords cannot be read.
    #[error(transparent)]
    List(#[from] BadList),
    /// The TOTP secret is not one.
    #[error("not a TOTP secret: {0}")]
    TotpSecret(&'static str),
    /// Too many passwords are being hashed.
    #[error("too many passwords are being checked; try again in {retry_after_seconds} s")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Our fault.
    #[error("the user could not be stored")]
    Internal(#[from] DbError),
}

/// Why a password that somebody chose is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// It is too weak.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// Too many passwords are being hashed.
    #[error("too many passwords are being checked; try again in {retry_after_seconds} s")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Our fault.
    #[error("the password could not be stored")]
    Internal(#[from] DbError),
}

/// Why a sign-in does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown user, disabled user, wrong password, wrong code: one answer for all of them.
    #[error("the credentials are wrong")]
    Wrong,
    /// Too many wrong guesses: nothing was checked.
    #[error("too many attempts")]
    Throttled {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Too many sign-ins at once: nothing was checked.
    #[error("too many sign-ins at once")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// Our fault.
    #[error("the sign-in failed")]
    Internal(#[from] DbError),
}

/// Why a second factor is not added, changed or taken away.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The code is wrong, or the key's answer is.
    #[error("what was shown is wrong")]
    Wrong,
    /// It took too long, was done before, or was begun by somebody else.
    #[error("this is over")]
    Over,
    /// Somebody who has a second factor has to show it first.
    #[error("there is a second factor already")]
    HasOne,
    /// The last one, where one is required.
    #[error("the last second factor must stay")]
    Last,
    /// The key is somebody's already.
    #[error("the key was added before")]
    Taken,
    /// More keys than anybody needs.
    #[error("too many keys")]
    TooMany,
    /// The name of a key breaks a rule.
    #[error("the name {0}")]
    Name(BadText),
    /// No such factor, or not theirs.
    #[error("there is no such factor")]
    Unknown,
    /// Browsers take no passkeys at this address.
    #[error("there are no passkeys here")]
    Unavailable,
    /// Our fault.
    #[error("the factor could not be stored")]
    Internal(#[from] DbError),
}
