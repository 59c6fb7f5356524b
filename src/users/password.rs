//! Passwords: what they may be, and how they become hashes.
//!
//! Hashing is argon2id (RFC 9106) and costs some milliseconds of a core and some MiB, so it runs
//! on threads of its own, at most so many at once, and at most so many wait: see [`Hasher`].

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::config::model::Passwords;
use crate::users::chosen::{Rules, Weakness};
use crate::users::error::UserError;
use crate::users::hash::StoredHash;
use crate::users::pool::{NoPlace, Pool};

/// Longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Shortest password that people may choose, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Shortest password that an operator's file may set, in characters.
pub const DECLARED_PASSWORD_CHARS_MIN: usize = 8;
/// What whoever finds the pool full is told to wait.
const BUSY_SECONDS: u32 = 2;

/// A password that a user gets.
#[derive(Clone, Debug)]
pub enum PasswordInput {
    /// In clear.
    Plain(Secret),
    /// A hash made elsewhere, see [`StoredHash`].
    Phc(String),
}

/// Checks a password that somebody chooses.
///
/// # Errors
/// [`UserError::PasswordTooShort`] or [`UserError::PasswordTooLong`].
pub fn check_new(password: &Secret, chars_min: usize) -> Result<(), UserError> {
    if password.reveal().len() > PASSWORD_BYTES_MAX {
        return Err(UserError::PasswordTooLong(PASSWORD_BYTES_MAX));
    }
    if password.reveal().chars().count() < chars_min {
        return Err(UserError::PasswordTooShort(chars_min));
    }
    Ok(())
}

/// The one form of a password that is hashed, whichever keyboard it was typed on: other spaces
/// become spaces, then NFC. Source: RFC 8265 section 4.2.2 (`OpaqueString`).
fn normal(password: &Secret) -> Zeroizing<String> {
    let spaced = password.reveal().chars().map(|c| {
        let is_other_space = matches!(
            c,
            '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}'
        );
        if is_other_space { ' ' } else { c }
    });
    Zeroizing::new(spaced.nfc().collect())
}

/// What came of checking a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whether it is the right one.
    pub is_right: bool,
    /// The hash to store from now on, if the stored one was too weak.
    pub upgrade: Option<String>,
}

/// The pool is full: come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// When to try again.
    pub retry_after_seconds: u32,
}

const FULL: Full = Full { retry_after_seconds: BUSY_SECONDS };

/// Hashes and checks passwords: so many at once, so many waiting, the rest sent away.
#[derive(Clone, Debug)]
pub struct Hasher {
    argon2: Argon2<'static>,
    pool: Pool,
    /// What is checked for somebody who has no password: as costly, never right.
    nobody: StoredHash,
}

impl Hasher {
    /// A pool with these limits.
    ///
    /// # Errors
    /// [`UserError::Phc`] if argon2 does not take the parameters.
    pub fn new(settings: &Passwords, entropy: &dyn Entropy) -> Result<Self, UserError> {
        let params = Params::new(settings.argon2_memory_kib, settings.argon2_passes, 1, None)
            .map_err(|_| UserError::Phc("the configured argon2 parameters are not valid"))?;
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p=1${}${}",
            settings.argon2_memory_kib,
            settings.argon2_passes,
            base64_of(&entropy.bytes::<16>()),
            base64_of(&entropy.bytes::<32>()),
        );
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            pool: Pool::new(settings.hashes_at_once_max, settings.hashes_waiting_max),
            nobody: StoredHash::parse(&nobody)?,
        })
    }

    /// Whether there is no place left, so that whoever asks is sent away before anything is done.
    pub fn full(&self) -> Option<Full> {
        self.pool.is_full().then_some(FULL)
    }

    /// Hashes a password that is about to be stored; `salt` is fresh randomness.
    ///
    /// # Errors
    /// [`Full`] if too many wait already.
    pub async fn hash(&self, password: &Secret, salt: [u8; 16]) -> Result<String, Full> {
        let (argon2, password) = (self.argon2.clone(), normal(password));
        self.run(move || make(&argon2, &password, &salt)).await?.ok_or(FULL)
    }

    /// Hashes a password that somebody chose, of whom `own` is known, unless it is weak; `salt` is
    /// fresh randomness.
    ///
    /// # Errors
    /// [`Full`] if too many wait already.
    pub async fn choose(
        &self,
        password: &Secret,
        rules: Arc<Rules>,
        own: Vec<String>,
        salt: [u8; 16],
    ) -> Result<Result<String, Weakness>, Full> {
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let work = move || {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let judged = rules.check(password.reveal(), &own);
            judged.map(|()| make(&argon2, &normal(&password), &salt))
        };
        self.run(work)
            .await?
            .map(|hash| hash.ok_or(FULL))
            .map_or_else(|weakness| Ok(Err(weakness)), |hash| hash.map(Ok))
    }

    /// Checks a password against a stored hash, or, with the same work and without success, for
    /// somebody who has none. `salt` is fresh randomness for a hash that needs an upgrade.
    ///
    /// # Errors
    /// [`Full`] if too many wait already.
    pub async fn check(
        &self,
        password: &Secret,
        stored: Option<StoredHash>,
        salt: [u8; 16],
    ) -> Result<Checked, Full> {
        let fits = password.reveal().len() <= PASSWORD_BYTES_MAX;
        let exists = stored.is_some() && fits;
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let typed = Zeroizing::new(if fits { password.reveal().to_owned() } else { String::new() });
        let password = if fits { normal(password) } else { Zeroizing::default() };
        let argon2 = self.argon2.clone();
        self.run(move || {
            // Other systems may have hashed what was typed as it came.
            let matches = stored.is_of(&argon2, &password)
                || (stored.is_foreign() && *typed != *password && stored.is_of(&argon2, &typed));
            let is_right = matches && exists;
            let upgrade = (is_right && stored.is_weaker_than(argon2.params()))
                .then(|| make(&argon2, &password, &salt))
                .flatten();
            Checked { is_right, upgrade }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Full> {
        self.pool.run(work).await.map_err(|NoPlace| FULL)
    }
}

fn make(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Option<String> {
    argon2
        .hash_password_with_salt(password.as_bytes(), salt)
        .inspect_err(|error| tracing::error!(%error, "argon2 failed"))
        .ok()
        .map(|hash| hash.to_string())
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::CountedEntropy;

    fn settings(passes: u32, at_once: usize, waiting: usize) -> Passwords {
        Passwords {
            argon2_memory_kib: 64,
            argon2_passes: passes,
            hashes_at_once_max: at_once,
            hashes_waiting_max: waiting,
            list_file: None,
        }
    }

    fn hasher(passes: u32) -> Hasher {
        Hasher::new(&settings(passes, 2, 8), &CountedEntropy::default()).unwrap()
    }

    async fn is_right(hasher: &Hasher, typed: &str, stored: &str) -> bool {
        let stored = StoredHash::parse(stored).unwrap();
        hasher.check(&Secret::presented(typed), Some(stored), [0; 16]).await.unwrap().is_right
    }

    #[tokio::test]
    async fn case_53_a_password_has_one_form_and_may_hold_anything() {
        let hasher = hasher(1);
        let stored = hasher.hash(&Secret::presented("caf\u{e9} \0 pass"), [1; 16]).await.unwrap();

        assert!(is_right(&hasher, "caf\u{e9} \0 pass", &stored).await);
        assert!(is_right(&hasher, "cafe\u{301}\u{a0}\0\u{3000}pass", &stored).await);
        assert!(!is_right(&hasher, "caf\u{e9} ", &stored).await);
        assert!(!is_right(&hasher, "Caf\u{e9} \0 pass", &stored).await);
    }

    #[tokio::test]
    async fn case_53_a_long_password_is_cut_off_before_it_is_hashed() {
        let hasher = hasher(1);
        let empty = hasher.hash(&Secret::presented(""), [1; 16]).await.unwrap();
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);

        assert!(!is_right(&hasher, &long, &empty).await);
        assert!(check_new(&Secret::presented(long), 8).is_err());
        assert!(check_new(&Secret::presented("x".repeat(PASSWORD_BYTES_MAX)), 8).is_ok());
    }

    #[tokio::test]
    async fn a_weak_hash_is_upgraded_when_the_password_is_right() {
        let (weak, strong) = (hasher(1), hasher(2));
        let stored = weak.hash(&Secret::presented("a password"), [1; 16]).await.unwrap();
        let stored = StoredHash::parse(&stored).unwrap();
        let check = |typed: &'static str| {
            let (strong, stored) = (strong.clone(), stored.clone());
            async move { strong.check(&Secret::presented(typed), Some(stored), [2; 16]).await }
        };

        let right = check("a password").await.unwrap();
        let upgrade = right.upgrade.unwrap();
        assert!(upgrade.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{upgrade}");
        assert!(is_right(&strong, "a password", &upgrade).await);
        assert_eq!(check("wrong").await.unwrap(), Checked { is_right: false, upgrade: None });
    }

    #[tokio::test]
    async fn case_47_somebody_without_password_costs_the_same_and_is_never_right() {
        let hasher = hasher(2);
        let checked = hasher.check(&Secret::presented(""), None, [0; 16]).await.unwrap();

        assert_eq!(checked, Checked { is_right: false, upgrade: None });
        assert!(!hasher.nobody.is_weaker_than(hasher.argon2.params()));
    }

    #[tokio::test]
    async fn case_53_the_pool_is_bounded() {
        let hasher = Hasher::new(&settings(2, 1, 2), &CountedEntropy::default()).unwrap();
        let checks = (0..20).map(|_| {
            let hasher = hasher.clone();
            async move { hasher.check(&Secret::presented("x"), None, [0; 16]).await }
        });

        let answers = futures_util::future::join_all(checks).await;

        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
        assert_eq!(hasher.full(), None);
    }
}
