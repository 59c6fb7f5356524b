//! Codes that change with time. Source: RFC 6238, with SHA-1, six digits and steps of 30 seconds,
//! which is what every authenticator app does.

use chrono::{DateTime, Utc};
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::users::error::UserError;

/// Length of a code.
const DIGITS: u8 = 6;
/// Length of a step, in seconds.
const STEP_SECONDS: u64 = 30;
/// Steps before and after the current one whose code is taken, too. Source: section 5.2.
const SKEW: u16 = 1;
/// Most bytes of a secret that is imported.
const SECRET_BYTES_MAX: usize = 64;

/// What a user's authenticator app and we both know.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl TotpSecret {
    /// A fresh secret of 160 bits. Source: RFC 4226 section 4, R6.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(entropy.bytes::<20>().to_vec()))
    }

    /// The secret in the base32 that people and apps exchange; spaces and case do not matter.
    ///
    /// # Errors
    /// [`UserError::TotpSecret`] for other letters, or less than 128 or more than 512 bits.
    pub fn from_base32(text: &Secret) -> Result<Self, UserError> {
        let bare: Zeroizing<String> = Zeroizing::new(
            text.reveal()
                .chars()
                .filter(|c| !matches!(c, ' ' | '-' | '='))
                .map(|c| c.to_ascii_uppercase())
                .collect(),
        );
        let secret = totp_rs::Secret::try_from_base32(bare.as_str())
            .map_err(|_| UserError::TotpSecret("it must be base32: letters and the digits 2-7"))?;
        Self::from_bytes(secret.as_bytes())
            .ok_or(UserError::TotpSecret("it must have 128 to 512 bits"))
    }

    /// The secret as it is stored, unsealed; `None` if it has no acceptable length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (16..=SECRET_BYTES_MAX).contains(&bytes.len()).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }

    /// The bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn machine(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(SKEW)
            .with_secret(self.0.as_slice())
            .build_noncompliant()
    }

    /// The step whose code this is, if it is the current one or a neighbour.
    ///
    /// The caller still has to win [`crate::users::service::Users::check_totp`]'s guarded update,
    /// which is what makes a code good for one use. Source: section 5.2.
    pub fn matching_step(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let seconds = u64::try_from(now.timestamp()).ok()?;
        let step = self.machine().check(code, seconds)?;
        i64::try_from(step).ok()
    }

    /// The code at an instant: for tests, and for the demo's own authenticator.
    pub fn code_at(&self, now: DateTime<Utc>) -> String {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        self.machine().generate(seconds).to_string()
    }

    /// The URL that authenticator apps read, usually from a QR code. Holds the secret.
    ///
    /// Source: the key URI format of Google Authenticator.
    pub fn otpauth_url(&self, issuer: &str, username: &str) -> Secret {
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        // A colon separates the two; it must not stand inside.
        let issuer = escape(&issuer.replace(':', " "));
        let username = escape(&username.replace(':', " "));
        let secret = self.base32();
        Secret::presented(format!(
            "otpauth://totp/{issuer}:{username}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            secret.reveal()
        ))
    }

    /// The secret in base32, for people who type it.
    pub fn base32(&self) -> Secret {
        Secret::presented(totp_rs::Secret::from(self.0.as_slice()).to_base32())
    }
}

/// The digits of a code as people type it: spaces in the middle are forgiven.
pub fn tidy(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace()).take(16).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::clock::from_micros;
    use crate::base::entropy::CountedEntropy;

    fn at(seconds: i64) -> DateTime<Utc> {
        from_micros(seconds * 1_000_000)
    }

    #[test]
    fn rfc6238_appendix_b_vectors() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        // The last six digits of the appendix's eight.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")]
        {
            assert_eq!(secret.code_at(at(seconds)), code);
            assert_eq!(secret.matching_step(code, at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn case_49_one_step_of_skew_and_no_more() {
        let secret = TotpSecret::generate(&CountedEntropy::default());
        let code = secret.code_at(at(3_000));

        for (seconds, expected) in [
            (2_969, None),
            (2_970, Some(100)),
            (3_000, Some(100)),
            (3_029, Some(100)),
            (3_059, Some(100)),
            (3_060, None),
        ] {
            assert_eq!(secret.matching_step(&code, at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn case_49_a_secret_is_long_enough_and_never_shown() {
        let secret = TotpSecret::generate(&CountedEntropy::default());
        let again = TotpSecret::from_base32(&secret.base32()).unwrap();

        assert_eq!(secret.bytes(), again.bytes());
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
        for bad in ["", "JBSWY3DP", "1", "\0", &"A".repeat(1_000)] {
            assert!(TotpSecret::from_base32(&Secret::presented(bad)).is_err(), "{bad:?}");
        }
        let spaced = "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp";
        assert!(TotpSecret::from_base32(&Secret::presented(spaced)).is_ok());
    }

    #[test]
    fn the_url_is_what_apps_read() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();

        assert_eq!(
            secret.otpauth_url("id.example.org:8080", "ada@example.org").reveal(),
            "otpauth://totp/id%2Eexample%2Eorg%208080:ada%40example%2Eorg\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id%2Eexample%2Eorg%208080\
             &algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(code in "\\PC{0,20}", seconds in any::<i32>()) {
            let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
            let _ = secret.matching_step(&tidy(&code), at(i64::from(seconds)));
        }
    }
}
