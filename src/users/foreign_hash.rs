//! Password hashes that other systems made: checked until their owner signs in, when our own takes
//! their place.
//!
//! What a file says decides how much work a check is, so each scheme has bounds: the dearest hash
//! that is taken costs a core a few seconds, and runs in the bounded pool like all others.

use std::num::NonZeroU32;
use std::str::FromStr as _;

use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq as _;

use crate::users::error::UserError;

/// Highest cost of bcrypt: two to the power of it are its rounds.
const BCRYPT_COST_MAX: u32 = 15;
/// Most rounds of PBKDF2; Django asks for about a million.
const PBKDF2_ROUNDS_MAX: u32 = 4_000_000;
/// Most memory of scrypt, in bytes: twice what OWASP recommends.
const SCRYPT_BYTES_MAX: u64 = 256 * 1_024 * 1_024;
/// Most work of scrypt: N times r times p; four times what OWASP recommends.
const SCRYPT_WORK_MAX: u64 = 1 << 22;
/// Longest salt, in bytes.
const SALT_BYTES_MAX: usize = 128;
/// Shortest and longest hash, in bytes: SHA-1's and SHA-512's.
const HASH_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Some write the padding of base64, some do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash that another system made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::users) enum ForeignHash {
    /// `$2b$12$…`, also `$2a$` and `$2y$`.
    Bcrypt(String),
    /// `$pbkdf2-sha256$i=…$…$…`, passlib's `$pbkdf2-sha256$29000$…$…`, Django's
    /// `pbkdf2_sha256$870000$…$…`. Source: RFC 8018 section 5.2.
    Pbkdf2 { digest: Sha, rounds: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
    /// `$scrypt$ln=17,r=8,p=1$…$…`. Source: RFC 7914.
    Scrypt { log_n: u8, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8> },
}

/// What PBKDF2 is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum Sha {
    Sha1,
    Sha256,
    Sha512,
}

impl Sha {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

const COSTS_TOO_MUCH: UserError = UserError::Phc("its parameters cost too much");
const MALFORMED: UserError = UserError::Phc("it is cut off or malformed");

impl ForeignHash {
    /// The hash, if the text looks like one of these schemes.
    ///
    /// # Errors
    /// [`UserError::Phc`] if it is malformed, or costs too much to check.
    pub(in crate::users) fn parse(text: &str) -> Option<Result<Self, UserError>> {
        let parts: Vec<&str> = text.split('$').collect();
        match *parts.as_slice() {
            ["", "2a" | "2b" | "2y", _, _] => Some(bcrypt(text)),
            ["", "scrypt", params, salt, hash] => Some(scrypt(params, salt, hash)),
            ["", scheme, rounds, salt, hash] => {
                let digest = scheme.strip_prefix("pbkdf2").map(|rest| match rest {
                    "" => Some(Sha::Sha1),
                    rest => rest.strip_prefix('-').and_then(Sha::parse),
                })?;
                let Some(digest) = digest else { return Some(Err(MALFORMED)) };
                Some(decode(salt).and_then(|salt| pbkdf2_of(digest, rounds, salt, hash)))
            }
            [scheme, rounds, salt, hash] => {
                let digest = scheme.strip_prefix("pbkdf2_")?;
                let Some(digest) = Sha::parse(digest) else { return Some(Err(MALFORMED)) };
                Some(pbkdf2_of(digest, rounds, salt.as_bytes().to_vec(), hash))
            }
            _ => None,
        }
    }

    /// Whether it is the hash of `password`.
    pub(in crate::users) fn is_of(&self, password: &[u8]) -> bool {
        match self {
            // It repeats the password and the zero byte after it, so that a zero byte inside would
            // make two passwords one.
            Self::Bcrypt(text) => {
                !password.contains(&0) && ::bcrypt::verify(password, text).unwrap_or(false)
            }
            Self::Pbkdf2 { digest, rounds, salt, hash } => {
                pbkdf2::verify(digest.algorithm(), *rounds, salt, password, hash).is_ok()
            }
            Self::Scrypt { log_n, r, p, salt, hash } => {
                let mut made = vec![0; hash.len()];
                let done = ::scrypt::Params::new(*log_n, *r, *p).is_ok_and(|params| {
                    ::scrypt::scrypt(password, salt, &params, &mut made).is_ok()
                });
                done && made.ct_eq(hash).into()
            }
        }
    }
}

fn bcrypt(text: &str) -> Result<ForeignHash, UserError> {
    let parts = ::bcrypt::HashParts::from_str(text).map_err(|_| MALFORMED)?;
    match parts.get_cost() {
        0..=3 => Err(MALFORMED),
        4..=BCRYPT_COST_MAX => Ok(ForeignHash::Bcrypt(text.to_owned())),
        _ => Err(COSTS_TOO_MUCH),
    }
}

fn pbkdf2_of(
    digest: Sha,
    rounds: &str,
    salt: Vec<u8>,
    hash: &str,
) -> Result<ForeignHash, UserError> {
    let hash = decode(hash)?;
    let mut count = None;
    for part in rounds.split(',') {
        match part.split_once('=') {
            None | Some(("i", _)) if count.is_none() => {
                count = Some(part.trim_start_matches("i=").parse().map_err(|_| MALFORMED)?);
            }
            Some(("l", length)) if length.parse() == Ok(hash.len()) => {}
            _ => return Err(MALFORMED),
        }
    }
    let rounds: NonZeroU32 = count.ok_or(MALFORMED)?;
    if rounds.get() > PBKDF2_ROUNDS_MAX {
        return Err(COSTS_TOO_MUCH);
    }
    fits(&salt, &hash)?;
    Ok(ForeignHash::Pbkdf2 { digest, rounds, salt, hash })
}

fn scrypt(params: &str, salt: &str, hash: &str) -> Result<ForeignHash, UserError> {
    let (salt, hash) = (decode(salt)?, decode(hash)?);
    let (mut log_n, mut r, mut p) = (None, None, None);
    for part in params.split(',') {
        let (name, value) = part.split_once('=').ok_or(MALFORMED)?;
        let place = match name {
            "ln" => &mut log_n,
            "r" => &mut r,
            "p" => &mut p,
            _ => return Err(MALFORMED),
        };
        let value: u32 = value.parse().map_err(|_| MALFORMED)?;
        if place.replace(value).is_some() {
            return Err(MALFORMED);
        }
    }
    let (Some(log_n @ 1..), Some(r @ 1..), Some(p @ 1..)) = (log_n, r, p) else {
        return Err(MALFORMED);
    };
    let log_n = u8::try_from(log_n).ok().filter(|log_n| *log_n < 32).ok_or(COSTS_TOO_MUCH)?;
    let memory = (u64::from(r) << log_n).saturating_mul(128);
    let work = (u64::from(r) << log_n).saturating_mul(u64::from(p));
    let lanes = u64::from(r).saturating_mul(u64::from(p)).saturating_mul(128);
    if memory > SCRYPT_BYTES_MAX || lanes > SCRYPT_BYTES_MAX || work > SCRYPT_WORK_MAX {
        return Err(COSTS_TOO_MUCH);
    }
    fits(&salt, &hash)?;
    Ok(ForeignHash::Scrypt { log_n, r, p, salt, hash })
}

fn fits(salt: &[u8], hash: &[u8]) -> Result<(), UserError> {
    let fits = !salt.is_empty() && salt.len() <= SALT_BYTES_MAX && HASH_BYTES.contains(&hash.len());
    if fits { Ok(()) } else { Err(MALFORMED) }
}

/// base64, where passlib writes a full stop for the plus sign.
fn decode(text: &str) -> Result<Vec<u8>, UserError> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ForeignHash, String> {
        ForeignHash::parse(text).ok_or("no scheme")?.map_err(|error| error.to_string())
    }

    /// All but bcrypt's made by Python's hashlib; that one is a vector of its reference.
    #[test]
    fn hashes_of_other_systems_are_checked() {
        for text in [
            "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
            "$pbkdf2-sha512$i=1000$c2FsdHNhbHRzYWx0c2FsdA$EHLBej+uEvxlmr0QnHnceg1vM6h1wbwSP5XErh3SmizNDWZsIi28RPGARe0EssjGRoiACzxgHjNvqwJY1zxKig",
            "$pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0c2FsdA$BBs.1.PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
            "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=",
            "pbkdf2_sha1$1000$seasalt$iQvkNOF1wEL4Khh8eogJ8rUhipM=",
            "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI",
        ] {
            let hash = parse(text).unwrap();
            assert!(hash.is_of(b"correct horse"), "{text}");
            assert!(!hash.is_of(b"correct horsf") && !hash.is_of(b""), "{text}");
        }
        let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let hash = parse(bcrypt).unwrap();
        assert!(hash.is_of(b"U*U") && !hash.is_of(b"U*V"));
        assert!(!hash.is_of(b"U*U\0U*U"), "a zero byte makes no second password");
    }

    #[test]
    fn case_53_a_file_cannot_ask_for_minutes() {
        let tail = "$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM";
        for (text, problem) in [
            ("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(), "cost"),
            (format!("$pbkdf2-sha256$i=4294967295{tail}"), "cost"),
            (format!("$scrypt$ln=30,r=8,p=1{tail}"), "cost"),
            (format!("$scrypt$ln=255,r=8,p=1{tail}"), "cost"),
            (format!("$scrypt$ln=10,r=8,p=4294967295{tail}"), "cost"),
            (format!("$scrypt$ln=1,r=4294967295,p=1{tail}"), "cost"),
            (format!("$pbkdf2-sha256$i=0{tail}"), "malformed"),
            (format!("$pbkdf2-md5$i=1{tail}"), "malformed"),
            (format!("$pbkdf2-sha256$i=1,l=31{tail}"), "malformed"),
            (format!("$pbkdf2-sha256$i=1,i=2{tail}"), "malformed"),
            (format!("$scrypt$ln=10,r=8{tail}"), "malformed"),
            (format!("$scrypt$ln=10,r=8,p=1,p=2{tail}"), "malformed"),
            ("$2b$12$short".to_owned(), "malformed"),
            ("pbkdf2_sha256$1$salt$".to_owned(), "malformed"),
            ("$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(), "scheme"),
            ("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned(), "scheme"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(
            text in "(\\$|\\$2b\\$|\\$scrypt\\$|\\$pbkdf2-sha256\\$|pbkdf2_sha1\\$)[a-z0-9=,./+$é]{0,80}"
        ) {
            let _ = ForeignHash::parse(&text);
        }
    }
}
