//! `narthex config`: what is in force, what is wrong, which keys there are.

use std::process::ExitCode;

use crate::base::entropy::OsEntropy;
use crate::cli::output::Output;
use crate::cli::source::{ListenArgs, SourceArgs};
use crate::config::key_file::generate_text;
use crate::config::show::{keys_as_markdown, keys_as_text, show};

/// Shows and checks the configuration.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what is wrong with the configuration, all of it at once
    Check {
        #[command(flatten)]
        source: SourceArgs,
        #[command(flatten)]
        listen: ListenArgs,
    },
    /// Print the configuration in force as TOML, with the source of each value; secrets are masked
    Show {
        #[command(flatten)]
        source: SourceArgs,
        #[command(flatten)]
        listen: ListenArgs,
    },
    /// List every key with its variable, default and meaning
    Keys {
        /// As a table in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Print a fresh encryption key
    NewKey,
}

impl ConfigArgs {
    /// Runs `narthex config`.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration.
    pub fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Check { source, listen } => {
                source.look(Some(&listen))?;
                output.line("the configuration is fine")?;
            }
            Command::Show { source, listen } => {
                let loaded = source.look(Some(&listen))?;
                output.text(&show(&loaded.settings))?;
            }
            Command::Keys { markdown: true } => output.text(&keys_as_markdown())?,
            Command::Keys { markdown: false } => output.text(&keys_as_text())?,
            Command::NewKey => output.line(&generate_text(&OsEntropy::default()))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
