//! `narthex audit`: whether the record of who did what is whole, and what stands in it.

use std::process::ExitCode;

use anyhow::ensure;

use crate::accounts::service::Accounts;
use crate::audit::fhir::audit_event;
use crate::audit::service::stretch;
use crate::audit::verify::{Found, missing, verify};
use crate::base::id::AccountId;
use crate::cli::open::database;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::config::model::{Config, Database};

const EXAMPLES: &str = "\
Examples:
  narthex audit verify
  narthex audit export --account acme > acme.ndjson
  narthex audit export > server.ndjson          what belongs to no account

Each account has a chain of entries, in which every digest covers the entry before, and the end of each
is sealed by a key that is not in the database. `verify` ends with code 1 if an entry was changed, removed
or put in. Whoever may write to the database could put all of it back to what it was some day: keep what
verify prints of the ends of the chains, or the log, where they cannot.";

/// How many entries are read at once.
const STRETCH: u32 = 1_000;

/// Verifies the record of who did what, and exports it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check that no entry was changed or removed
    Verify {
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Write entries as FHIR R4 audit events, one a line, the oldest first
    Export {
        /// Whose; without it, what belongs to no account
        #[arg(long)]
        account: Option<AccountId>,
        #[command(flatten)]
        source: SourceArgs,
    },
}

impl AuditArgs {
    /// Runs `narthex audit`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Verify { source } => {
                let config = source.load(None)?.config;
                is_there(&config)?;
                let (ctx, _) = database(&config).await?;
                let mut found = verify(&ctx.db, ctx.seal.as_ref()).await?;
                // Making an account is recorded: one without a chain has lost it.
                for account in Accounts::new(&ctx).ids().await? {
                    if !found.iter().any(|found| found.chain == account.as_str()) {
                        found.push(missing(account.to_string()));
                    }
                }
                for found in &found {
                    output.line(&line(found))?;
                }
                let is_whole = found.iter().all(|found| found.fault.is_none());
                Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Command::Export { account, source } => {
                let config = source.load(None)?.config;
                is_there(&config)?;
                let (ctx, _) = database(&config).await?;
                let mut after = 0;
                loop {
                    let entries = stretch(&ctx.db, account.as_ref(), after, STRETCH).await?;
                    let Some(last) = entries.last() else {
                        let is_there = after > 0 || account.is_none();
                        ensure!(is_there, "nothing is recorded of this account");
                        return Ok(ExitCode::SUCCESS);
                    };
                    after = last.seq;
                    for entry in &entries {
                        output.line(&audit_event(entry, config.issuer.as_str()).to_string())?;
                    }
                }
            }
        }
    }
}

/// A path that leads nowhere is no whole record.
fn is_there(config: &Config) -> anyhow::Result<()> {
    if let Database::Sqlite { path } = &config.database {
        ensure!(path.exists(), "there is no database at {}", path.display());
    }
    Ok(())
}

fn line(found: &Found) -> String {
    let name = if found.chain.is_empty() { "(no account)" } else { &found.chain };
    match found.fault {
        None => {
            format!(
                "{name:16}  {} entries, whole, ends in {}",
                found.entries,
                String::from(found.head)
            )
        }
        Some((seq, fault)) => format!("{name:16}  entry {seq}: {fault}"),
    }
}
