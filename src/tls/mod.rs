//! TLS of our own: certificate and key from files, taken up again when they change.
//!
//! TLS 1.3, and TLS 1.2 with forward secrecy and AEAD only. Source: RFC 9325 (BCP 195) sections
//! 3.1 and 4.2.

pub mod authorities;
mod client;

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig};

use crate::config::tls::Listener;
use crate::tls::client::AnyCertificate;

/// The suites of TLS 1.2 that are offered. Source: RFC 9325 section 4.2.
const TLS12_SUITES: [CipherSuite; 4] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];
/// Those of TLS 1.3.
const TLS13_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
];

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum BadTls {
    /// A file cannot be read.
    #[error("{0} cannot be read: {1}")]
    File(&'static str, #[source] std::io::Error),
    /// A file holds something else.
    #[error("{0} does not hold {1} in PEM")]
    Pem(&'static str, &'static str),
    /// The certificate and the key do not fit.
    #[error("the certificate and its key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What TLS is spoken with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Listener,
    current: RwLock<Current>,
}

#[derive(Clone, Debug)]
struct Current {
    config: Arc<ServerConfig>,
    stamps: Stamps,
}

/// When the two files were changed last.
type Stamps = [Option<SystemTime>; 2];

impl Tls {
    /// TLS with the certificate that `settings` name.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn new(settings: &Listener) -> Result<Self, BadTls> {
        let current = RwLock::new(load(settings)?);
        Ok(Self(Arc::new(Inner { settings: settings.clone(), current })))
    }

    /// What the next connection is served with.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    /// Takes up the files again if they were changed; says whether they were. Connections that
    /// are open stay as they are, and so does everything if the new files are no good.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn reload_if_changed(&self) -> Result<bool, BadTls> {
        let Inner { settings, current } = &*self.0;
        let known = current.read().unwrap_or_else(PoisonError::into_inner).stamps;
        if stamps(settings) == known {
            return Ok(false);
        }
        let loaded = load(settings)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}

fn stamps(settings: &Listener) -> Stamps {
    [&settings.certificate_file, &settings.key_file].map(|path| stamp(path))
}

/// When a file was changed last.
fn stamp(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// The stamps are read first: a file that is changed meanwhile is taken up the next time.
fn load(settings: &Listener) -> Result<Current, BadTls> {
    let stamps = stamps(settings);
    let chain = certificates("tls.certificate_file", &settings.certificate_file)?;
    let key = fs::read(&settings.key_file).map_err(|error| BadTls::File("tls.key_file", error))?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| BadTls::Pem("tls.key_file", "a private key"))?;
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = if settings.asks_for_certificates {
        builder.with_client_cert_verifier(Arc::new(AnyCertificate::new(&provider)))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Current { config: Arc::new(config), stamps })
}

/// The one crypto library, with the suites that are recommended.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        TLS12_SUITES.contains(&suite.suite()) || TLS13_SUITES.contains(&suite.suite())
    });
    Arc::new(provider)
}

/// The certificates of a PEM file: at least one.
fn certificates(name: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, BadTls> {
    let text = fs::read(path).map_err(|error| BadTls::File(name, error))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or(BadTls::Pem(name, "certificates"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9325_4_2_no_other_suites_are_offered() {
        let offered: Vec<_> =
            provider().cipher_suites.iter().map(rustls::SupportedCipherSuite::suite).collect();

        assert_eq!(offered.len(), TLS12_SUITES.len() + TLS13_SUITES.len());
        assert!(!offered.iter().any(|suite| format!("{suite:?}").contains("CBC")));
        let chacha = |suite: &&CipherSuite| format!("{suite:?}").contains("CHACHA20");
        assert!(offered.iter().filter(chacha).all(|suite| TLS13_SUITES.contains(suite)));
    }
}
