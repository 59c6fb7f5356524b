//! What a gated request costs among many accounts, compared to a few.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::base::entropy::OsEntropy;
use crate::base::secret::Secret;
use crate::cli::bench::BenchArgs;
use crate::cli::bench::agent::Agent;
use crate::cli::bench::client::{Site, Template};
use crate::cli::bench::flow::Flow;
use crate::cli::bench::load::{self, Outcome, Span, Worker as _};
use crate::cli::bench::own_server::{DataDir, Launcher, OwnServer};
use crate::cli::bench::process::{Cores, CpuSnapshot, resident_kib};
use crate::cli::bench::stats::float;
use crate::cli::bench::store_accounts::{Rows, account_id, count, fill, project_id, user_id};
use crate::cli::bench::tour::{Askers, Tour, bearer, tokens};
use crate::cli::output::Output;
use crate::config::model::SQLITE_FILE;
use crate::db::{Db, Place};

/// How many accounts are a few.
const FEW: i64 = 10;
/// How much more a request may cost among many.
const RATIO_MAX: f64 = 1.3;
/// Users of each account who are active at the same time.
const ACTIVE: i64 = 10;

/// What is reported.
#[derive(Debug, Serialize)]
struct Report {
    few: Among,
    many: Among,
    /// How much more a request costs among many, by the server's CPU time.
    ratio: f64,
    ratio_max: f64,
    breaches: Vec<String>,
}

/// The cost among so many accounts.
#[derive(Debug, Serialize)]
struct Among {
    /// What is in the database, counted there.
    rows: Rows,
    /// Users who ask, each in an account of theirs and with a token of their own.
    active: usize,
    /// The server's CPU time of each one's first request after a start.
    first_cpu_micros: f64,
    /// Lists of projects, once everybody was seen.
    projects: Outcome,
    /// Evaluations, by apps of ten accounts, about a hundred members of each.
    evaluation: Outcome,
    /// The server's memory after all of it.
    after_kib: u64,
}

/// What a run needs.
struct Bench<'a> {
    args: &'a BenchArgs,
    cores: &'a Cores,
    dir: &'a Path,
    launcher: &'a Launcher,
    site: Site,
    agent: Agent,
    askers: Askers,
}

/// Measures first among a few accounts and then among `accounts` of them, on a server and a database
/// of its own.
pub(in crate::cli::bench) async fn run(args: &BenchArgs, accounts: i64) -> anyhow::Result<()> {
    ensure!(accounts > FEW, "there are {FEW} accounts to compare with: name more");
    let cores = Cores::divide(usize::from(args.server_cores))?;
    let dir = DataDir::open(args.data_dir.as_deref())?;
    let launcher = Launcher::new(dir.path(), args.database_url.as_deref(), &cores)?;
    let entropy = OsEntropy::default();
    let bench = Bench {
        args,
        cores: &cores,
        dir: dir.path(),
        launcher: &launcher,
        site: Site::parse(&launcher.url())?,
        agent: Agent::fresh(&entropy)?,
        askers: Askers::fresh(FEW, &entropy),
    };
    bench.apply(&bench.agent.text())?;
    let few = bench.among((0, FEW)).await?;
    let many = bench.among((FEW, accounts)).await?;
    let report = Report::of(few, many)?;
    let json = serde_json::to_string_pretty(&report)?;
    match args.json.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => Output::stdout().line(&json)?,
    }
    ensure!(!args.check_bars || report.breaches.is_empty(), "{}", report.breaches.join("; "));
    Ok(())
}

impl Report {
    fn of(few: Among, many: Among) -> anyhow::Result<Self> {
        let cost = |outcome: &Outcome| outcome.server_cpu_micros.context("no CPU time is known");
        let ratio = cost(&many.projects)? / cost(&few.projects)?;
        let mut breaches = Vec::new();
        if ratio > RATIO_MAX {
            breaches.push(format!("a request among many accounts costs {ratio:.2} times as much"));
        }
        for among in [&few, &many] {
            let accounts = among.rows.accounts;
            let micros = cost(&among.evaluation)?;
            if Flow::Evaluation.bar_micros(0.0, 0.0).is_some_and(|bar| micros > bar) {
                breaches.push(format!("evaluation among {accounts} accounts: {micros:.1} µs"));
            }
            let errors = among.projects.errors + among.evaluation.errors;
            if errors > 0 {
                breaches.push(format!("{errors} errors among {accounts} accounts"));
            }
        }
        Ok(Self { few, many, ratio, ratio_max: RATIO_MAX, breaches })
    }
}

impl Bench<'_> {
    fn apply(&self, text: &str) -> anyhow::Result<()> {
        let file = self.dir.join("bench-setup.json");
        std::fs::write(&file, text).context("cannot write the set-up")?;
        self.launcher.apply(&file)
    }

    /// Adds the accounts of `range` and measures among all that there are then.
    async fn among(&self, (known, end): (i64, i64)) -> anyhow::Result<Among> {
        eprintln!("making {end} accounts …");
        // The server is not there meanwhile: what it holds would be old.
        let rows = self.fill((known, end)).await?;
        self.apply(&self.askers.text())?;
        let server = self.launcher.start().await?;
        let lists = self.cores.on_async(&self.cores.load, self.lists(end)).await??;
        server.stop().await?;
        eprintln!("measuring among {end} accounts …");
        // A server that has seen nobody yet.
        let server = self.launcher.start().await?;
        let measured = self.measure(&lists, &server);
        let (first_cpu_micros, projects, evaluation) =
            self.cores.on_async(&self.cores.load, measured).await??;
        let after_kib = resident_kib(server.pid())?;
        server.stop().await?;
        for outcome in [&projects, &evaluation] {
            if outcome.good == 0 {
                bail!("no request worked: {}", outcome.first_error.clone().unwrap_or_default());
            }
        }
        let active = lists.len();
        Ok(Among { rows, active, first_cpu_micros, projects, evaluation, after_kib })
    }

    async fn fill(&self, range: (i64, i64)) -> anyhow::Result<Rows> {
        let place = match &self.args.database_url {
            None => Place::Sqlite(self.dir.join(SQLITE_FILE)),
            Some(url) => {
                Place::Postgres { url: Secret::presented(url.as_str()), connections_max: 2 }
            }
        };
        let db = Db::open(&place).await?;
        fill(&db, range).await.context("the accounts cannot be made")?;
        Ok(count(&db).await?)
    }

    /// What each active user asks: for the projects of their account, with a token of their own.
    async fn lists(&self, accounts: i64) -> anyhow::Result<Arc<[Template]>> {
        let issuer = self.launcher.url();
        let people: Vec<(i64, i64)> = (0..ACTIVE)
            .flat_map(|user| (0..accounts).map(move |account| (account, user)))
            .collect();
        let asked = people
            .iter()
            .map(|(account, user)| self.agent.request(&issuer, &user_id(*account, *user)));
        let tokens =
            tokens(&self.site, asked.collect::<Result<_, _>>()?, self.connections()).await?;
        let lists = people.iter().zip(tokens).map(|((account, _), token)| {
            bearer(Template::get("/v1/projects")?, &token)?
                .with("lifeomic-account", &account_id(*account))
        });
        lists.collect()
    }

    fn connections(&self) -> usize {
        usize::from(self.args.connections)
    }

    fn workers(&self, templates: &Arc<[Template]>, says: &'static str) -> Vec<Tour> {
        let worker = |number| {
            let start = number * templates.len() / self.connections();
            Tour::new(&self.site, templates, start, says)
        };
        (0..self.connections()).map(worker).collect()
    }

    async fn measure(
        &self,
        lists: &Arc<[Template]>,
        server: &OwnServer,
    ) -> anyhow::Result<(f64, Outcome, Outcome)> {
        let span = Span {
            warm_up: Duration::from_secs(self.args.warm_up.into()),
            measured: Duration::from_secs(self.args.seconds.into()),
            server_pid: Some(server.pid()),
        };
        let workers = self.workers(lists, r#""items":[{"#);
        let before = CpuSnapshot::of(server.pid())?;
        let workers = once_round(workers, lists.len()).await?;
        let spent = CpuSnapshot::of(server.pid())?.since(&before).as_secs_f64() * 1_000_000.0;
        let first = spent / float(u64::try_from(lists.len())?.max(1));
        let projects = load::run(workers, span).await?;
        let questions = self.askers.questions(&self.site, |account, user| {
            (user_id(account, user), project_id(account, user))
        });
        let questions = questions.await?;
        let workers = self.workers(&questions, r#"{"decision":true}"#);
        Ok((first, projects, load::run(workers, span).await?))
    }
}

/// Each worker does its part of `many` units, so that all are done once.
async fn once_round(workers: Vec<Tour>, many: usize) -> anyhow::Result<Vec<Tour>> {
    let count = workers.len().max(1);
    let mut tasks = JoinSet::new();
    for (number, mut worker) in workers.into_iter().enumerate() {
        let (start, end) = (number * many / count, (number + 1) * many / count);
        tasks.spawn(async move {
            for _ in start..end {
                worker.unit().await?;
            }
            anyhow::Ok(worker)
        });
    }
    tasks.join_all().await.into_iter().collect()
}
