//! `narthex apply`: makes the server agree with a file.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::Misuse;
use crate::cli::open::open;
use crate::cli::output::Output;
use crate::cli::source::SourceArgs;
use crate::setup::service::{Setup, SetupError};
use crate::setup::tree::BYTES_MAX;

const EXAMPLES: &str = "\
A file, in YAML or JSON, declares users, accounts (with groups, members, policies and projects),
apps, and providers where people sign in elsewhere:

  users:
    - username: ada
      password: { env: ADA_PASSWORD }          # or in clear, { hash: … }, { file: … }
      totp: { file: secrets/ada.totp }         # base32
  accounts:
    - id: acme
      name: Acme
      groups:
        - { id: acme-staff, name: Staff, members: [ada] }
      policies:
        - name: Staff reads
          rules:
            readData:
              - user.groups: { comparison: includes, value: acme-staff }
      projects:
        - { id: heart-study, name: Heart study }
  apps:
    - id: portal
      account: acme
      title: Portal
      status: live
      type: confidential
      allowed_scopes: [openid, project.read]
      allowed_accounts: [acme]
      callback_urls: [https://portal.example.org/callback]
      secrets: [{ env: PORTAL_SECRET }]
  providers:
    - id: acme-login
      account: acme                            # or left out: for the whole server
      kind: oidc
      title: Acme's own sign-in
      issuer: https://login.acme.example
      client_id: narthex
      client_secret: { env: ACME_LOGIN_SECRET }
    - id: acme-saml
      account: acme
      kind: saml
      title: Acme's campus login
      metadata: { file: idp-metadata.xml }     # ours is at /saml/acme-saml/metadata
      email_domains: [acme.example]

What a file names is made as the file says; a field that it leaves out gets its default. Passwords,
TOTP secrets, client secrets and the members of a group stay as they are where the file does not
name them, and so does everything else. Applying a file again changes nothing.";

/// Makes the server agree with a file that declares users, accounts and apps.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ApplyArgs {
    /// YAML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    source: SourceArgs,
}

impl ApplyArgs {
    /// Runs `narthex apply`.
    ///
    /// # Errors
    /// [`Misuse`] with every fault of the file and its line, or what failed.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        let is_stdin = self.file.as_os_str() == "-";
        let shown =
            if is_stdin { "standard input".to_owned() } else { self.file.display().to_string() };
        let misuse = |text: String| Misuse(format!("{shown}: {text}"));
        let text = read(&self.file).map_err(misuse)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        // The file first: its faults need no server.
        let declaration =
            Setup::read(&text, folder).map_err(|faults| misuse(faults.to_string()))?;
        let loaded = self.source.load(None)?;
        let setup = open(&loaded.config).await?.setup;
        let outcome = if self.dry_run {
            setup.compare(&declaration).await
        } else {
            setup.apply(&declaration).await
        };
        let difference = match outcome {
            Ok(difference) => difference,
            Err(SetupError::Faults(faults)) => return Err(misuse(faults.to_string()).into()),
            Err(other) => return Err(other).context(shown),
        };
        output.line(&difference.to_string())?;
        if self.dry_run {
            output.line("dry run: nothing was changed")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &Path) -> Result<String, String> {
    let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}
