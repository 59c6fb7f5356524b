//! From what was said to the configuration: every value parsed, every contradiction found. Pure.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use crate::base::id::AccountId;
use crate::base::scope::Scope;
use crate::base::secret::Secret;
use crate::config::fault::{Fault, Origin};
use crate::config::gather::Settings;
use crate::config::model::{
    Config, Database, EncryptionKey, Issuer, Keys, Log, LogFormat, Outbound, Passwords,
    SQLITE_FILE, Sessions, Throttle,
};
use crate::config::registration::{Registration, RegistrationMode};
use crate::config::table::{Kind, find};

/// Fills in the values that follow from others or from the machine.
pub fn complete(settings: &mut Settings, default_data_dir: &Path, cores: usize) {
    let text = |path: &Path| path.display().to_string();
    settings.complete("data_dir", text(default_data_dir));
    settings.complete("passwords.hashes_at_once_max", cores.to_string());
    let database = data_dir(settings).join(SQLITE_FILE);
    settings.complete("database.url", format!("sqlite:{}", text(&database)));
    let listen: Option<SocketAddr> = settings.text("listen").and_then(|text| text.parse().ok());
    if let Some(listen) = listen.filter(|listen| listen.ip().is_loopback()) {
        settings.complete("issuer", Issuer::of_loopback(listen).as_str().to_owned());
    }
}

/// The data directory of completed settings.
pub fn data_dir(settings: &Settings) -> PathBuf {
    PathBuf::from(settings.text("data_dir").unwrap_or_default())
}

/// Whether the database of completed settings is a PostgreSQL server.
pub fn is_postgres(settings: &Settings) -> bool {
    let url = settings.text("database.url").unwrap_or_default();
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Builds the configuration from completed settings.
///
/// # Errors
/// Everything that is wrong, `key`'s fault included.
pub fn build(settings: &Settings, key: Result<EncryptionKey, Fault>) -> Result<Config, Vec<Fault>> {
    let mut reader = Reader { settings, faults: Vec::new() };
    let issuer = reader.issuer();
    let listen = reader
        .parse::<SocketAddr>("listen", "must be an address and a port, such as 127.0.0.1:8080");
    let database = reader.database();
    let nodes = reader.number("nodes");
    let trusted_proxies = reader.proxies();
    let outbound = reader.outbound();
    let tls = reader.tls(issuer.as_ref());
    let step_up = reader.step_up();
    let registration = reader.registration();
    let mail = reader.mail(issuer.as_ref());
    let sign_up = reader.sign_up();
    let account_creation = reader.account_creation();
    let passwords = reader.passwords();
    let sessions = reader.sessions();
    let (keys, audit_retention_days) = (reader.keys(), reader.number("audit.retention_days"));
    let throttle = reader.throttle();
    let file = reader.text("geo.database_file");
    let geo_database_file = (!file.is_empty()).then(|| PathBuf::from(file));
    let log = reader.log();
    if nodes > 1 && matches!(database, Some(Database::Sqlite { .. })) {
        reader.fault(
            "nodes",
            "more than one node needs PostgreSQL: set database.url to a postgres:// URL",
        );
    }
    if data_dir(settings).as_os_str().is_empty() {
        reader.fault("data_dir", "must not be empty");
    }
    let mut faults = reader.faults;
    let encryption_key = key.map_err(|fault| faults.push(fault)).ok();
    match (issuer, listen, database, encryption_key) {
        (Some(issuer), Some(listen), Some(database), Some(encryption_key)) if faults.is_empty() => {
            Ok(Config {
                issuer,
                listen,
                data_dir: data_dir(settings),
                database,
                nodes,
                encryption_key,
                trusted_proxies,
                outbound,
                tls,
                step_up,
                registration,
                mail,
                sign_up,
                account_creation,
                passwords,
                sessions,
                keys,
                audit_retention_days,
                throttle,
                geo_database_file,
                log,
            })
        }
        _ => Err(faults),
    }
}

pub(in crate::config) struct Reader<'a> {
    pub(in crate::config) settings: &'a Settings,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    pub(in crate::config) fn fault(&mut self, name: &str, problem: impl Into<String>) {
        let origin = self.settings.given(name).map(|given| &given.origin);
        self.faults.push(Fault::new(name, origin, problem));
    }

    pub(in crate::config) fn text(&self, name: &str) -> &str {
        self.settings.text(name).unwrap_or_default()
    }

    pub(in crate::config) fn parse<T: FromStr>(&mut self, name: &str, rule: &str) -> Option<T> {
        let parsed = self.text(name).parse().ok();
        if parsed.is_none() {
            self.fault(name, rule);
        }
        parsed
    }

    pub(in crate::config) fn number(&mut self, name: &str) -> u32 {
        let (min, max) = match find(name).map(|key| key.kind) {
            Some(Kind::Number { min, max }) => (min, max),
            _ => (0, u32::MAX),
        };
        let number = self.text(name).parse().ok().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.fault(name, format!("must be a whole number from {min} to {max}"));
        }
        number.unwrap_or(min)
    }

    fn issuer(&mut self) -> Option<Issuer> {
        let Some(text) = self.settings.text("issuer") else {
            let listen: Option<SocketAddr> = self.text("listen").parse().ok();
            if listen.is_some() {
                self.fault(
                    "issuer",
                    "is missing: listen is not a loopback address, so say under which https:// \
                     URL browsers and apps reach this server",
                );
            }
            return None;
        };
        let parsed = Issuer::parse(text);
        parsed.map_err(|bad| self.fault("issuer", bad.to_string())).ok()
    }

    fn database(&mut self) -> Option<Database> {
        let connections_max = self.number("database.connections_max");
        let text = self.text("database.url");
        if is_postgres(self.settings) {
            if url::Url::parse(text).is_ok_and(|url| url.path().len() > 1) {
                let url = Secret::presented(text);
                return Some(Database::Postgres { url, connections_max });
            }
        } else if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            if let Some(Origin::File { .. } | Origin::Variable(_) | Origin::Flag(_)) =
                self.settings.given("database.connections_max").map(|given| &given.origin)
            {
                self.fault("database.connections_max", "is for PostgreSQL only; leave it out");
            }
            return Some(Database::Sqlite { path });
        }
        self.fault(
            "database.url",
            "must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        );
        None
    }

    fn outbound(&mut self) -> Outbound {
        let allowed_hosts: Vec<String> = self.list("outbound.allowed_hosts");
        if allowed_hosts.iter().any(|host| host.is_empty() || host.contains(['/', '*', '@'])) {
            self.fault("outbound.allowed_hosts", "must be hosts, such as 127.0.0.1:9000");
        }
        let ca_file = self.text("outbound.ca_file");
        let ca_file = (!ca_file.is_empty()).then(|| PathBuf::from(ca_file));
        if ca_file.as_ref().is_some_and(|path| std::fs::read(path).is_err()) {
            self.fault("outbound.ca_file", "cannot be read");
        }
        Outbound { allowed_hosts, ca_file }
    }

    fn proxies(&mut self) -> Vec<IpAddr> {
        let texts: Vec<String> = self.list("trusted_proxies");
        let parsed: Option<Vec<IpAddr>> = texts.iter().map(|text| text.parse().ok()).collect();
        match parsed {
            Some(addresses) if !addresses.iter().any(IpAddr::is_unspecified) => addresses,
            _ => {
                self.fault("trusted_proxies", "must be IP addresses, such as 10.0.0.1");
                Vec::new()
            }
        }
    }

    pub(in crate::config) fn list(&self, name: &str) -> Vec<String> {
        let items = self.text(name).split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn account(&mut self, name: &str) -> Option<AccountId> {
        match self.text(name) {
            "" => None,
            _ => self.parse(name, "must be the id of an account"),
        }
    }

    fn registration(&mut self) -> Registration {
        let mode = match self.text("registration.mode") {
            "closed" => RegistrationMode::Closed,
            "token" => RegistrationMode::Token,
            "open" => RegistrationMode::Open,
            _ => {
                self.fault("registration.mode", "must be closed, token or open");
                RegistrationMode::Closed
            }
        };
        let account = self.account("registration.account");
        if mode == RegistrationMode::Open && account.is_none() {
            self.fault("registration.account", "is missing: the mode open needs it");
        }
        let scopes = self.list("registration.allowed_scopes").join(" ");
        let allowed_scopes = Scope::parse(&scopes).unwrap_or_default();
        if allowed_scopes.is_empty() {
            self.fault("registration.allowed_scopes", "must be scopes, such as openid");
        }
        Registration {
            mode,
            account,
            platform_account: self.account("platform.account"),
            allowed_scopes,
            per_hour_max: self.number("registration.per_hour_max"),
            total_max: self.number("registration.total_max"),
        }
    }

    fn passwords(&mut self) -> Passwords {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let list_file = self.text("passwords.list_file");
        let list_file = (!list_file.is_empty()).then(|| PathBuf::from(list_file));
        if list_file.as_ref().is_some_and(|path| std::fs::File::open(path).is_err()) {
            self.fault("passwords.list_file", "cannot be read");
        }
        Passwords {
            argon2_memory_kib: self.number("passwords.argon2_memory_kib"),
            argon2_passes: self.number("passwords.argon2_passes"),
            hashes_at_once_max: size(self.number("passwords.hashes_at_once_max")),
            hashes_waiting_max: size(self.number("passwords.hashes_waiting_max")),
            list_file,
        }
    }

    fn sessions(&mut self) -> Sessions {
        let sessions = Sessions {
            idle_seconds: self.number("sessions.idle_seconds"),
            absolute_seconds: self.number("sessions.absolute_seconds"),
        };
        if sessions.idle_seconds > sessions.absolute_seconds {
            self.fault(
                "sessions.idle_seconds",
                "must not be longer than sessions.absolute_seconds",
            );
        }
        sessions
    }

    fn keys(&mut self) -> Keys {
        let keys = Keys {
            rotation_days: self.number("keys.rotation_days"),
            rsa_bits: self.number("keys.rsa_bits"),
        };
        if !matches!(keys.rsa_bits, 2_048 | 3_072 | 4_096) {
            self.fault("keys.rsa_bits", "must be 2048, 3072 or 4096");
        }
        keys
    }

    fn throttle(&mut self) -> Throttle {
        Throttle {
            free_failures: self.number("throttle.free_failures"),
            backoff_seconds_max: self.number("throttle.backoff_seconds_max"),
        }
    }

    fn log(&mut self) -> Log {
        let format = match self.text("log.format") {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ => {
                self.fault("log.format", "must be text or json");
                LogFormat::Text
            }
        };
        let filter = self.text("log.filter").to_owned();
        if let Some(problem) = filter_problem(&filter) {
            self.fault("log.filter", problem);
        }
        Log { format, filter }
    }
}

fn filter_problem(filter: &str) -> Option<String> {
    if filter.trim().is_empty() {
        return Some("must not be empty".to_owned());
    }
    EnvFilter::builder().parse(filter).err().map(|error| format!("is not a filter: {error}"))
}
