//! `narthex serve`: a server.

use std::process::ExitCode;
use std::sync::Arc;

use crate::base::clock::SystemClock;
use crate::base::entropy::OsEntropy;
use crate::cli::logging;
use crate::cli::output::Output;
use crate::cli::runner::{adopt, bind, bind_tls, serve, stop_on_signal};
use crate::cli::source::{ListenArgs, SourceArgs};
use crate::server::Server;

const EXAMPLES: &str = "\
Examples:
  narthex serve
  narthex serve --data-dir /var/lib/narthex --issuer https://id.example.org
  narthex serve --config /etc/narthex.toml
  NARTHEX_DATABASE_URL=postgres://… NARTHEX_ENCRYPTION_KEY=… narthex serve --listen 0.0.0.0:8080 \\
      --issuer https://id.example.org

Without any word it listens on 127.0.0.1:8080 and keeps everything in a data directory of its own,
with keys generated. TLS ends at a proxy in front (name it in trusted_proxies), or here: name
tls.certificate_file and tls.key_file.

SIGTERM and SIGINT stop it: requests that are under way finish first.";

/// Serves OAuth 2.0, OpenID Connect and the resource API.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    source: SourceArgs,
}

impl ServeArgs {
    /// Runs `narthex serve`.
    ///
    /// # Errors
    /// If the configuration is wrong, or the server does not come up.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        let mut loaded = self.source.load(Some(&self.listen))?;
        logging::start(&loaded.config.log)?;
        let stop = stop_on_signal()?;
        let listener = bind(loaded.config.listen).await?;
        let tls_listener = bind_tls(&loaded.config).await?;
        adopt(&mut loaded, &listener)?;
        let (issuer, listen) = (loaded.config.issuer.clone(), loaded.config.listen);
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy::default()));
        let server = Server::start(loaded.config, clock, entropy).await?;
        tracing::info!(%issuer, %listen, "ready");
        output.line(&format!("Narthex serves {issuer} and listens on {listen}"))?;
        serve(server, listener, tls_listener, stop).await;
        Ok(ExitCode::SUCCESS)
    }
}
