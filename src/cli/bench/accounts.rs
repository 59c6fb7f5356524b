//! What a gated request costs among many accounts, compared to a few.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::base::entropy::OsEntropy;
use crate::base::secret::Secret;
use crate::cli::bench::BenchArgs;
use crate::cli::bench::client::Site;
use crate::cli::bench::load::{self, Outcome, Span};
use crate::cli::bench::own_server::{DataDir, Launcher};
use crate::cli::bench::process::Cores;
use crate::cli::bench::session;
use crate::cli::bench::setup_file::SetupFile;
use crate::cli::bench::store_accounts::{account_id, fill};
use crate::cli::bench::target::Target;
use crate::cli::bench::worker::{FlowWorker, tour};
use crate::cli::output::Output;
use crate::config::model::SQLITE_FILE;
use crate::db::{Db, Place};

/// How many accounts are a few.
const FEW: i64 = 10;
/// How much more a request may cost among many.
const RATIO_MAX: f64 = 1.3;

/// What is reported.
#[derive(Debug, Serialize)]
struct Report {
    few: Among,
    many: Among,
    /// How much more a request costs among many, by the server's CPU time.
    ratio: f64,
    ratio_max: f64,
}

/// The cost among so many accounts.
#[derive(Debug, Serialize)]
struct Among {
    accounts: i64,
    #[serde(flatten)]
    outcome: Outcome,
}

/// Measures lists of projects in one account after the other, first among a few and then among
/// `accounts` of them, on a server and a database of its own.
pub(in crate::cli::bench) async fn run(args: &BenchArgs, accounts: i64) -> anyhow::Result<()> {
    ensure!(accounts > FEW, "there are {FEW} accounts to compare with: name more");
    let cores = Cores::divide(usize::from(args.server_cores))?;
    let dir = DataDir::open(args.data_dir.as_deref())?;
    let launcher = Launcher::new(dir.path(), args.database_url.as_deref(), &cores)?;
    let setup = SetupFile::fresh(&OsEntropy::default());
    let file = dir.path().join("bench-setup.json");
    std::fs::write(&file, setup.text()).context("cannot write the set-up")?;
    launcher.apply(&file)?;
    let target = setup.target(Site::parse(&launcher.url())?);
    let mut among = Vec::new();
    let mut known = 0;
    for count in [FEW, accounts] {
        eprintln!("measuring among {count} accounts …");
        // The server is not there meanwhile: what it holds would be old.
        add(args, dir.path(), (known, count), &target.username).await?;
        known = count;
        let server = launcher.start().await?;
        let outcome =
            cores.on_async(&cores.load, measure(args, &target, server.pid(), count)).await??;
        server.stop().await?;
        if outcome.good == 0 {
            bail!("no request worked: {}", outcome.first_error.unwrap_or_default());
        }
        among.push(Among { accounts: count, outcome });
    }
    let (Some(many), Some(few)) = (among.pop(), among.pop()) else { bail!("nothing was measured") };
    let cost = |among: &Among| among.outcome.server_cpu_micros.context("no CPU time is known");
    let ratio = cost(&many)? / cost(&few)?;
    let report = Report { few, many, ratio, ratio_max: RATIO_MAX };
    let json = serde_json::to_string_pretty(&report)?;
    match args.json.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => Output::stdout().line(&json)?,
    }
    if args.check_bars && ratio > RATIO_MAX {
        bail!(
            "a request among {accounts} accounts costs {ratio:.2} times what it costs among {FEW}"
        );
    }
    Ok(())
}

async fn add(
    args: &BenchArgs,
    dir: &Path,
    range: (i64, i64),
    username: &str,
) -> anyhow::Result<()> {
    let place = match &args.database_url {
        None => Place::Sqlite(dir.join(SQLITE_FILE)),
        Some(url) => Place::Postgres { url: Secret::presented(url.as_str()), connections_max: 2 },
    };
    let db = Db::open(&place).await?;
    fill(&db, range, username).await.context("the accounts cannot be made")
}

async fn measure(
    args: &BenchArgs,
    target: &Target,
    server: u32,
    accounts: i64,
) -> anyhow::Result<Outcome> {
    let span = Span {
        warm_up: Duration::from_secs(args.warm_up.into()),
        measured: Duration::from_secs(args.seconds.into()),
        server_pid: Some(server),
    };
    let cookie = session::sign_in(target).await.context("signing in for the load")?;
    let ids: Vec<String> = (0..accounts).map(account_id).collect();
    let mut workers: Vec<FlowWorker> = Vec::new();
    for number in 0..usize::from(args.connections) {
        // The first goes everywhere before it is measured; each begins somewhere else.
        let (goes_round, start) = (number == 0, number * ids.len() / usize::from(args.connections));
        workers.push(tour(target, &cookie, &ids, (start, goes_round)).await?);
    }
    load::run(workers, span).await
}
