//! jsonwebtoken's cryptography, on keys that are parsed already.
//!
//! The crate's own provider parses the private key for every signature, which more than doubles
//! the cost of RS256. Here its keys hold a handle of eight bytes, by which the parsed pair is
//! found; the private key itself never lies in the crate's memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::{DecodingKey, DecodingKeyKind, EncodingKey};
use signature::{Signer, Verifier};

use crate::keys::algorithm::Algorithm;
use crate::keys::pair::Pair;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

static PAIRS: OnceLock<RwLock<HashMap<u64, Arc<Pair>>>> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(1);

fn pairs() -> &'static RwLock<HashMap<u64, Arc<Pair>>> {
    PAIRS.get_or_init(|| {
        // Fails only if it is installed already, by us: nobody else in this process does it.
        let _ = PROVIDER.install_default();
        RwLock::default()
    })
}

/// A pair that the provider knows, until this is dropped.
#[derive(Debug)]
pub(in crate::keys) struct Registered {
    handle: u64,
    pair: Arc<Pair>,
}

impl Registered {
    pub(in crate::keys) fn new(pair: Pair) -> Self {
        let handle = NEXT.fetch_add(1, Ordering::Relaxed);
        let pair = Arc::new(pair);
        let mut known = pairs().write().unwrap_or_else(PoisonError::into_inner);
        known.insert(handle, Arc::clone(&pair));
        Self { handle, pair }
    }

    pub(in crate::keys) fn pair(&self) -> &Pair {
        &self.pair
    }

    pub(in crate::keys) fn encoding_key(&self) -> EncodingKey {
        let handle = self.handle.to_be_bytes();
        match self.pair.algorithm() {
            Algorithm::RS256 | Algorithm::PS256 => EncodingKey::from_rsa_der(&handle),
            Algorithm::ES256 => EncodingKey::from_ec_der(&handle),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&handle),
        }
    }

    pub(in crate::keys) fn decoding_key(&self) -> DecodingKey {
        let handle = self.handle.to_be_bytes();
        match self.pair.algorithm() {
            Algorithm::RS256 | Algorithm::PS256 => DecodingKey::from_rsa_der(&handle),
            Algorithm::ES256 => DecodingKey::from_ec_der(&handle),
            Algorithm::EdDSA => DecodingKey::from_ed_der(&handle),
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        pairs().write().unwrap_or_else(PoisonError::into_inner).remove(&self.handle);
    }
}

/// The name of `algorithm` in jsonwebtoken.
pub(in crate::keys) fn named(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
    }
}

struct Found(Arc<Pair>);

/// The pair behind a handle, if it is for `algorithm`: a key never serves another algorithm.
fn find(algorithm: jsonwebtoken::Algorithm, handle: &[u8]) -> Result<Found, Error> {
    let handle = handle.try_into().map_err(|_| new_error(ErrorKind::InvalidKeyFormat))?;
    let known = pairs().read().unwrap_or_else(PoisonError::into_inner);
    let pair = known
        .get(&u64::from_be_bytes(handle))
        .filter(|pair| named(pair.algorithm()) == algorithm)
        .ok_or_else(|| new_error(ErrorKind::InvalidKeyFormat))?;
    Ok(Found(Arc::clone(pair)))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that jsonwebtoken asks for")]
fn signer(
    algorithm: &jsonwebtoken::Algorithm,
    key: &EncodingKey,
) -> Result<Box<dyn JwtSigner>, Error> {
    Ok(Box::new(find(*algorithm, key.as_bytes())?))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that jsonwebtoken asks for")]
fn verifier(
    algorithm: &jsonwebtoken::Algorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(handle) => Ok(Box::new(find(*algorithm, handle)?)),
        DecodingKeyKind::RsaModulusExponent { .. } => Err(new_error(ErrorKind::InvalidKeyFormat)),
    }
}

impl Signer<Vec<u8>> for Found {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).ok_or_else(signature::Error::new)
    }
}

impl JwtSigner for Found {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        named(self.0.algorithm())
    }
}

impl Verifier<Vec<u8>> for Found {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if self.0.verify(message, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Found {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        named(self.0.algorithm())
    }
}
