//! TLS of our own, and the certificates of clients.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::build::Reader;
use crate::config::model::Issuer;

/// What is said about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Where TLS is spoken, and as whom; `None` if it ends at a proxy in front.
    pub listener: Option<Listener>,
    /// A PEM file with the authorities whose certificates name apps. Source: RFC 8705
    /// section 2.1.
    pub client_ca_file: Option<PathBuf>,
    /// The header field in which a trusted proxy says which certificate its client showed.
    pub client_certificate_header: Option<String>,
    /// Where clients with certificates are to come, if not to the issuer. Source: RFC 8705
    /// section 5.
    pub client_certificate_url: Option<Issuer>,
}

/// A listener that speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens; if that is where the server listens anyway, there is no plain HTTP.
    pub listen: SocketAddr,
    /// The certificate and what leads to its authority, in PEM.
    pub certificate_file: PathBuf,
    /// Its private key, in PEM.
    pub key_file: PathBuf,
    /// Whether clients are asked for a certificate. None has to have one.
    pub asks_for_certificates: bool,
}

impl Tls {
    /// Whether a client can show a certificate at all.
    pub fn sees_certificates(&self) -> bool {
        self.client_certificate_header.is_some()
            || self.listener.as_ref().is_some_and(|listener| listener.asks_for_certificates)
    }

    /// Where clients with certificates come: the URL that was named, or the issuer, if it is this
    /// server that speaks TLS there.
    pub fn mtls_url(&self, issuer: &Issuer) -> Option<Issuer> {
        if !self.sees_certificates() {
            return None;
        }
        let own = self.listener.as_ref().filter(|_| issuer.is_https()).map(|_| issuer);
        self.client_certificate_url.as_ref().or(own).cloned()
    }
}

impl Reader<'_> {
    pub(in crate::config) fn tls(&mut self, issuer: Option<&Issuer>) -> Tls {
        let header = self.text("tls.client_certificate_header").to_ascii_lowercase();
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_name(&header) || header == "authorization" {
            self.fault("tls.client_certificate_header", "must be the name of a header field");
        }
        if !header.is_empty() && self.text("trusted_proxies").is_empty() {
            self.fault(
                "tls.client_certificate_header",
                "is believed from trusted_proxies only: name them",
            );
        }
        Tls {
            listener: self.tls_listener(issuer),
            client_ca_file: self.file("tls.client_ca_file"),
            client_certificate_header: (!header.is_empty()).then_some(header),
            client_certificate_url: self.client_certificate_url(),
        }
    }

    fn client_certificate_url(&mut self) -> Option<Issuer> {
        const NAME: &str = "tls.client_certificate_url";
        let text = self.text(NAME).to_owned();
        if text.is_empty() {
            return None;
        }
        let url = Issuer::parse(&text).ok().filter(Issuer::is_https);
        if url.is_none() {
            self.fault(NAME, "must be https:// and a host, without a path");
        }
        url
    }

    fn tls_listener(&mut self, issuer: Option<&Issuer>) -> Option<Listener> {
        let files = (self.file("tls.certificate_file"), self.file("tls.key_file"));
        let (certificate_file, key_file) = match files {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => {
                if self.settings.is_given("tls.listen") {
                    self.fault("tls.listen", "needs tls.certificate_file and tls.key_file");
                }
                return None;
            }
            _ => {
                self.fault("tls.certificate_file", "comes with tls.key_file, or not at all");
                return None;
            }
        };
        if issuer.is_some_and(|issuer| !issuer.is_https()) {
            self.fault("issuer", "must begin with https:// if there is a tls.certificate_file");
        }
        let name = if self.settings.is_given("tls.listen") { "tls.listen" } else { "listen" };
        let asks = self.text("tls.client_certificates").to_owned();
        if !matches!(&*asks, "ask" | "ignore") {
            self.fault("tls.client_certificates", "must be ask or ignore");
        }
        let rule = "must be an address and a port, such as 0.0.0.0:8443";
        Some(Listener {
            listen: self.parse(name, rule)?,
            certificate_file,
            key_file,
            asks_for_certificates: asks == "ask",
        })
    }

    pub(in crate::config) fn file(&mut self, name: &str) -> Option<PathBuf> {
        let text = self.text(name);
        let path = (!text.is_empty()).then(|| PathBuf::from(text))?;
        if std::fs::read(&path).is_err() {
            self.fault(name, "cannot be read");
        }
        Some(path)
    }
}
