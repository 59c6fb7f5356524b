//! `narthex app registration-token`: leave for somebody to register apps over HTTP.

use anyhow::Context as _;

use crate::accounts::service::Accounts;
use crate::base::id::AccountId;
use crate::cli::open::database;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::config::registration::RegistrationMode;
use crate::oauth::registration::initial;

/// Makes an initial access token.
#[derive(Debug, clap::Args)]
pub struct RegistrationTokenArgs {
    /// The account that will own the apps
    #[arg(long, value_name = "ID")]
    account: AccountId,
    /// How many apps it registers
    #[arg(long, value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(initial::USES_MAX)))]
    uses: u32,
    /// How long it is good
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(initial::SECONDS_MAX)))]
    seconds: u32,
    #[command(flatten)]
    source: SourceArgs,
}

impl RegistrationTokenArgs {
    /// Prints a token.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<()> {
        let config = self.source.load(None)?.config;
        let (ctx, _) = database(&config).await?;
        let account = Accounts::new(&ctx).find(&self.account).await?;
        let account = account.context("there is no such account")?;
        let token = initial::give_out(&ctx, &account.id, self.uses, self.seconds).await?;
        output.line(&format!("token  {}", token.reveal()))?;
        if config.registration.mode == RegistrationMode::Closed {
            output
                .line("registration.mode is closed: the server does not say where to register")?;
        }
        Ok(())
    }
}
