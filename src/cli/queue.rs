//! `narthex queue`: what could not be delivered.

use std::process::ExitCode;

use anyhow::ensure;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record_alone;
use crate::cli::open::database;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::queue::model::Dead;
use crate::queue::service::Queue;

const EXAMPLES: &str = "\
Examples:
  narthex queue dead
  narthex queue retry 4711
  narthex queue retry --all             the mail server works again

Letters and notices to apps are tried eight times within 27 hours, then given up and kept for a week.
Those that are tried again are so from the first attempt on, by a server that runs.";

/// Lists jobs that were given up, and tries them again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct QueueArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what was given up: number, kind, attempts, when it began and when it ended
    Dead {
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Try again what was given up
    Retry {
        /// Number of a job
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<i64>,
        /// All of them
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        source: SourceArgs,
    },
}

impl QueueArgs {
    /// Runs `narthex queue`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Dead { source } => {
                for dead in open(&source).await?.dead().await? {
                    output.line(&line(&dead))?;
                }
            }
            Command::Retry { id, all: _, source } => {
                let (ctx, _) = database(&source.load(None)?.config).await?;
                let count = Queue::new(&ctx).revive(id).await?;
                ensure!(count > 0 || id.is_none(), "no job of this number was given up");
                let target = id.map_or_else(|| "all".to_owned(), |id| id.to_string());
                let event = Event::new(Action::Execute, "job", target);
                let event = event.after(json!({ "again": count }));
                record_alone(&ctx, &Actor::operator(), event).await?;
                output.line(&format!("{count} will be tried again"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn open(source: &SourceArgs) -> anyhow::Result<Queue> {
    let (ctx, _) = database(&source.load(None)?.config).await?;
    Ok(Queue::new(&ctx))
}

fn line(dead: &Dead) -> String {
    let Dead { id, kind, attempts, .. } = dead;
    let (from, to) = (second(dead.created_at), second(dead.dead_at));
    format!("{id:8}  {kind:20}  {attempts} attempts  from {from}  given up {to}")
}

fn second(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line() {
        let dead = Dead {
            id: 4711,
            kind: "mail".to_owned(),
            attempts: 8,
            created_at: DateTime::UNIX_EPOCH,
            dead_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(27),
        };

        assert_eq!(
            line(&dead),
            "    4711  mail                  8 attempts  from 1970-01-01T00:00:00Z  given up 1970-01-02T03:00:00Z"
        );
    }
}
