//! The command line: words to one call, and the outcome to an exit code and a message for people.

pub mod app;
pub mod apply;
pub mod audit;
pub mod bench;
pub mod config;
pub mod demo;
pub mod keys;
pub mod logging;
pub mod mail;
pub mod migrate;
pub mod open;
pub mod output;
pub mod policy;
pub mod prompt;
pub mod queue;
pub mod registration_token;
pub mod runner;
pub mod serve;
pub mod source;
pub mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::fs::Mode;

use crate::cli::app::AppArgs;
use crate::cli::apply::ApplyArgs;
use crate::cli::audit::AuditArgs;
use crate::cli::bench::BenchArgs;
use crate::cli::config::ConfigArgs;
use crate::cli::demo::DemoArgs;
use crate::cli::keys::KeysArgs;
use crate::cli::mail::MailArgs;
use crate::cli::migrate::MigrateArgs;
use crate::cli::output::{Output, report};
use crate::cli::policy::PolicyArgs;
use crate::cli::queue::QueueArgs;
use crate::cli::serve::ServeArgs;
use crate::cli::user::UserArgs;
use crate::config::fault::Faults;

const EXAMPLES: &str = "\
Try it:
  narthex demo                     everything on SQLite, with users and an app to click through
  narthex serve                    a server in a data directory of its own, keys generated

Set up a server from a file:
  narthex apply --dry-run site.yaml
  narthex apply site.yaml

Configuration: a TOML file (--config or NARTHEX_CONFIG), NARTHEX_* variables, flags, each over the
one before. `narthex config keys` lists every key, `narthex config show` says what is in force.

Exit codes: 0 done, 1 failed, 2 the command line, the configuration or a given file is wrong.";

/// OAuth 2.0 and OpenID Connect provider.
#[derive(Debug, Parser)]
#[command(name = "narthex", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server with users and an app to click through
    Demo(DemoArgs),
    /// Start a server
    Serve(ServeArgs),
    /// Make the server agree with a file that declares users, accounts and apps
    Apply(ApplyArgs),
    /// Bring the database's schema up to date
    Migrate(MigrateArgs),
    /// Show and check the configuration
    Config(ConfigArgs),
    /// Make users and set their credentials
    User(UserArgs),
    /// Register apps and rotate their secrets
    App(AppArgs),
    /// List and rotate the signing keys
    Keys(KeysArgs),
    /// Find out whether letters arrive
    Mail(MailArgs),
    /// See what could not be delivered, and try it again
    Queue(QueueArgs),
    /// Verify the record of who did what, and export it
    Audit(AuditArgs),
    /// Check and evaluate policies, without a server
    Policy(PolicyArgs),
    /// Measure what this machine serves
    Bench(Box<BenchArgs>),
}

/// A failure that is the caller's: a wrong flag, configuration or file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    // Whatever is written, keys and databases above all, is for its owner.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            let is_misuse = error.is::<Misuse>() || error.is::<Faults>();
            ExitCode::from(if is_misuse { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    match cli.command {
        Command::Demo(args) => block_on(args.run(&mut output)),
        Command::Serve(args) => block_on(args.run(&mut output)),
        Command::Apply(args) => block_on(args.run(&mut output)),
        Command::Migrate(args) => block_on(args.run(&mut output)),
        Command::Config(args) => args.run(&mut output),
        Command::User(args) => block_on(args.run(&mut output)),
        Command::App(args) => block_on(args.run(&mut output)),
        Command::Keys(args) => block_on(args.run(&mut output)),
        Command::Mail(args) => block_on(args.run(&mut output)),
        Command::Queue(args) => block_on(args.run(&mut output)),
        Command::Audit(args) => block_on(args.run(&mut output)),
        Command::Policy(args) => {
            policy::run(&args, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
        }
        Command::Bench(args) => block_on(bench::run(*args)).map(|()| ExitCode::SUCCESS),
    }
}

/// Runs `task` on a runtime of all cores.
fn block_on<T>(task: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(task)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
