//! Recovery codes: for whoever lost their phone and their keys. Ten at a time, each good once.
//! Source: NIST SP 800-63B section 5.1.2 ("look-up secrets").
//!
//! A code has 60 random bits. The table knows a MAC of user and code, by a key that is not in the
//! database, so that a copy of the table is nothing to guess at.

use crate::base::entropy::Entropy;
use crate::base::id::UserId;
use crate::base::secret::{Digest, Secret};
use crate::users::error::{FactorError, SignInError};
use crate::users::factor_letters::{CODE_USED, CODES_MADE};
use crate::users::factors::NewCodes;
use crate::users::login::Source;
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store_factors as store;
use crate::users::store_throttle::{self, Outcome};
use crate::users::throttle::Factor;
use crate::users::{device, username};

/// How many are made.
const CODES: usize = 10;
/// Letters of a code, without the hyphens.
const LETTERS: usize = 12;
/// Most letters that are looked at.
const TYPED_MAX: usize = 64;
const PURPOSE: &str = "users: recovery code";
/// Digits and letters that nobody takes for each other. Source: Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A code, as it is shown: `k7mq-2hx9-w4td`.
fn generate(entropy: &dyn Entropy) -> Secret {
    let mut text = String::new();
    for (at, byte) in entropy.bytes::<LETTERS>().iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        text.push(char::from(letter));
    }
    Secret::presented(text)
}

/// A code as people type it: case, spaces and hyphens do not matter, and letters that look like
/// digits are those digits.
fn tidy(typed: &str) -> String {
    let letters = typed.chars().take(TYPED_MAX).filter(char::is_ascii_alphanumeric);
    letters
        .map(|letter| match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        })
        .collect()
}

impl Users {
    fn recovery_digest(&self, user: &UserId, code: &str) -> Digest {
        self.0.vault.mac(PURPOSE, &[user.as_str().as_bytes(), tidy(code).as_bytes()])
    }

    /// Makes ten new codes, and those of before void.
    ///
    /// # Errors
    /// [`FactorError::Unknown`] for somebody without a second factor: there is nothing to recover.
    pub async fn make_recovery_codes(&self, user: &User) -> Result<NewCodes, FactorError> {
        let codes: Vec<Secret> = (0..CODES).map(|_| generate(self.0.ctx.entropy())).collect();
        let digest = |code: &Secret| self.recovery_digest(&user.id, code.reveal());
        let digests: Vec<Digest> = codes.iter().map(digest).collect();
        let input = (user.id.clone(), digests, self.0.ctx.now(), self.notice(user, CODES_MADE));
        let unit = self.0.ctx.db.write(input, |tx, (user, digests, now, notice)| {
            Box::pin(async move {
                store::hold(tx, user).await?;
                if store::count(&mut *tx, user).await? == 0 {
                    return Err(FactorError::Unknown);
                }
                store::set_recovery(tx, user, digests, *now).await?;
                notice.post(tx).await?;
                Ok(())
            })
        });
        unit.await?;
        Ok(NewCodes(codes))
    }

    /// Checks a recovery code in place of a second factor, and uses it up.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check_recovery(
        &self,
        user: &User,
        code: &str,
        source: &Source,
    ) -> Result<(), SignInError> {
        let key = username::UsernameKey::of(&user.username);
        let known = device::known(&self.0.vault, Some(&user.id), source);
        let attempt = self.charge(Factor::Code, &key, source, known).await?;
        let digest = self.recovery_digest(&user.id, code);
        let notice = self.notice(user, CODE_USED);
        let input = (user.id.clone(), digest, attempt, self.0.ctx.now(), notice);
        let unit = self.0.ctx.db.write(input, |tx, (user, digest, attempt, now, notice)| {
            Box::pin(async move {
                let is_right = store::spend_recovery(tx, user, *digest, *now).await?;
                if is_right {
                    store_throttle::settle(tx, attempt, Outcome::Right).await?;
                    notice.post(tx).await?;
                }
                Ok::<bool, SignInError>(is_right)
            })
        });
        if !unit.await? {
            self.note_failed(Some(&user.id), source, "wrong_code");
            return Err(SignInError::Wrong);
        }
        self.0.watch.was_right();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::entropy::CountedEntropy;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = generate(&CountedEntropy::default());
        let shown = code.reveal();

        assert_eq!(shown.len(), 14);
        assert_eq!(tidy(shown).len(), LETTERS);
        assert_eq!(tidy(&shown.to_uppercase()), tidy(shown));
        assert_eq!(tidy(&format!(" {} ", shown.replace('-', " "))), tidy(shown));
        assert_eq!(tidy("Oo-iIlL"), "001111");
        assert_ne!(shown, generate(&crate::base::entropy::OsEntropy::default()).reveal());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_tidied_to_letters(typed in "\\PC{0,80}") {
            let tidied = tidy(&typed);
            prop_assert!(tidied.len() <= TYPED_MAX);
            prop_assert!(tidied.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
            prop_assert_eq!(tidy(&tidied), tidied.clone());
        }
    }
}
