//! One run: limits, server, flows, and what is made of them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::base::entropy::OsEntropy;
use crate::cli::bench::BenchArgs;
use crate::cli::bench::client::Site;
use crate::cli::bench::flow::Flow;
use crate::cli::bench::limits::Limits;
use crate::cli::bench::load::{self, Outcome, Span};
use crate::cli::bench::own_server::{DataDir, Launcher};
use crate::cli::bench::process::{Cores, processor, resident_kib};
use crate::cli::bench::report::{FlowFigures, Report, ServerFigures, Setting};
use crate::cli::bench::session;
use crate::cli::bench::setup_file::SetupFile;
use crate::cli::bench::target::Target;
use crate::cli::bench::worker::{FlowWorker, PACED_CONNECTIONS};
use crate::cli::output::Output;

/// How long a server is left alone before its memory is read.
const REST: Duration = Duration::from_secs(1);

/// Measures as told, and prints the report.
pub(in crate::cli::bench) async fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        eprintln!("This is a debug build: its figures say nothing about a server in use.");
    }
    let cores = Cores::divide(usize::from(args.server_cores))?;
    let mut report = match (&args.url, &args.setup_file) {
        (Some(url), Some(file)) => running_server(args, &cores, url, file).await?,
        _ => own_server(args, &cores).await?,
    };
    report.judge(args.check_bars);
    print(args, &report)?;
    let idle: Vec<String> =
        report.flows.iter().filter(|f| f.outcome.good == 0).map(|f| f.flow.name()).collect();
    if !idle.is_empty() {
        bail!("these flows did not work: {}", idle.join(", "));
    }
    if !report.breaches.is_empty() {
        bail!("{} figures are over their bars", report.breaches.len());
    }
    Ok(())
}

async fn running_server(
    args: &BenchArgs,
    cores: &Cores,
    url: &str,
    file: &Path,
) -> anyhow::Result<Report> {
    if args.check_bars && args.server_pid.is_none() {
        bail!("the bars are about the server's CPU time: name its process with --server-pid");
    }
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let target = SetupFile::read(&text)?.target(Site::parse(url)?);
    let dir = DataDir::open(None)?;
    eprintln!("measuring the machine …");
    let limits = cores.on(&cores.server, || Limits::measure(dir.path()))??;
    let idle_kib = args.server_pid.map(resident_kib).transpose()?;
    let flows =
        cores.on_async(&cores.load, flows(args, &target, args.server_pid, &limits)).await??;
    let after_kib = args.server_pid.map(resident_kib).transpose()?;
    let server = ServerFigures { ready_millis: None, idle_kib, after_kib };
    Ok(Report { setting: setting(args, cores, url), limits, server, flows, breaches: Vec::new() })
}

async fn own_server(args: &BenchArgs, cores: &Cores) -> anyhow::Result<Report> {
    if cores.are_shared() {
        eprintln!("There is no core left for the load: it shares the server's.");
    }
    let dir = DataDir::open(args.data_dir.as_deref())?;
    eprintln!("measuring the machine …");
    let limits = cores.on(&cores.server, || Limits::measure(dir.path()))??;
    let launcher = Launcher::new(dir.path(), args.database_url.as_deref(), cores)?;
    let url = launcher.url();
    let setup = SetupFile::fresh(&OsEntropy::default());
    let file = dir.path().join("bench-setup.json");
    std::fs::write(&file, setup.text()).context("cannot write the set-up")?;
    launcher.apply(&file)?;
    // The first start makes what later ones find: keys, and the rest of the database.
    launcher.start().await?.stop().await?;
    let server = launcher.start().await?;
    let mut figures = ServerFigures {
        ready_millis: Some(server.ready_after.as_secs_f64() * 1_000.0),
        ..ServerFigures::default()
    };
    tokio::time::sleep(REST).await;
    figures.idle_kib = Some(resident_kib(server.pid())?);
    let target = setup.target(Site::parse(&url)?);
    let pid = Some(server.pid());
    let flows = cores.on_async(&cores.load, flows(args, &target, pid, &limits)).await??;
    figures.after_kib = Some(resident_kib(server.pid())?);
    server.stop().await?;
    let mut setting = setting(args, cores, &url);
    setting.server_cores = Some(cores.server.count());
    Ok(Report { setting, limits, server: figures, flows, breaches: Vec::new() })
}

fn setting(args: &BenchArgs, cores: &Cores, url: &str) -> Setting {
    Setting {
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
        processor: processor(),
        server: url.to_owned(),
        server_cores: None,
        load_cores: cores.load.count(),
        connections: args.connections,
        seconds: args.seconds,
    }
}

async fn flows(
    args: &BenchArgs,
    target: &Target,
    server_pid: Option<u32>,
    limits: &Limits,
) -> anyhow::Result<Vec<FlowFigures>> {
    let span = Span {
        warm_up: Duration::from_secs(args.warm_up.into()),
        measured: Duration::from_secs(args.seconds.into()),
        server_pid,
    };
    let chosen = if args.flow.is_empty() { Flow::all() } else { args.flow.clone() };
    // Only flows with a person in them need the session.
    let cookie = if chosen.iter().any(|flow| flow.needs_session()) {
        session::sign_in(target).await.context("signing in for the load")?
    } else {
        String::new()
    };
    let mut figures = Vec::new();
    for flow in chosen {
        eprintln!("measuring {} …", flow.name());
        if matches!(flow, Flow::SignIn | Flow::ClientCredentialsBeside) {
            if !figures.iter().any(|known: &FlowFigures| known.flow == Flow::SignIn) {
                let both = sign_ins(target, args.connections, span).await?;
                figures.extend(both.map(|(flow, outcome)| FlowFigures::new(flow, outcome, limits)));
            }
            continue;
        }
        let outcome = match prepared(flow, target, &cookie, args.connections).await {
            Ok(workers) => load::run(workers, span).await?,
            Err(error) => Outcome::failed(format!("{error:#}")),
        };
        figures.push(FlowFigures::new(flow, outcome, limits));
    }
    Ok(figures)
}

/// As many sign-ins as the server can do, and apps that want tokens meanwhile.
async fn sign_ins(
    target: &Target,
    connections: u16,
    span: Span,
) -> anyhow::Result<[(Flow, Outcome); 2]> {
    let (first, second) = (Flow::SignIn, Flow::ClientCredentialsBeside);
    let people = prepared(first, target, "", connections).await;
    let apps = prepared(second, target, "", PACED_CONNECTIONS).await;
    let (people, apps) = match (people, apps) {
        (Ok(people), Ok(apps)) => (people, apps),
        (Err(error), _) | (_, Err(error)) => {
            let failed = || Outcome::failed(format!("{error:#}"));
            return Ok([(first, failed()), (second, failed())]);
        }
    };
    let (people, apps) = tokio::join!(load::run(people, span), load::run(apps, span));
    // What the server spent meanwhile, it spent on hashes.
    let apps = Outcome { server_cpu_micros: None, ..apps? };
    Ok([(first, people?), (second, apps)])
}

async fn prepared(
    flow: Flow,
    target: &Target,
    cookie: &str,
    connections: u16,
) -> anyhow::Result<Vec<FlowWorker>> {
    let mut workers = Vec::new();
    for _ in 0..connections {
        workers.push(FlowWorker::prepare(flow, target, cookie).await?);
    }
    Ok(workers)
}

fn print(args: &BenchArgs, report: &Report) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    let mut output = Output::stdout();
    match args.json.as_deref() {
        Some(path) if path == Path::new("-") => return Ok(output.line(&json)?),
        Some(path) => std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => {}
    }
    Ok(output.line(report.table().trim_end())?)
}
