//! `narthex migrate`: brings the database's schema up to date.

use std::process::ExitCode;

use crate::cli::open::database;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;

/// Brings the database's schema up to date, as every start does.
#[derive(Debug, clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    source: SourceArgs,
}

impl MigrateArgs {
    /// Runs `narthex migrate`.
    ///
    /// # Errors
    /// If the configuration is wrong, or the database cannot be brought up to date.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        let loaded = self.source.load(None)?;
        let (_, ran) = database(&loaded.config).await?;
        for name in &ran {
            output.line(&format!("ran {name}"))?;
        }
        if ran.is_empty() {
            output.line("the schema is up to date already")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
