//! `narthex bench`: a closed-loop load program for whoever sizes a machine.

mod accounts;
pub mod agent;
pub mod client;
pub mod flow;
pub mod form;
pub mod limits;
pub mod load;
mod measure;
pub mod own_server;
pub mod process;
pub mod report;
pub mod session;
pub mod setup_file;
pub mod stats;
pub mod store_accounts;
pub mod target;
pub mod tour;
pub mod worker;

use std::path::PathBuf;

use crate::base::entropy::OsEntropy;
use crate::cli::bench::flow::Flow;
use crate::cli::bench::setup_file::SetupFile;
use crate::cli::output::Output;

/// What the long help ends with.
const HELP: &str = "\
By default a server of this very program is started on one core, with a data directory of its own, \
set up with 1,000 policies, and ended again. To measure one that runs already, set it up with

    narthex bench --print-setup > bench.json && narthex apply bench.json
    narthex bench --url http://127.0.0.1:8080 --setup-file bench.json --server-pid PID

and remove the account, the apps and the user called bench afterwards: their secrets are in the file.

Each connection sends its next request when it has the answer to the last. Answers are checked: \
what is refused, or lacks what it should contain, is an error. One unit of `code` is an \
authorization request in a signed-in session and the exchange of its code.

The report as JSON:

    setting   version, build, processor, server, server_cores, load_cores, connections, seconds
    limits    es256_signatures_per_second, rs256_signatures_per_second, argon2id_per_second,
              sha256_64_bytes_per_second, durable_writes_per_second: of one core of this machine,
              by CPU time; durable writes (4 KiB, then fdatasync) by the clock
    server    ready_millis (start of the program to the first answer, on an existing database),
              idle_kib, after_kib (resident memory)
    flows     a list: flow, per_second, p50_micros, p95_micros, p99_micros, max_micros, good,
              errors, first_error, server_cpu_micros (of all threads, for one unit), bar_micros
    breaches  a list of texts: figures over their bars, filled by --check-bars

With --accounts N the report is of another kind: few and many, each with the rows of the database, the \
number of active users, first_cpu_micros (each one's first request after a start) and the figures of \
projects and evaluation; ratio (of server_cpu_micros of projects), ratio_max, and breaches.

What is not known is null.";

/// What `narthex bench` is told.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct BenchArgs {
    /// Measure this running server (http only) instead of one that is started for the purpose
    #[arg(long, value_name = "URL", requires = "setup_file")]
    pub url: Option<String>,
    /// The set-up that the running server was given: see --print-setup
    #[arg(long, value_name = "FILE", requires = "url")]
    pub setup_file: Option<PathBuf>,
    /// Process id of the running server, on this machine: for CPU and memory figures
    #[arg(long, value_name = "PID", requires = "url")]
    pub server_pid: Option<u32>,
    /// Print a set-up for `narthex apply`, with fresh secrets, and end
    #[arg(long, conflicts_with = "url")]
    pub print_setup: bool,
    /// Where the server that is started keeps its data [default: a new folder in /var/tmp,
    /// removed afterwards]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub data_dir: Option<PathBuf>,
    /// An empty database for the server that is started, as `serve` is told it; what is written
    /// there stays [default: SQLite in the data directory]
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    pub database_url: Option<String>,
    /// Cores for the server that is started; the load runs on the others
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub server_cores: u16,
    /// Measure only this flow; may be repeated [default: all]
    #[arg(long, value_enum, value_name = "FLOW")]
    pub flow: Vec<Flow>,
    /// Seconds that each flow is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,
    /// Seconds that each flow runs before it is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub warm_up: u32,
    /// Connections, each with one request under way
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub connections: u16,
    /// Instead of the flows, measure lists of projects, by ten users of each of so many accounts with
    /// 50 groups, 20 policies, 100 users and 20 projects each, compared to ten accounts
    #[arg(long, value_name = "N", conflicts_with = "url", value_parser = clap::value_parser!(u32).range(11..=100_000))]
    pub accounts: Option<u32>,
    /// Write the report as JSON to this file; - is standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Exit with 1 when a figure is worse than the product's own bar
    #[arg(long)]
    pub check_bars: bool,
}

/// Measures, and prints the report.
///
/// # Errors
/// The server cannot be started or set up, a flow does not work at all, or a bar is exceeded and
/// the arguments ask to check that.
pub async fn run(args: BenchArgs) -> anyhow::Result<()> {
    if args.print_setup {
        return Ok(Output::stdout().line(&SetupFile::fresh(&OsEntropy::default()).text())?);
    }
    // The load wants a thread of its own: bound to its cores, with nothing else to do.
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match args.accounts {
            Some(count) => runtime.block_on(accounts::run(&args, count.into())),
            None => runtime.block_on(measure::run(&args)),
        }
    })
    .await?
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    fn parse(line: &str) -> Result<BenchArgs, clap::Error> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        let matches = BenchArgs::augment_args(Command::new("bench")).try_get_matches_from(words)?;
        BenchArgs::from_arg_matches(&matches)
    }

    #[test]
    fn the_arguments_fit_together() {
        let args = parse("").unwrap();
        assert_eq!((args.connections, args.seconds, args.server_cores), (16, 5, 1));
        let args = parse("--flow jwks --flow code --json -").unwrap();
        assert_eq!(args.flow, [Flow::Jwks, Flow::Code]);
        for bad in [
            "--connections 0",
            "--seconds 0",
            "--flow dance",
            "--url http://127.0.0.1:1",
            "--setup-file x",
            "--url http://127.0.0.1:1 --setup-file x --data-dir y",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_help_names_every_part_of_the_report() {
        let mut command = BenchArgs::augment_args(Command::new("bench"));
        let help = command.render_long_help().to_string();
        for part in ["durable_writes_per_second", "ready_millis", "p99_micros", "breaches"] {
            assert!(help.contains(part), "{part}");
        }
    }
}
