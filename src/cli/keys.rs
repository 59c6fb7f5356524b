//! `narthex keys`: the signing keys of a server.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::cli::open::database;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::keys::algorithm::Algorithm;
use crate::keys::ring::Stage;
use crate::keys::service::{Keys, Listed};
use crate::keys::vault::Vault;

const EXAMPLES: &str = "\
Examples:
  narthex keys list
  narthex keys rotate                                 as happens by itself every keys.rotation_days
  narthex keys rotate --algorithm ES256
  narthex keys rotate --algorithm ES256 --revoke-retired
                                                      the current key has leaked

Of each algorithm there is a key that signs (current) and one that will follow it (next), which is
published already so that nobody is surprised. A retired key stays published for 25 hours, longer
than any token that it signed lives. Servers that run notice within a second.";

/// Lists and rotates the signing keys.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
enum Command {
    /// Show all keys: by algorithm, the oldest first
    List {
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Retire the current keys, let the next ones sign, and announce new ones to follow
    Rotate {
        /// Only the keys of this algorithm: RS256, PS256, ES256 or EdDSA
        #[arg(long)]
        algorithm: Option<Algorithm>,
        /// Remove every retired key at once, whatever its algorithm: tokens that they signed are
        /// refused from then on
        #[arg(long)]
        revoke_retired: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
}

impl KeysArgs {
    /// Runs `narthex keys`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::List { source } => show(&open(&source).await?, output).await?,
            Command::Rotate { algorithm, revoke_retired, source } => {
                let keys = open(&source).await?;
                keys.rotate(algorithm).await?;
                if revoke_retired {
                    keys.remove_retired().await?;
                }
                show(&keys, output).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn open(source: &SourceArgs) -> anyhow::Result<Keys> {
    let loaded = source.load(None)?;
    let (ctx, _) = database(&loaded.config).await?;
    let vault = Vault::new(loaded.config.encryption_key.bytes());
    Ok(Keys::load(&ctx, &vault, &loaded.config.keys).await?)
}

async fn show(keys: &Keys, output: &mut Output) -> anyhow::Result<()> {
    let mut all = keys.list().await?;
    all.sort_by_key(|key| (key.algorithm, key.created_at));
    for key in all {
        output.line(&line(&key))?;
    }
    Ok(())
}

fn line(key: &Listed) -> String {
    let Listed { kid, algorithm, .. } = key;
    let (stage, since) = match key.stage {
        Stage::Next => ("next", Some(key.created_at)),
        Stage::Current => ("current", key.current_at),
        Stage::Retired => ("retired", key.retired_at),
    };
    let since = since.map(minute).unwrap_or_default();
    format!("{kid:43}  {:5}  {stage:7}  since {since}", algorithm.as_str())
}

fn minute(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line() {
        let key = Listed {
            kid: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".to_owned(),
            algorithm: Algorithm::ES256,
            stage: Stage::Current,
            created_at: DateTime::UNIX_EPOCH,
            current_at: Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1)),
            retired_at: None,
        };

        assert_eq!(
            line(&key),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs  ES256  current  since 1970-01-02T00:00:00Z"
        );
    }
}
