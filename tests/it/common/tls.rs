//! TLS as operators set it up, and clients with certificates.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use narthex::config::model::{self, Config};
use narthex::config::tls::Listener;
use narthex::http;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CipherSuite, ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Identity {
    /// One that vouches for itself.
    pub fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(name, &[]).self_signed(&key).expect("a certificate");
        Self { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// The encoding of the certificate.
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("a certificate").to_vec()
    }
}

/// An authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: String,
}

impl Authority {
    /// A fresh one.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Has a server take its word for clients.
    pub fn trusted_by(&self, config: &mut Config) {
        let path = config.data_dir.join("clients.pem");
        std::fs::write(&path, &self.certificate).expect("written");
        config.tls.client_ca_file = Some(path);
    }

    /// A certificate for a client.
    pub fn client(&self, name: &str, hosts: &[&str]) -> Identity {
        self.issue(params(name, hosts))
    }

    /// A certificate made to measure.
    pub fn issue(&self, mut params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// What a certificate is to say.
pub fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params.distinguished_name.push(DnType::OrganizationName, "Acme, Inc.");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A server that speaks TLS, too.
pub struct TlsServer {
    pub server: TestServer,
    pub address: SocketAddr,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
    _stop: DropGuard,
}

impl TlsServer {
    /// A server with the world of `world.yaml`, and a certificate for `localhost`; `bend` changes
    /// the rest of its configuration.
    pub async fn start(db: Kind, bend: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut files = None;
        let server = TestServer::start_with(db, |config| {
            let place = |name: &str| config.data_dir.join(name);
            let (certificate_file, key_file) = (place("tls.crt"), place("tls.key"));
            write(&certificate_file, &key_file, &server_identity());
            files = Some((certificate_file.clone(), key_file.clone()));
            config.tls.listener = Some(Listener {
                listen: address,
                certificate_file,
                key_file,
                asks_for_certificates: true,
            });
            config.tls.client_certificate_url =
                model::Issuer::parse(&format!("https://{address}")).ok();
            bend(config);
        })
        .await;
        server.apply(include_str!("world.yaml")).await;
        let stop = CancellationToken::new();
        let tls = server.server.tls.clone().expect("TLS");
        let router = http::router(server.server.clone());
        tokio::spawn(http::serve_tls::serve(router, listener, tls, stop.clone()));
        let (certificate_file, key_file) = files.expect("files");
        Self { server, address, certificate_file, key_file, _stop: stop.drop_guard() }
    }

    /// Puts another certificate in place, as an operator does.
    pub fn replace(&self, identity: &Identity) {
        write(&self.certificate_file, &self.key_file, identity);
    }

    /// An HTTP client that trusts the server, with a certificate or without.
    pub fn client(&self, identity: Option<&Identity>) -> Browser {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .danger_accept_invalid_certs(true);
        if let Some(identity) = identity {
            let pem = format!("{}{}", identity.certificate, identity.key);
            let identity = reqwest::Identity::from_pem(pem.as_bytes()).expect("an identity");
            builder = builder.identity(identity);
        }
        Browser::over(builder.build().expect("a client"), &format!("https://{}", self.address))
    }

    /// A bare TLS connection: the handshake, or why there is none.
    pub async fn handshake(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        suites: Option<&[CipherSuite]>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut provider = aws_lc_rs::default_provider();
        if let Some(suites) = suites {
            provider.cipher_suites.retain(|suite| suites.contains(&suite.suite()));
        }
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(&self.certificate_file).expect("a certificate");
        roots.add(CertificateDer::from_pem_slice(&pem).expect("a certificate")).expect("a root");
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

/// A certificate for `localhost`.
pub fn server_identity() -> Identity {
    let key = KeyPair::generate().expect("a key");
    let certificate = params("localhost", &["localhost"]).self_signed(&key).expect("a certificate");
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn write(certificate: &PathBuf, key: &PathBuf, identity: &Identity) {
    std::fs::write(certificate, &identity.certificate).expect("written");
    std::fs::write(key, &identity.key).expect("written");
    assert!(PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).is_ok());
}
