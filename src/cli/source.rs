//! The flags that say which configuration is meant, shared by all commands that need one.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::entropy::OsEntropy;
use crate::config::fault::Faults;
use crate::config::load::{Loaded, Overrides, load, look};

/// Name of the folder in the user's data directory.
const FOLDER: &str = "narthex";

/// Which configuration is meant.
#[expect(clippy::doc_markdown, reason = "what stands here is shown as help, in plain text")]
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct SourceArgs {
    /// TOML file with the configuration [env: NARTHEX_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the SQLite file and the generated encryption key [env: NARTHEX_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE [env: NARTHEX_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Set any key; may be repeated. `narthex config keys` lists them
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

/// Where a server listens and how it is called.
#[expect(clippy::doc_markdown, reason = "what stands here is shown as help, in plain text")]
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub struct ListenArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080] [env: NARTHEX_LISTEN]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// URL that names this server, as browsers and apps reach it [env: NARTHEX_ISSUER]
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl SourceArgs {
    /// What these flags say, with those of `listen` if the command has them.
    pub fn overrides(&self, listen: Option<&ListenArgs>) -> Overrides {
        let mut flags = Vec::new();
        let mut add = |flag: &str, key: &str, value: Option<String>| {
            if let Some(value) = value {
                flags.push((flag.to_owned(), key.to_owned(), value));
            }
        };
        for (key, value) in &self.set {
            add("--set", key, Some(value.clone()));
        }
        add("--data-dir", "data_dir", self.data_dir.clone());
        add("--database-url", "database.url", self.database_url.clone());
        if let Some(listen) = listen {
            add("--listen", "listen", listen.listen.map(|address| address.to_string()));
            add("--issuer", "issuer", listen.issuer.clone());
        }
        Overrides { file: self.config.clone(), flags, folder: FOLDER, own_key: false }
    }

    /// The configuration, for a command that starts or changes something.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, listen: Option<&ListenArgs>) -> Result<Loaded, Faults> {
        load(&self.overrides(listen), &OsEntropy::default())
    }

    /// The configuration, for a command that only looks.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn look(&self, listen: Option<&ListenArgs>) -> Result<Loaded, Faults> {
        look(&self.overrides(listen))
    }
}
