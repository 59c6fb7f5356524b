//! A certificate that a client showed in TLS. Source: RFC 8705.

pub(in crate::oauth) mod names;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::secret::Digest;

/// An X.509 certificate whose private key the client holds: TLS has seen to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Arc<[u8]>,
    chain: Arc<[Vec<u8>]>,
}

impl Certificate {
    /// The certificate with this encoding.
    pub fn from_der(der: &[u8]) -> Self {
        Self::from_chain(der, Vec::new())
    }

    /// The certificate with this encoding, and those that lead from it to an authority.
    pub fn from_chain(der: &[u8], chain: Vec<Vec<u8>>) -> Self {
        Self { der: der.into(), chain: chain.into() }
    }

    /// What leads from it to an authority, as the client showed it.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
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
