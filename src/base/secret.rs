//! Secrets that cannot be logged, and the digests by which they are stored.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;

/// A bearer secret: part of an authorization code or refresh token, a client secret, a password.
///
/// `Debug` prints `Secret(..)` and there is no `Display`, so a secret cannot reach a log by
/// accident; handing it out takes a visible [`Secret::reveal`].
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A fresh secret of 256 random bits, as 43 characters of base64url.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())))
    }

    /// A secret that somebody presented.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself, to be handed to its owner or compared.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What storage sees of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// SHA-256 of a secret: the only form of it that storage sees.
///
/// A plain hash is enough for 256 random bits, which cannot be guessed; passwords need Argon2.
/// Equality takes the same time whatever differs. In JSON it is base64url.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

/// Text that is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 32 bytes in base64url")]
pub struct BadDigest;

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        URL_SAFE_NO_PAD.encode(digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = BadDigest;

    fn try_from(text: String) -> Result<Self, BadDigest> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadDigest)?;
        Self::from_slice(&bytes).ok_or(BadDigest)
    }
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(out)
    }

    /// A digest as read from the database; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for a database column.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::CountedEntropy;

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let secret = Secret::generate(&CountedEntropy::default());

        assert_eq!(secret.reveal().len(), 43);
        assert_eq!(format!("{secret:?} {:?}", secret.digest()), "Secret(..) Digest(..)");
        assert_eq!(secret.digest(), Digest::of(secret.reveal().as_bytes()));
        assert_ne!(secret.digest(), Digest::of(b""));
    }
}
