//! What is printed in the end: a table for people, JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::bench::flow::{BESIDE_P99_MICROS_MAX, Flow, IDLE_KIB_MAX, READY_MILLIS_MAX};
use crate::cli::bench::limits::Limits;
use crate::cli::bench::load::Outcome;
use crate::cli::bench::stats::float;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Who measured what, and how.
    pub setting: Setting,
    /// What the machine can do at most.
    pub limits: Limits,
    /// The server at rest.
    pub server: ServerFigures,
    /// One line for each flow.
    pub flows: Vec<FlowFigures>,
    /// What is worse than the product's own bars.
    pub breaches: Vec<String>,
}

/// Who measured what, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Version of this program.
    pub version: &'static str,
    /// `release` or `debug`.
    pub build: &'static str,
    /// The processor, as it names itself.
    pub processor: String,
    /// Address of the server.
    pub server: String,
    /// Cores of the server; none when it was running already.
    pub server_cores: Option<u32>,
    /// Cores of the load.
    pub load_cores: u32,
    /// Connections, each with one request under way.
    pub connections: u16,
    /// Seconds that each flow was measured.
    pub seconds: u32,
}

/// The server at rest; what is not known is none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ServerFigures {
    /// Milliseconds from the start of the program to its first answer, on an existing database.
    pub ready_millis: Option<f64>,
    /// Resident memory before anybody talked to it, in KiB.
    pub idle_kib: Option<u64>,
    /// Resident memory after all flows, in KiB.
    pub after_kib: Option<u64>,
}

/// One flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowFigures {
    /// Which.
    pub flow: Flow,
    /// What was seen.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Microseconds of server CPU that it may cost.
    pub bar_micros: Option<f64>,
}

impl FlowFigures {
    /// The figures of a flow, beside its bar on this machine.
    pub fn new(flow: Flow, outcome: Outcome, limits: &Limits) -> Self {
        let rs256_micros = 1_000_000.0 / limits.rs256_signatures_per_second.max(1.0);
        let argon2id_micros = 1_000_000.0 / limits.argon2id_per_second.max(1.0);
        Self { flow, outcome, bar_micros: flow.bar_micros(rs256_micros, argon2id_micros) }
    }
}

impl Report {
    /// Holds the figures against the bars, if they are to be kept.
    pub fn judge(&mut self, check_bars: bool) {
        if !check_bars {
            return;
        }
        let mut breaches = Vec::new();
        for FlowFigures { flow, outcome, bar_micros } in &self.flows {
            let name = flow.name();
            if outcome.errors > 0 {
                breaches.push(format!("{name}: {} errors", outcome.errors));
            }
            match (outcome.server_cpu_micros, bar_micros) {
                (Some(micros), Some(bar)) if micros > *bar => breaches
                    .push(format!("{name}: {micros:.1} µs of server CPU, at most {bar:.0} µs")),
                _ if *flow == Flow::ClientCredentialsBeside
                    && outcome.micros.p99 > BESIDE_P99_MICROS_MAX =>
                {
                    let p99 = outcome.micros.p99;
                    breaches.push(format!("{name}: p99 {p99} µs, at most {BESIDE_P99_MICROS_MAX}"));
                }
                (None, Some(_)) => breaches.push(format!("{name}: server CPU is not known")),
                _ => {}
            }
        }
        if let Some(millis) = self.server.ready_millis.filter(|millis| *millis > READY_MILLIS_MAX) {
            breaches.push(format!("ready after {millis:.0} ms, at most {READY_MILLIS_MAX:.0} ms"));
        }
        if let Some(kib) = self.server.idle_kib.filter(|kib| *kib > IDLE_KIB_MAX) {
            breaches.push(format!("{kib} KiB of memory when idle, at most {IDLE_KIB_MAX} KiB"));
        }
        self.breaches = breaches;
    }

    /// The report for people.
    pub fn table(&self) -> String {
        let mut out = self.heading();
        let mut flows = vec![row([
            "flow",
            "per second",
            "p50 µs",
            "p95 µs",
            "p99 µs",
            "max µs",
            "errors",
            "CPU µs",
            "bar µs",
        ])];
        for FlowFigures { flow, outcome, bar_micros } in &self.flows {
            flows.push(vec![
                flow.name(),
                format!("{:.0}", outcome.per_second),
                outcome.micros.p50.to_string(),
                outcome.micros.p95.to_string(),
                outcome.micros.p99.to_string(),
                outcome.micros.max.to_string(),
                outcome.errors.to_string(),
                tenths(outcome.server_cpu_micros),
                tenths(*bar_micros),
            ]);
        }
        let _ = write!(out, "\n{}", aligned(&flows));
        out.push('\n');
        for FlowFigures { flow, outcome, .. } in &self.flows {
            if let Some(error) = &outcome.first_error {
                let _ = writeln!(out, "first error of {}: {error}", flow.name());
            }
        }
        for breach in &self.breaches {
            let _ = writeln!(out, "over the bar: {breach}");
        }
        out
    }

    fn heading(&self) -> String {
        let Setting { version, build, processor, server, connections, seconds, .. } = &self.setting;
        let cores = self.setting.server_cores.map_or("its own".to_owned(), |n| n.to_string());
        let load_cores = self.setting.load_cores;
        let mut out = format!(
            "Narthex {version} ({build} build) at {server}, on {processor}\n\
             Cores of the server: {cores}; of the load: {load_cores}. \
             Connections: {connections}. Seconds per flow: {seconds}.\n\n"
        );
        let limits = &self.limits;
        let mut machine = vec![row(["this machine, one core", "per second", "µs each"])];
        for (name, rate) in [
            ("ES256 signatures", limits.es256_signatures_per_second),
            ("RS256 signatures (2,048 bits)", limits.rs256_signatures_per_second),
            ("argon2id (19 MiB, 2 passes)", limits.argon2id_per_second),
            ("SHA-256 of 64 bytes", limits.sha256_64_bytes_per_second),
            ("durable writes of 4 KiB", limits.durable_writes_per_second),
        ] {
            let each = if rate > 0.0 { format!("{:.2}", 1_000_000.0 / rate) } else { dash() };
            machine.push(vec![name.to_owned(), format!("{rate:.0}"), each]);
        }
        out.push_str(&aligned(&machine));
        let mebibytes = |kib: Option<u64>| kib.map(|kib| float(kib) / 1_024.0);
        let server = [
            row(["the server at rest", ""]),
            vec!["start to ready, ms".to_owned(), tenths(self.server.ready_millis)],
            vec!["memory idle, MiB".to_owned(), tenths(mebibytes(self.server.idle_kib))],
            vec!["memory after the load, MiB".to_owned(), tenths(mebibytes(self.server.after_kib))],
        ];
        let _ = write!(out, "\n{}", aligned(&server));
        out
    }
}

fn dash() -> String {
    "-".to_owned()
}

fn tenths(number: Option<f64>) -> String {
    number.map_or_else(dash, |number| format!("{number:.1}"))
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// Rows as lines: the first column to the left, the others to the right, two spaces between.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if index == 0 {
                write!(line, "{cell:<width$}")
            } else {
                write!(line, "  {cell:>width$}")
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::stats::Percentiles;

    fn outcome(cpu: Option<f64>, errors: u64) -> Outcome {
        Outcome {
            per_second: 12_345.67,
            micros: Percentiles { p50: 900, p95: 1_800, p99: 2_500, max: 10_000 },
            good: 61_728,
            errors,
            first_error: (errors > 0).then(|| "POST /token: answered 503".to_owned()),
            server_cpu_micros: cpu,
        }
    }

    fn report() -> Report {
        let limits = Limits {
            es256_signatures_per_second: 50_000.0,
            rs256_signatures_per_second: 4_000.0,
            argon2id_per_second: 72.0,
            sha256_64_bytes_per_second: 8_000_000.0,
            durable_writes_per_second: 4_700.0,
        };
        let flow = |flow, outcome| FlowFigures::new(flow, outcome, &limits);
        Report {
            setting: Setting {
                version: "0.1.0",
                build: "release",
                processor: "Some CPU".to_owned(),
                server: "http://127.0.0.1:8080".to_owned(),
                server_cores: Some(1),
                load_cores: 3,
                connections: 16,
                seconds: 5,
            },
            limits,
            server: ServerFigures {
                ready_millis: Some(41.26),
                idle_kib: Some(25_600),
                after_kib: None,
            },
            flows: vec![
                flow(Flow::Jwks, outcome(Some(6.04), 0)),
                flow(Flow::ClientCredentialsRs256, outcome(Some(310.05), 2)),
            ],
            breaches: Vec::new(),
        }
    }

    #[test]
    fn the_table_is_aligned() {
        let mut report = report();
        report.judge(true);

        insta::assert_snapshot!(report.table(), @r"
        Narthex 0.1.0 (release build) at http://127.0.0.1:8080, on Some CPU
        Cores of the server: 1; of the load: 3. Connections: 16. Seconds per flow: 5.

        this machine, one core         per second   µs each
        ES256 signatures                    50000     20.00
        RS256 signatures (2,048 bits)        4000    250.00
        argon2id (19 MiB, 2 passes)            72  13888.89
        SHA-256 of 64 bytes               8000000      0.12
        durable writes of 4 KiB              4700    212.77

        the server at rest
        start to ready, ms          41.3
        memory idle, MiB            25.0
        memory after the load, MiB     -

        flow                      per second  p50 µs  p95 µs  p99 µs  max µs  errors  CPU µs  bar µs
        jwks                           12346     900    1800    2500   10000       0     6.0    15.0
        client-credentials-rs256       12346     900    1800    2500   10000       2   310.1   310.0

        first error of client-credentials-rs256: POST /token: answered 503
        over the bar: client-credentials-rs256: 2 errors
        over the bar: client-credentials-rs256: 310.1 µs of server CPU, at most 310 µs
        ");
    }

    #[test]
    fn json_has_one_flat_object_for_each_flow() {
        let json = serde_json::to_value(report()).unwrap();

        let flow = &json["flows"][1];
        assert_eq!(flow["flow"], "client-credentials-rs256");
        assert_eq!(flow["p99_micros"], 2_500);
        assert_eq!(flow["bar_micros"], 310.0);
        assert_eq!(json["limits"]["argon2id_per_second"], 72.0);
        assert_eq!(json["server"]["after_kib"], serde_json::Value::Null);
    }

    #[test]
    fn whatever_is_over_its_bar_is_named() {
        let judged = |bend: fn(&mut Report)| {
            let mut report = report();
            for figures in &mut report.flows {
                figures.outcome.errors = 0;
                figures.outcome.server_cpu_micros = Some(10.0);
            }
            bend(&mut report);
            report.judge(true);
            report.breaches.join("; ")
        };
        assert_eq!(judged(|_| ()), "");
        assert_eq!(judged(|report| report.flows[0].outcome.errors = 3), "jwks: 3 errors");
        assert_eq!(
            judged(|report| report.flows[0].outcome.server_cpu_micros = Some(15.1)),
            "jwks: 15.1 µs of server CPU, at most 15 µs"
        );
        assert_eq!(
            judged(|report| report.flows[0].outcome.server_cpu_micros = None),
            "jwks: server CPU is not known"
        );
        assert_eq!(
            judged(|report| report.server.ready_millis = Some(301.0)),
            "ready after 301 ms, at most 300 ms"
        );
        assert_eq!(
            judged(|report| report.server.idle_kib = Some(39_063)),
            "39063 KiB of memory when idle, at most 39062 KiB"
        );
    }
}
