//! What lies at rest is sealed here: one encryption key, from which a key is derived for each
//! purpose. Source: RFC 5869 (HKDF), RFC 5116 (AEAD).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
pub use crate::base::mac::MacKey;
use crate::base::secret::Digest;

/// Separates our keys from whatever else somebody derives from the same bytes.
const SALT: &[u8] = b"narthex/vault/1";

/// Seals, opens and authenticates with keys derived from the server's encryption key.
/// Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Prk>);

struct Length32;

impl KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// With the server's encryption key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Arc::new(Salt::new(HKDF_SHA256, SALT).extract(key)))
    }

    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8,160 bytes; 32 are asked for")]
    fn derive(&self, kind: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        self.0
            .expand(&[kind.as_bytes(), b"/", purpose.as_bytes()], Length32)
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .expect("32 bytes are within HKDF's limit");
        key
    }

    #[expect(clippy::expect_used, reason = "the key has the length that AES-256 asks for")]
    fn aead(&self, purpose: &str) -> LessSafeKey {
        let key = self.derive("seal", purpose);
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes"))
    }

    /// Encrypts and authenticates `plain` for `purpose`: nonce, ciphertext, tag.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "AES-GCM seals anything under 64 GiB"
    )]
    pub fn seal(&self, purpose: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut body = plain.to_vec();
        self.aead(purpose)
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .expect("a secret is not that long");
        [nonce.as_slice(), &body].concat()
    }

    /// Opens what [`Vault::seal`] made for the same purpose; `None` for anything else.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .aead(purpose)
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    /// A message authentication code over `parts`; where one part ends and the next begins is
    /// part of the message.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Digest {
        self.mac_key(purpose).mac(parts)
    }

    /// The key of [`Vault::mac`] for a purpose, for who needs it with each request: deriving it
    /// costs more than using it.
    pub fn mac_key(&self, purpose: &str) -> MacKey {
        MacKey::new(self.derive("mac", purpose).as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn what_was_sealed_opens_for_its_purpose_alone() {
        let vault = Vault::new(&[7; 32]);
        let sealed = vault.seal("totp", b"secret", &OsEntropy::default());

        assert_eq!(vault.open("totp", &sealed).unwrap().as_slice(), b"secret");
        assert!(vault.open("key", &sealed).is_none());
        assert!(Vault::new(&[8; 32]).open("totp", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(vault.open("totp", &bent).is_none(), "byte {at}");
            assert!(vault.open("totp", &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_mac_tells_its_parts_apart() {
        let vault = Vault::new(&[7; 32]);

        assert_eq!(vault.mac("csrf", &[b"ab", b"c"]), vault.mac("csrf", &[b"ab", b"c"]));
        assert_ne!(vault.mac("csrf", &[b"ab", b"c"]), vault.mac("csrf", &[b"a", b"bc"]));
        assert_ne!(vault.mac("csrf", &[b"ab"]), vault.mac("page", &[b"ab"]));
    }
}
