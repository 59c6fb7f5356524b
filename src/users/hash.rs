//! Hashes of passwords as they are stored: our own, and, until their owner signs in, those of other
//! systems.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordVerifier as _, Version};

use crate::users::error::UserError;
use crate::users::foreign_hash::ForeignHash;

/// Most memory that an imported hash may ask for: 1 GiB.
const MEMORY_KIB_MAX: u32 = 1_048_576;
/// Most passes that an imported hash may ask for.
const PASSES_MAX: u32 = 64;
/// Most memory times passes: some seconds of work.
const WORK_KIB_MAX: u64 = 4 * 1_048_576;
/// Longest text of a hash, in bytes.
const TEXT_BYTES_MAX: usize = 512;

/// A stored hash that this program can check.
///
/// Until its owner signs in, an imported hash takes its own time to check, which may tell that
/// there is such a user; the first sign-in replaces a foreign or cheaper one by our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHash(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Argon2(Box<PasswordHash>),
    Foreign(ForeignHash),
}

impl StoredHash {
    /// Parses a hash: argon2i, argon2d or argon2id, scrypt and PBKDF2 as PHC strings, PBKDF2 as
    /// passlib and Django write it, bcrypt; with a salt and a hash, of bounded cost.
    ///
    /// # Errors
    /// [`UserError::Phc`] with the reason.
    pub fn parse(text: &str) -> Result<Self, UserError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(UserError::Phc("it is too long"));
        }
        match ForeignHash::parse(text) {
            Some(foreign) => Ok(Self(Form::Foreign(foreign?))),
            None => argon2(text).map(|hash| Self(Form::Argon2(Box::new(hash)))),
        }
    }

    /// Whether another system made it.
    pub(in crate::users) fn is_foreign(&self) -> bool {
        matches!(self.0, Form::Foreign(_))
    }

    /// Whether it is the hash of `password`.
    pub(in crate::users) fn is_of(&self, argon2: &Argon2<'_>, password: &str) -> bool {
        match &self.0 {
            Form::Argon2(hash) => argon2.verify_password(password.as_bytes(), &**hash).is_ok(),
            Form::Foreign(hash) => hash.is_of(password.as_bytes()),
        }
    }

    /// Whether it costs a guesser less than `params` would, or is not our own.
    pub(in crate::users) fn is_weaker_than(&self, params: &Params) -> bool {
        let Form::Argon2(hash) = &self.0 else { return true };
        let Ok(own) = Params::try_from(&**hash) else { return true };
        hash.algorithm.as_str() != Algorithm::Argon2id.as_str()
            || hash.version != Some(Version::V0x13.into())
            || own.m_cost() < params.m_cost()
            || own.t_cost() < params.t_cost()
    }
}

fn argon2(text: &str) -> Result<PasswordHash, UserError> {
    let hash = PasswordHash::new(text).map_err(|_| {
        UserError::Phc(
            "argon2, scrypt and PBKDF2 as PHC strings, Django's PBKDF2 and bcrypt are known",
        )
    })?;
    if Algorithm::try_from(hash.algorithm.as_str()).is_err() {
        return Err(UserError::Phc("only argon2, scrypt, PBKDF2 and bcrypt are accepted"));
    }
    let params = Params::try_from(&hash)
        .map_err(|_| UserError::Phc("its argon2 parameters are not valid"))?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX || work > WORK_KIB_MAX {
        return Err(UserError::Phc("its argon2 parameters cost too much"));
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(UserError::Phc("salt or hash is missing"));
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_of_bounded_cost_are_imported() {
        let rest = "$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
        for good in [
            format!("$argon2id$v=19$m=64,t=1,p=1{rest}"),
            format!("$argon2i$v=19$m=64,t=1,p=1{rest}"),
            format!("$argon2d$v=19$m=1048576,t=4,p=1{rest}"),
            format!("$scrypt$ln=14,r=8,p=1{rest}"),
            "$2b$12$abcdefghijklmnopqrstuuKZJ0cbmQ0kjzEG1c2DWOrXmhbNnLGia".to_owned(),
        ] {
            assert!(StoredHash::parse(&good).is_ok(), "{good:?}");
        }
        for bad in [
            format!("$argon2id$v=19$m=4294967295,t=1,p=1{rest}"),
            format!("$argon2id$v=19$m=64,t=4294967295,p=1{rest}"),
            format!("$argon2id$v=19$m=1048576,t=64,p=1{rest}"),
            format!("$argon2id$v=19$m=1,t=1,p=1{rest}"),
            "$argon2id$v=19$m=64,t=1,p=1".to_owned(),
            format!("$md5$x{rest}"),
            "x".repeat(TEXT_BYTES_MAX + 1),
            String::new(),
            "\0".to_owned(),
        ] {
            assert!(matches!(StoredHash::parse(&bad), Err(UserError::Phc(_))), "{bad:?}");
        }
    }
}
