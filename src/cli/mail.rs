//! `narthex mail`: whether letters arrive.

use std::process::ExitCode;

use crate::base::clock::SystemClock;
use crate::base::entropy::OsEntropy;
use crate::cli::Misuse;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::config::model::Config;
use crate::keys::vault::Vault;
use crate::mail::model::{Letter, is_address};
use crate::mail::service::Mail;
use crate::words::Language;

const EXAMPLES: &str = "\
Examples:
  narthex mail test you@example.org
  narthex mail test you@example.org --language de --config /etc/narthex.toml

The letter leaves at once, past the queue, by the way that mail.smtp_url names; without one it
becomes a file in mail.directory. What the server answered is printed.";

/// Sends a letter by the configured way.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct MailArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Send one letter now, and say what happened
    Test {
        /// Where it goes
        address: String,
        /// Language of the letter: en or de
        #[arg(long, default_value = "en", value_parser = language)]
        language: Language,
        #[command(flatten)]
        source: SourceArgs,
    },
}

fn language(text: &str) -> Result<Language, &'static str> {
    Language::of_tag(text).ok_or("must be en or de")
}

impl MailArgs {
    /// Runs `narthex mail`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        let Command::Test { address, language, source } = self.command;
        if !is_address(&address) {
            return Err(Misuse("ADDRESS must be one plain e-mail address".to_owned()).into());
        }
        let config = source.load(None)?.config;
        let said = send(&config, address, language).await?;
        output.line(&format!("it left: {said}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn send(config: &Config, to: String, language: Language) -> anyhow::Result<String> {
    let mail = Mail::new(config, &Vault::new(config.encryption_key.bytes()))?;
    let url = config.issuer.as_str();
    let host = url.split_once("://").map_or(url, |(_, host)| host).to_owned();
    let letter = Letter {
        to,
        language,
        kind: "mail-test",
        values: vec![("host", host)],
        link: Some(config.issuer.url("/")),
    };
    let sent = mail.send_now(&letter, &SystemClock, &OsEntropy::default()).await;
    sent.map_err(|unsent| match &*unsent.detail {
        "" => anyhow::anyhow!("{}", unsent.reason),
        detail => anyhow::anyhow!("{}: {detail}", unsent.reason),
    })
}
