//! The flows that can be measured, and what each may cost.

use clap::ValueEnum;
use serde::Serialize;

/// Something that clients do again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// GET /.well-known/openid-configuration
    Discovery,
    /// GET /jwks
    Jwks,
    /// POST /token with `client_credentials`, the token signed with ES256
    ClientCredentialsEs256,
    /// POST /token with `client_credentials`, the token signed with RS256
    ClientCredentialsRs256,
    /// GET /authorize in a signed-in session, then POST /token; both tokens signed with ES256
    Code,
    /// POST /token with a refresh token that is replaced each time
    Refresh,
    /// POST /introspect of an ES256 access token
    Introspection,
    /// GET /userinfo
    Userinfo,
    /// GET /v1/projects through both gates
    Projects,
    /// POST /access/v1/evaluation by a machine app
    Evaluation,
    /// POST /sign-in with name and password, in a browser that the user has signed in from before
    SignIn,
    /// POST /token with `client_credentials` a hundred times a second, while the server signs in as
    /// many people as it can
    ClientCredentialsBeside,
}

/// What one run of a flow may cost the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// At most so many microseconds of CPU.
    Micros(f64),
    /// One RS256 signature on the same machine, and so many microseconds of CPU.
    Rs256SignaturePlus(f64),
    /// So many hashes of a password: throughput is the machine's own rate of hashes over this.
    Argon2idTimes(f64),
}

/// Longest time that one in a hundred may take beside sign-ins, in microseconds: hashing must not
/// starve the rest.
pub const BESIDE_P99_MICROS_MAX: u32 = 20_000;

/// The product's own bars: server CPU for one run of each flow, release build, one core, SQLite.
const BARS: [(Flow, Option<Bar>); 12] = [
    (Flow::Discovery, Some(Bar::Micros(15.0))),
    (Flow::Jwks, Some(Bar::Micros(15.0))),
    (Flow::ClientCredentialsEs256, Some(Bar::Micros(60.0))),
    (Flow::ClientCredentialsRs256, Some(Bar::Rs256SignaturePlus(60.0))),
    (Flow::Code, Some(Bar::Micros(350.0))),
    (Flow::Refresh, Some(Bar::Micros(150.0))),
    (Flow::Introspection, Some(Bar::Micros(60.0))),
    (Flow::Userinfo, Some(Bar::Micros(100.0))),
    (Flow::Projects, Some(Bar::Micros(200.0))),
    (Flow::Evaluation, Some(Bar::Micros(100.0))),
    // At least 90 % of what the machine hashes.
    (Flow::SignIn, Some(Bar::Argon2idTimes(1.0 / 0.9))),
    // Its bar is its latency.
    (Flow::ClientCredentialsBeside, None),
];

/// Most memory of a server that nobody talks to, in KiB: 40 MB.
pub const IDLE_KIB_MAX: u64 = 40_000_000 / 1_024;
/// Longest time from the start of the program to its first answer, on an existing database.
pub const READY_MILLIS_MAX: f64 = 300.0;

impl Flow {
    /// All flows, in the order in which they are measured.
    pub fn all() -> Vec<Self> {
        BARS.iter().map(|(flow, _)| *flow).collect()
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether somebody must have signed in for it.
    pub fn needs_session(self) -> bool {
        matches!(self, Self::Code | Self::Refresh | Self::Userinfo | Self::Projects)
    }

    /// What it may cost in microseconds, where one RS256 signature and one hash of a password cost
    /// so much.
    pub fn bar_micros(self, rs256_micros: f64, argon2id_micros: f64) -> Option<f64> {
        let (_, bar) = BARS.iter().find(|(flow, _)| *flow == self)?;
        bar.map(|bar| match bar {
            Bar::Micros(micros) => micros,
            Bar::Rs256SignaturePlus(micros) => rs256_micros + micros,
            Bar::Argon2idTimes(times) => argon2id_micros * times,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_has_a_bar_and_one_name() {
        assert_eq!(Flow::all(), Flow::value_variants());
        for flow in Flow::all() {
            let has_bar = flow.bar_micros(250.0, 20_000.0).is_some();
            assert_eq!(has_bar, flow != Flow::ClientCredentialsBeside, "{flow:?}");
            assert_eq!(serde_json::to_value(flow).unwrap(), flow.name());
        }
    }

    #[test]
    fn rs256_may_cost_its_signature() {
        assert_eq!(Flow::ClientCredentialsRs256.bar_micros(260.0, 20_000.0), Some(320.0));
        assert_eq!(Flow::SignIn.bar_micros(260.0, 18_000.0), Some(20_000.0));
        assert_eq!(Flow::ClientCredentialsEs256.bar_micros(260.0, 20_000.0), Some(60.0));
    }
}
