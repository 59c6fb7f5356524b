//! The configuration of a server, as the rest of the program sees it: parsed, complete, consistent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use url::{Host, Url};
use zeroize::Zeroizing;

use crate::base::secret::Secret;
use crate::config::accounts::AccountCreation;
use crate::config::mail::Mail;
use crate::config::registration::Registration;
use crate::config::sign_up::SignUp;
use crate::config::step_up::StepUp;
use crate::config::tls::Tls;

/// Everything that a server is told from outside.
#[derive(Clone, Debug)]
pub struct Config {
    /// The URL that names this server: `iss` in every token.
    pub issuer: Issuer,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The folder for what it keeps in files.
    pub data_dir: PathBuf,
    /// Where its data lies.
    pub database: Database,
    /// How many processes serve this issuer at once.
    pub nodes: u32,
    /// What seals secrets at rest.
    pub encryption_key: EncryptionKey,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// What requests of ours to others may reach.
    pub outbound: Outbound,
    /// TLS of our own, and the certificates of clients.
    pub tls: Tls,
    /// What is asked of a sign-in at sensitive routes.
    pub step_up: StepUp,
    /// Who may register apps over HTTP.
    pub registration: Registration,
    /// How letters leave.
    pub mail: Mail,
    /// Who may make a user of their own.
    pub sign_up: SignUp,
    /// Who may make accounts through the API.
    pub account_creation: AccountCreation,
    /// How passwords are hashed.
    pub passwords: Passwords,
    /// How long people stay signed in.
    pub sessions: Sessions,
    /// How signing keys are made and replaced.
    pub keys: Keys,
    /// For how many days the record of who did what is kept; 0: for ever.
    pub audit_retention_days: u32,
    /// How guessing is slowed down.
    pub throttle: Throttle,
    /// A database of where addresses are.
    pub geo_database_file: Option<PathBuf>,
    /// What is logged, and how.
    pub log: Log,
}

impl Config {
    /// Defaults on SQLite in `data_dir`, for `listen`: what a server is without any file.
    pub fn with_data_dir(
        issuer: Issuer,
        listen: SocketAddr,
        data_dir: &Path,
        encryption_key: EncryptionKey,
    ) -> Self {
        let mail = Mail::with_data_dir(&issuer, data_dir);
        Self {
            issuer,
            listen,
            data_dir: data_dir.to_owned(),
            database: Database::Sqlite { path: data_dir.join(SQLITE_FILE) },
            nodes: 1,
            encryption_key,
            trusted_proxies: Vec::new(),
            outbound: Outbound::default(),
            tls: Tls::default(),
            step_up: StepUp::default(),
            registration: Registration::default(),
            mail,
            sign_up: SignUp::default(),
            account_creation: AccountCreation::default(),
            passwords: Passwords::default(),
            sessions: Sessions::default(),
            keys: Keys::default(),
            audit_retention_days: 0,
            throttle: Throttle::default(),
            geo_database_file: None,
            log: Log::default(),
        }
    }

    /// A server for tests: SQLite in `data_dir`, a fixed encryption key, cheap passwords.
    pub fn for_test(data_dir: &Path) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let key = EncryptionKey::new([7; 32]);
        let mut config = Self::with_data_dir(Issuer::of_loopback(listen), listen, data_dir, key);
        config.passwords.argon2_memory_kib = 64;
        config.passwords.argon2_passes = 1;
        config
    }
}

/// Name of the SQLite file in the data directory.
pub const SQLITE_FILE: &str = "narthex.db";

/// The URL that names a server: `https://id.example.org`, without path and trailing slash.
///
/// `http` only on loopback addresses. Source: RFC 8414 section 2, RFC 9700 section 2.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

/// Why a text is not an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIssuer {
    /// Not an absolute http or https URL.
    #[error("must be a URL such as https://id.example.org")]
    NotUrl,
    /// Something after the host and port, or a user before it.
    #[error("must be only scheme, host and port: no path, query, fragment or user")]
    Extra,
    /// `http` for a host that is reached over a network.
    #[error("must begin with https:// unless its host is a loopback address")]
    PlainHttp,
}

impl Issuer {
    /// Parses an issuer; one trailing slash is forgiven.
    ///
    /// # Errors
    /// The first rule of [`BadIssuer`] that the text breaks.
    pub fn parse(text: &str) -> Result<Self, BadIssuer> {
        let url = Url::parse(text).map_err(|_| BadIssuer::NotUrl)?;
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(BadIssuer::NotUrl);
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(BadIssuer::Extra);
        }
        let loopback = match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() == "http" && !loopback {
            return Err(BadIssuer::PlainHttp);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The issuer of a server that people reach only from the same machine.
    pub fn of_loopback(listen: SocketAddr) -> Self {
        let shown = if listen.ip().is_loopback() {
            listen
        } else {
            SocketAddr::from((Ipv4Addr::LOCALHOST, listen.port()))
        };
        // Port 80 is left out, as a URL does.
        Self::parse(&format!("http://{shown}")).unwrap_or_else(|_| Self(format!("http://{shown}")))
    }

    /// The issuer as it stands in tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers reach it over TLS: decides the cookies' names and attributes.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// An absolute URL of this server; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The origin that browsers see. Source: RFC 6454 section 6.2.
    pub fn origin(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite {
        /// Its path.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// `postgres://user:password@host:port/database`
        url: Secret,
        /// Most connections at once.
        connections_max: u32,
    },
}

/// 256 bits that seal secrets at rest.
#[derive(Clone)]
pub struct EncryptionKey(Zeroizing<[u8; 32]>);

impl EncryptionKey {
    /// The key made of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the vault.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(..)")
    }
}

/// What requests of ours to others may reach beyond public addresses over https.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Hosts, each with or without a port, that may have private addresses and plain http: for
    /// development and tests.
    pub allowed_hosts: Vec<String>,
    /// A PEM file with authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
}

/// How passwords are hashed. Source: RFC 9106 section 4, OWASP's minimum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// Memory of one hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_passes: u32,
    /// Hashes computed at the same time.
    pub hashes_at_once_max: usize,
    /// Sign-ins that may wait for their turn; more are answered with 503.
    pub hashes_waiting_max: usize,
    /// A file of common passwords besides those that are built in, one in each line.
    pub list_file: Option<PathBuf>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            argon2_memory_kib: 19_456,
            argon2_passes: 2,
            hashes_at_once_max: cores,
            hashes_waiting_max: 64,
            list_file: None,
        }
    }
}

/// How long people stay signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Seconds without a request after which a session ends.
    pub idle_seconds: u32,
    /// Seconds after which a session ends in any case.
    pub absolute_seconds: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_seconds: 3_600, absolute_seconds: 43_200 }
    }
}

/// How signing keys are made and replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Age in days at which the next key takes over.
    pub rotation_days: u32,
    /// Length of new RSA keys.
    pub rsa_bits: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self { rotation_days: 90, rsa_bits: 2_048 }
    }
}

/// How guessing is slowed down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Wrong guesses that cost nothing.
    pub free_failures: u32,
    /// Longest wait that one more wrong guess can cause, in seconds.
    pub backoff_seconds_max: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { free_failures: 5, backoff_seconds_max: 900 }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The shape of a line.
    pub format: LogFormat,
    /// What to log, in the syntax of `RUST_LOG`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_scheme_host_and_port() {
        let good = |text: &str| Issuer::parse(text).unwrap().as_str().to_owned();
        assert_eq!(good("https://id.example.org"), "https://id.example.org");
        assert_eq!(good("https://ID.example.org:443/"), "https://id.example.org");
        assert_eq!(good("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(good("http://[::1]:8080"), "http://[::1]:8080");
        assert_eq!(good("http://localhost:8080"), "http://localhost:8080");

        let bad = |text: &str| Issuer::parse(text).unwrap_err();
        assert_eq!(bad("id.example.org"), BadIssuer::NotUrl);
        assert_eq!(bad("ftp://id.example.org"), BadIssuer::NotUrl);
        assert_eq!(bad(""), BadIssuer::NotUrl);
        assert_eq!(bad("http://id.example.org"), BadIssuer::PlainHttp);
        assert_eq!(bad("http://localhost.evil.test"), BadIssuer::PlainHttp);
        assert_eq!(bad("https://id.example.org/tenant"), BadIssuer::Extra);
        assert_eq!(bad("https://id.example.org?x"), BadIssuer::Extra);
        assert_eq!(bad("https://id.example.org#"), BadIssuer::Extra);
        assert_eq!(bad("https://user@id.example.org"), BadIssuer::Extra);
    }

    #[test]
    fn a_loopback_issuer_follows_the_address() {
        let of = |text: &str| Issuer::of_loopback(text.parse().unwrap()).as_str().to_owned();
        assert_eq!(of("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(of("[::1]:8080"), "http://[::1]:8080");
        assert_eq!(of("0.0.0.0:80"), "http://127.0.0.1");
    }

    #[test]
    fn an_encryption_key_does_not_show_in_debug_output() {
        let config = Config::for_test(Path::new("/nowhere"));

        assert!(format!("{config:?}").contains("EncryptionKey(..)"));
    }
}
