//! The authorities whose word counts for the certificates of clients. Source: RFC 8705
//! section 2.1.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::tls::{BadTls, certificates, provider, stamp};

/// Trusted authorities, taken up again when their file changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    current: RwLock<Current>,
}

#[derive(Clone, Debug)]
struct Current {
    verifier: Arc<dyn ClientCertVerifier>,
    stamp: Option<SystemTime>,
}

impl Authorities {
    /// The authorities of a PEM file.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn load(path: &Path) -> Result<Self, BadTls> {
        let current = RwLock::new(read(path)?);
        Ok(Self(Arc::new(Inner { path: path.to_owned(), current })))
    }

    /// Takes up the file again if it was changed; says whether it was. Everything stays as it is
    /// if the new file is no good.
    ///
    /// # Errors
    /// [`BadTls`].
    pub fn reload_if_changed(&self) -> Result<bool, BadTls> {
        let Inner { path, current } = &*self.0;
        if stamp(path) == current.read().unwrap_or_else(PoisonError::into_inner).stamp {
            return Ok(false);
        }
        let new = read(path)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(true)
    }

    /// Whether they vouch for a certificate of a client: a chain of signatures leads to one of
    /// them, all of it is in its time, and the certificate is for clients. Source: RFC 5280
    /// section 6.
    pub fn vouch_for(&self, certificate: &[u8], chain: &[Vec<u8>], now: DateTime<Utc>) -> bool {
        let Ok(seconds) = u64::try_from(now.timestamp()) else { return false };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let chain: Vec<_> = chain.iter().map(|one| CertificateDer::from(one.as_slice())).collect();
        let current = self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let certificate = CertificateDer::from(certificate);
        current.verifier.verify_client_cert(&certificate, &chain, now).is_ok()
    }
}

/// The stamp is read first: a file that is changed meanwhile is taken up the next time.
fn read(path: &Path) -> Result<Current, BadTls> {
    const NAME: &str = "tls.client_ca_file";
    let unusable = || BadTls::Pem(NAME, "certificates of authorities");
    let stamp = stamp(path);
    let mut roots = RootCertStore::empty();
    for certificate in certificates(NAME, path)? {
        roots.add(certificate).map_err(|_| unusable())?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    Ok(Current { verifier: builder.build().map_err(|_| unusable())?, stamp })
}
