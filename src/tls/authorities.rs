//! The authorities whose word counts for the certificates of clients. Source: RFC 8705
//! section 2.1.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::tls::{BadTls, certificates, provider};

/// Trusted authorities. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<dyn ClientCertVerifier>);

impl Authorities {
    /// The authorities of a PEM file.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn load(path: &Path) -> Result<Self, BadTls> {
        const NAME: &str = "tls.client_ca_file";
        let unusable = || BadTls::Pem(NAME, "certificates of authorities");
        let mut roots = RootCertStore::empty();
        for certificate in certificates(NAME, path)? {
            roots.add(certificate).map_err(|_| unusable())?;
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        Ok(Self(builder.build().map_err(|_| unusable())?))
    }

    /// Whether they vouch for a certificate of a client: a chain of signatures leads to one of
    /// them, all of it is in its time, and the certificate is for clients. Source: RFC 5280
    /// section 6.
    pub fn vouch_for(&self, certificate: &[u8], chain: &[Vec<u8>], now: DateTime<Utc>) -> bool {
        let Ok(seconds) = u64::try_from(now.timestamp()) else { return false };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let chain: Vec<_> = chain.iter().map(|one| CertificateDer::from(one.as_slice())).collect();
        self.0.verify_client_cert(&CertificateDer::from(certificate), &chain, now).is_ok()
    }
}
