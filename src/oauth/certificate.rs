//! A certificate that a client showed in TLS. Source: RFC 8705.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::secret::Digest;

/// An X.509 certificate whose private key the client holds: TLS has seen to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Arc<[u8]>,
}

impl Certificate {
    /// The certificate with this encoding.
    pub fn from_der(der: &[u8]) -> Self {
        Self { der: der.into() }
    }

    /// Its encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// `x5t#S256`. Source: RFC 8705 section 3.1.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Digest::of(&self.der).0)
    }
}
