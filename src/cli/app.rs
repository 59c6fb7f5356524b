//! `narthex app`: apps, one at a time. Whole servers are set up with `narthex apply`.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::SecondsFormat;

use crate::apis::check::api_of;
use crate::apis::service::Apis;
use crate::apps::error::AppError;
use crate::apps::model::{AllowedAccounts, GrantType, Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::service::Apps;
use crate::base::id::{AccountId, AppId};
use crate::base::scope::Scope;
use crate::cli::Misuse;
use crate::cli::open::{Opened, open};
use crate::cli::output::Output;
use crate::cli::registration_token::RegistrationTokenArgs;
use crate::cli::source::SourceArgs;
use crate::gate::routes;
use crate::keys::algorithm::Algorithm;
use crate::setup::apps::scope;

const EXAMPLES: &str = "\
Examples:
  narthex app create --account acme --title Portal --callback-url https://portal.example.org/cb \\
      --scope openid --scope project.read --allow-account acme --status live
  narthex app create --account acme --title Nightly --type confidential \\
      --grant-type client_credentials --scope project.read --allow-account acme
  narthex app list --account acme
  narthex app secret add portal --overlap-seconds 86400
  narthex app registration-token --account acme --uses 5

Custom claims are given with `narthex apply`.";

/// Registers apps and rotates their secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct AppArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Register an app, and print its id and its secret if it has one
    Create(Box<Create>),
    /// Show apps
    List {
        /// Only those of this account
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Client secrets
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Make an initial access token, with which somebody registers apps over HTTP
    RegistrationToken(RegistrationTokenArgs),
}

#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "these comments are what --help prints")]
struct Create {
    /// The account that owns the registration
    #[arg(long, value_name = "ID")]
    account: AccountId,
    /// What users read
    #[arg(long)]
    title: String,
    /// The client id [default: a fresh UUID]
    #[arg(long, value_name = "ID")]
    id: Option<AppId>,
    /// What users read below the title
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its picture
    #[arg(long, value_name = "URL")]
    icon_url: Option<String>,
    /// Where it lives
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// public, or confidential: it runs on a server and keeps a secret
    #[arg(long = "type", value_name = "TYPE", default_value = "public")]
    kind: Kind,
    /// live, disabled, or developing: only for users with the privilege developApps
    #[arg(long, default_value = "developing")]
    status: Status,
    /// A scope that it may ask for, and gets when it asks for none; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// An account that may use it; may be repeated [default: the one that owns it]
    #[arg(long = "allow-account", value_name = "ID", conflicts_with = "allow_all_accounts")]
    allow_accounts: Vec<AccountId>,
    /// Every account may use it
    #[arg(long)]
    allow_all_accounts: bool,
    /// Where users may be sent with a code; may be repeated
    #[arg(long = "callback-url", value_name = "URL", value_parser = RedirectUri::parse)]
    callback_urls: Vec<RedirectUri>,
    /// Where users may be sent after signing out; may be repeated
    #[arg(long = "logout-url", value_name = "URL", value_parser = RedirectUri::parse)]
    logout_urls: Vec<RedirectUri>,
    /// authorization_code, refresh_token or client_credentials; may be repeated
    /// [default: the first two]
    #[arg(long = "grant-type", value_name = "TYPE")]
    grant_types: Vec<GrantType>,
    /// Let it sign people in without PKCE: only for clients that cannot do it
    #[arg(long)]
    no_pkce: bool,
    /// Let refresh tokens be used again and again: only for clients that do not store new ones
    #[arg(long)]
    no_rotation: bool,
    /// Life of an access token
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    access_token_seconds: u32,
    /// Life of all refresh tokens of a sign-in together
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    refresh_token_seconds: u32,
    /// How its access tokens are signed: RS256, PS256, ES256 or EdDSA
    #[arg(long, value_name = "ALGORITHM", default_value = "ES256")]
    access_token_algorithm: Algorithm,
    /// How its ID tokens are signed
    #[arg(long, value_name = "ALGORITHM", default_value = "RS256")]
    id_token_algorithm: Algorithm,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, clap::Subcommand)]
enum SecretCommand {
    /// Make a new secret and print it; the one before it stays good for a while, older ones end
    Add {
        /// The client id
        app: AppId,
        /// How long the one before it stays good
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap_seconds: u32,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Show which secrets are good, by the beginning of their SHA-256
    List {
        /// The client id
        app: AppId,
        #[command(flatten)]
        source: SourceArgs,
    },
}

impl AppArgs {
    /// Runs `narthex app`.
    ///
    /// # Errors
    /// What failed, in words.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Create(create) => {
                let Opened { apps, apis, .. } = open(&create.source.load(None)?.config).await?;
                let app = create.into_app(|| apps.new_id())?;
                check_scopes(&apis, &app).await?;
                register(&apps, app, output).await?;
            }
            Command::List { account, source } => {
                let apps = open(&source.load(None)?.config).await?.apps;
                for app in apps.list(account.as_ref()).await? {
                    output.line(&line(&app))?;
                }
            }
            Command::RegistrationToken(args) => args.run(output).await?,
            Command::Secret(SecretCommand::Add { app, overlap_seconds, source }) => {
                let apps = open(&source.load(None)?.config).await?.apps;
                let secret = apps.add_secret(&app, overlap_seconds).await.map_err(in_words)?;
                output.line(&format!("secret  {}", secret.reveal()))?;
            }
            Command::Secret(SecretCommand::List { app, source }) => {
                let apps = open(&source.load(None)?.config).await?.apps;
                list_secrets(&apps, &app, output).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Scopes of APIs of others are those that are registered.
async fn check_scopes(apis: &Apis, app: &NewApp) -> anyhow::Result<()> {
    for scope in app.allowed_scopes.tokens() {
        let is_own = routes::scopes().any(|own| own.name == scope);
        if !is_own && api_of(scope).is_some() && !apis.has_scope(scope).await? {
            anyhow::bail!("there is no scope {scope}");
        }
    }
    Ok(())
}

impl Create {
    fn into_app(self, fresh_id: impl FnOnce() -> AppId) -> anyhow::Result<NewApp> {
        let id = self.id.unwrap_or_else(fresh_id);
        let defaults = NewApp::new(id, self.account, self.title);
        let scopes = Scope::parse(&self.scopes.join(" ")).context("the scopes are too long")?;
        let allowed_accounts = match (self.allow_all_accounts, self.allow_accounts.is_empty()) {
            (true, _) => AllowedAccounts::All,
            (false, true) => defaults.allowed_accounts,
            (false, false) => AllowedAccounts::These(self.allow_accounts.into_iter().collect()),
        };
        let grant_types = if self.grant_types.is_empty() {
            defaults.grant_types
        } else {
            self.grant_types.into_iter().collect()
        };
        Ok(NewApp {
            description: self.description,
            icon_url: self.icon_url,
            url: self.url,
            status: self.status,
            kind: self.kind,
            default_scopes: scopes.clone(),
            allowed_scopes: scopes,
            allowed_accounts,
            callback_urls: self.callback_urls,
            logout_urls: self.logout_urls,
            grant_types,
            require_pkce: !self.no_pkce,
            access_token_seconds: self.access_token_seconds,
            refresh_token_seconds: self.refresh_token_seconds,
            rotate_refresh_tokens: !self.no_rotation,
            access_token_algorithm: self.access_token_algorithm,
            id_token_algorithm: self.id_token_algorithm,
            ..defaults
        })
    }
}

async fn register(apps: &Apps, app: NewApp, output: &mut Output) -> anyhow::Result<()> {
    let (app, secret) = apps.register(app).await.map_err(in_words)?;
    output.line(&format!("client id  {}", app.id))?;
    if let Some(secret) = secret {
        output.line(&format!("secret     {}", secret.reveal()))?;
    }
    Ok(())
}

async fn list_secrets(apps: &Apps, app: &AppId, output: &mut Output) -> anyhow::Result<()> {
    for secret in apps.secrets(app).await.map_err(in_words)? {
        let [a, b, c, d, ..] = secret.digest.0;
        let made = secret.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let end = secret.expires_at.map_or_else(String::new, |end| {
            format!("  ends {}", end.to_rfc3339_opts(SecondsFormat::Secs, true))
        });
        output.line(&format!("{a:02x}{b:02x}{c:02x}{d:02x}…  made {made}{end}"))?;
    }
    Ok(())
}

fn line(app: &NewApp) -> String {
    let (id, account) = (app.id.as_str(), app.account.as_str());
    let (kind, status) = (app.kind.as_str(), app.status.as_str());
    format!("{id:36}  {account:16}  {kind:12}  {status:10}  {}", app.title)
}

/// What the caller got wrong is told apart from what failed.
fn in_words(error: AppError) -> anyhow::Error {
    match error {
        AppError::Invalid(_) => Misuse(error.to_string()).into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: AppArgs,
    }

    fn parse(words: &str) -> Result<Create, clap::Error> {
        match Line::try_parse_from(words.split(' '))?.args.command {
            Command::Create(create) => Ok(*create),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_app_is_one_line() {
        let app = NewApp::new("portal".parse().unwrap(), "acme".parse().unwrap(), "Portal");

        assert_eq!(
            line(&app),
            "portal                                acme              public        developing  Portal"
        );
    }

    #[test]
    fn flags_make_an_app() {
        let fresh = || "fresh".parse().unwrap();
        let portal = parse(
            "x create --account acme --title Portal --callback-url https://portal.example.org/cb \
             --scope openid --scope project.read --allow-account zeta --status live",
        );
        let nightly = parse(
            "x create --account acme --title Nightly --id n --type confidential --no-rotation \
             --grant-type client_credentials --allow-all-accounts",
        );

        let portal = portal.unwrap().into_app(fresh).unwrap();
        let nightly = nightly.unwrap().into_app(fresh).unwrap();

        assert_eq!((portal.check(), nightly.check()), (Ok(()), Ok(())));
        assert_eq!((portal.id.as_str(), nightly.id.as_str()), ("fresh", "n"));
        assert_eq!(portal.default_scopes.to_string(), "openid project.read");
        assert_eq!((portal.kind, portal.status), (Kind::Public, Status::Live));
        assert!(portal.require_pkce && portal.rotate_refresh_tokens);
        assert!(!portal.allowed_accounts.contains(&portal.account));
        assert_eq!(nightly.allowed_accounts, AllowedAccounts::All);
        assert_eq!(nightly.grant_types, [GrantType::ClientCredentials].into());
        assert!(!nightly.rotate_refresh_tokens);
    }

    #[test]
    fn bad_flags_are_refused() {
        for bad in [
            "--scope nosuch",
            "--callback-url javascript:x",
            "--status ready",
            "--type native",
            "--grant-type password",
            "--access-token-algorithm none",
            "--allow-account acme --allow-all-accounts",
        ] {
            let words = format!("x create --account acme --title A {bad}");
            assert!(parse(&words).is_err(), "{bad}");
        }
    }
}
