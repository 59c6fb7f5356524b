//! Message authentication codes: who does not hold the key cannot make one. Source: RFC 2104.

use aws_lc_rs::hmac;

use crate::base::secret::Digest;

/// Authenticates for one purpose. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// With these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A message authentication code over `parts`; where one part ends and the next begins is part of
    /// the message.
    pub fn mac(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        Digest(out)
    }
}
