//! Nonces that this server gives out for proofs, and need not remember. Source: RFC 9449
//! section 8.
//!
//! A nonce is a MAC over the five minutes in which it is given out. It is good in those and in
//! the five after, on every node: they share the key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::base::secret::Digest;
use crate::keys::vault::Vault;

const PURPOSE: &str = "dpop nonce";
const WINDOW_SECONDS: i64 = 300;
/// How long a nonce is good, at most.
pub(in crate::oauth::dpop) const LIFETIME: TimeDelta = TimeDelta::seconds(2 * WINDOW_SECONDS);

/// The nonce of this moment.
pub(in crate::oauth) fn current(vault: &Vault, now: DateTime<Utc>) -> String {
    URL_SAFE_NO_PAD.encode(mac(vault, window(now)).0)
}

/// Whether a nonce is ours and not too old.
pub(in crate::oauth) fn is_good(vault: &Vault, text: &str, now: DateTime<Utc>) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let Some(given) = bytes.and_then(|bytes| Digest::from_slice(&bytes)) else { return false };
    let window = window(now);
    given == mac(vault, window) || given == mac(vault, window.saturating_sub(1))
}

fn window(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(WINDOW_SECONDS)
}

fn mac(vault: &Vault, window: i64) -> Digest {
    vault.mac(PURPOSE, &[&window.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn case_31_a_nonce_is_good_for_a_while_and_for_the_server_that_gave_it() {
        let vault = Vault::new(&[7; 32]);
        let nonce = current(&vault, at(WINDOW_SECONDS * 10));

        assert!(is_good(&vault, &nonce, at(WINDOW_SECONDS * 10)));
        assert!(is_good(&vault, &nonce, at(WINDOW_SECONDS * 12 - 1)));
        assert!(!is_good(&vault, &nonce, at(WINDOW_SECONDS * 12)));
        assert!(!is_good(&vault, &nonce, at(WINDOW_SECONDS * 10 - 1)));
        assert!(!is_good(&Vault::new(&[8; 32]), &nonce, at(WINDOW_SECONDS * 10)));
        assert!(!is_good(&vault, "", at(WINDOW_SECONDS * 10)));
    }

    proptest! {
        #[test]
        fn no_text_of_others_is_a_nonce(text in "[A-Za-z0-9_-]{0,60}|\\PC{0,40}") {
            prop_assert!(!is_good(&Vault::new(&[7; 32]), &text, at(1_000_000)));
        }
    }
}
