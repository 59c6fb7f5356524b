//! The one place that reads the environment and files, and hands them to the pure parts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::base::entropy::Entropy;
use crate::config::build::{build, complete, data_dir, is_postgres};
use crate::config::fault::{Fault, Faults};
use crate::config::gather::{Inputs, Settings};
use crate::config::key_file;
use crate::config::model::Config;
use crate::config::table::{FILE_VARIABLE, PREFIX};

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The file, if one was named by flag.
    pub file: Option<PathBuf>,
    /// Flags: how the flag is called, the key that it sets, and its value.
    pub flags: Vec<(String, String, String)>,
    /// Name of the folder in the user's data directory, when no other place is named.
    pub folder: &'static str,
    /// Whether a key may be generated into the data directory for PostgreSQL, too.
    pub own_key: bool,
}

/// The configuration, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to run with.
    pub config: Config,
    /// What was said, completed.
    pub settings: Settings,
}

/// Reads everything, for a command that starts or changes something: makes the data directory and
/// the encryption key if they are missing.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(overrides: &Overrides, entropy: &dyn Entropy) -> Result<Loaded, Faults> {
    resolve(overrides, &environment(), Some(entropy))
}

/// Reads everything, and leaves no trace.
///
/// # Errors
/// As [`load`].
pub fn look(overrides: &Overrides) -> Result<Loaded, Faults> {
    resolve(overrides, &environment(), None)
}

fn environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

fn resolve(
    overrides: &Overrides,
    environment: &[(OsString, OsString)],
    generate: Option<&dyn Entropy>,
) -> Result<Loaded, Faults> {
    let mut faults = Vec::new();
    let inputs = Inputs {
        file: read_file(overrides, environment, &mut faults),
        variables: readable(environment, &mut faults),
        flags: overrides.flags.clone(),
    };
    let (mut settings, mut unclear) = Settings::gather(&inputs);
    faults.append(&mut unclear);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    complete(&mut settings, &default_data_dir(overrides.folder, environment), cores);

    let postgres = is_postgres(&settings);
    // Nothing is made for a configuration that will be refused.
    let generate = generate.filter(|_| faults.is_empty());
    let demand = postgres && !overrides.own_key;
    let key = key_file::place(&settings, &data_dir(&settings), demand).and_then(|place| {
        if generate.is_some() && (!postgres || matches!(place, key_file::KeyPlace::Own(_))) {
            make_folder(&settings)?;
        }
        key_file::fetch(&place, &settings, generate)
    });
    match build(&settings, key) {
        Ok(config) if faults.is_empty() => Ok(Loaded { config, settings }),
        Ok(_) => Err(Faults(faults)),
        Err(mut wrong) => {
            faults.append(&mut wrong);
            Err(Faults(faults))
        }
    }
}

fn variable<'a>(environment: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsString> {
    environment.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Our variables, as text; one that is not UTF-8 is a fault.
fn readable(
    environment: &[(OsString, OsString)],
    faults: &mut Vec<Fault>,
) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in environment {
        let name = name.to_string_lossy();
        match value.to_str() {
            _ if !name.starts_with(PREFIX) => {}
            Some(value) => out.push((name.into_owned(), value.to_owned())),
            None => faults.push(Fault::new(&name, None, "must be UTF-8")),
        }
    }
    // The environment has no order of its own; messages should.
    out.sort();
    out
}

fn read_file(
    overrides: &Overrides,
    environment: &[(OsString, OsString)],
    faults: &mut Vec<Fault>,
) -> Option<(String, String)> {
    let (path, said_by) = match &overrides.file {
        Some(path) => (path.clone(), "--config"),
        None => (PathBuf::from(variable(environment, FILE_VARIABLE)?), FILE_VARIABLE),
    };
    let shown = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => Some((shown, text)),
        Err(error) => {
            faults.push(Fault::new(said_by, None, format!("cannot read {shown}: {error}")));
            None
        }
    }
}

fn default_data_dir(folder: &str, environment: &[(OsString, OsString)]) -> PathBuf {
    let absolute =
        |name| variable(environment, name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map_or_else(|| Path::new(".").join(folder), |base| base.join(folder))
}

fn make_folder(settings: &Settings) -> Result<(), Fault> {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = data_dir(settings);
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|error| {
        let origin = settings.given("data_dir").map(|given| &given.origin);
        Fault::new("data_dir", origin, format!("cannot make {}: {error}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;
    use crate::config::model::Database;

    fn from(flags: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Loaded, String> {
        let flags = flags
            .iter()
            .map(|(key, value)| ("--set".to_owned(), (*key).to_owned(), (*value).to_owned()))
            .collect();
        let variables: Vec<(OsString, OsString)> =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let overrides = Overrides { file: None, flags, folder: "narthex", own_key: false };
        resolve(&overrides, &variables, None).map_err(|faults| faults.to_string())
    }

    #[track_caller]
    fn refused(flags: &[(&str, &str)], expected: &[&str]) {
        let text = from(flags, &[("HOME", "/somewhere")]).unwrap_err();
        let lines: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn without_any_word_it_is_the_default() {
        let loaded = from(&[], &[("HOME", "/somewhere")]).unwrap();

        let folder = Path::new("/somewhere/.local/share/narthex");
        let expected = Config::with_data_dir(
            loaded.config.issuer.clone(),
            "127.0.0.1:8080".parse().unwrap(),
            folder,
            loaded.config.encryption_key.clone(),
        );
        assert_eq!(format!("{:?}", loaded.config), format!("{expected:?}"));
        assert_eq!(loaded.config.issuer.as_str(), "http://127.0.0.1:8080");
        assert!(
            matches!(loaded.config.database, Database::Sqlite { path } if path == folder.join("narthex.db"))
        );
    }

    #[test]
    fn impossible_combinations_name_their_keys() {
        refused(
            &[("issuer", "http://id.example.org"), ("nodes", "2")],
            &[
                "issuer: must begin with https:// unless its host is a loopback address (--set)",
                "nodes: more than one node needs PostgreSQL: set database.url to a postgres:// URL (--set)",
            ],
        );
        refused(
            &[("listen", "0.0.0.0:8080")],
            &[
                "issuer: is missing: listen is not a loopback address, so say under which https:// URL browsers and apps reach this server",
            ],
        );
        refused(
            &[("sessions.idle_seconds", "90000")],
            &["sessions.idle_seconds: must not be longer than sessions.absolute_seconds (--set)"],
        );
        refused(
            &[("database.connections_max", "4")],
            &["database.connections_max: is for PostgreSQL only; leave it out (--set)"],
        );
        let key = "ab".repeat(32);
        refused(
            &[("encryption_key", &key), ("encryption_key_file", "/k")],
            &[
                "encryption_key: is given twice: leave out either encryption_key or encryption_key_file (--set)",
            ],
        );
    }

    #[test]
    fn postgresql_without_an_encryption_key_does_not_start() {
        let url = ("database.url", "postgres://u:hunter2@db/narthex");
        refused(
            &[url],
            &[
                "encryption_key: is missing: with PostgreSQL it must be given, as the same on every node; `narthex config new-key` makes one",
            ],
        );
        let key = "ab".repeat(32);
        assert!(from(&[url, ("encryption_key", &key), ("nodes", "2")], &[]).is_ok());
    }

    #[test]
    fn all_values_are_checked_at_once() {
        refused(
            &[
                ("listen", "8080"),
                ("database.url", "mysql://root:hunter2@db"),
                ("trusted_proxies", "10.0.0.1,proxy.local"),
                ("passwords.argon2_memory_kib", "1024"),
                ("keys.rsa_bits", "2049"),
                ("log.format", "xml"),
                ("log.filter", " "),
                ("encryption_key", "hunter2"),
            ],
            &[
                "listen: must be an address and a port, such as 127.0.0.1:8080 (--set)",
                "database.url: must be sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE (--set)",
                "trusted_proxies: must be IP addresses, such as 10.0.0.1 (--set)",
                "passwords.argon2_memory_kib: must be a whole number from 19456 to 4194304 (--set)",
                "keys.rsa_bits: must be 2048, 3072 or 4096 (--set)",
                "log.format: must be text or json (--set)",
                "log.filter: must not be empty (--set)",
                "encryption_key: must be 256 bits: 64 hexadecimal digits, or their base64 (--set)",
            ],
        );
    }

    #[test]
    fn the_file_may_be_named_by_a_variable_and_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.toml");
        let name = path.to_str().unwrap().to_owned();
        let problem = from(&[], &[("NARTHEX_CONFIG", &name)]).unwrap_err();
        assert!(problem.contains("NARTHEX_CONFIG: cannot read "), "{problem}");

        std::fs::write(&path, "nodes = 1\n[log]\nformat = \"json\"\n").unwrap();
        assert!(from(&[], &[("NARTHEX_CONFIG", &name)]).is_ok());
    }

    #[test]
    fn loading_makes_the_folder_and_the_key_only_for_a_good_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/er");
        let set = |key: &str, value: &str| ("--set".to_owned(), key.to_owned(), value.to_owned());
        let mut overrides = Overrides {
            file: None,
            flags: vec![set("data_dir", place.to_str().unwrap()), set("colour", "red")],
            folder: "narthex",
            own_key: false,
        };
        assert!(resolve(&overrides, &[], Some(&OsEntropy::default())).is_err());
        assert!(!place.exists());

        overrides.flags.pop();
        assert!(resolve(&overrides, &[], Some(&OsEntropy::default())).is_ok());
        assert!(place.join("encryption.key").exists());
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(at in 0..crate::config::table::KEYS.len(), value: String) {
            let key = crate::config::table::KEYS[at];
            let _ = from(&[(key.name, &value)], &[]);
        }
    }
}
