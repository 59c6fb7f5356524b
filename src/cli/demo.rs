//! `narthex demo`: a server, users, and an app to click through.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::base::clock::{Clock, SystemClock};
use crate::base::entropy::OsEntropy;
use crate::base::id::AccountId;
use crate::cli::logging;
use crate::cli::output::Output;
use crate::cli::runner::{adopt, bind, is_listen_given, serve, stop_on_signal};
use crate::cli::source::{ListenArgs, SourceArgs};
use crate::config::load::{Loaded, Overrides, load};
use crate::config::mail::Way;
use crate::config::model::Issuer;
use crate::config::sign_up::SignUp;
use crate::db::error::DbError;
use crate::http::demo_app::{self, DemoApp, Person};
use crate::http::serve::serve as serve_router;
use crate::server::start::StartError;
use crate::server::{Server, ServerParts};
use crate::setup::declaration::Declaration;
use crate::setup::demo;
use crate::setup::service::Setup;
use crate::users::totp::TotpSecret;

/// Name of the folder in the user's data directory: never that of a real server.
const FOLDER: &str = "narthex-demo";

/// Where the demo app listens when nobody says.
const APP_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

const ABOUT: &str = "\
The demo keeps its data in a folder of its own. Starting it again finds the same users; their
passwords are public, so it is for trying out only. When a port is taken and was not asked for by a
flag, a free one is used.";

/// Starts a server with five accounts, four users and an app, and says what to try.
#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT)]
pub struct DemoArgs {
    /// Address and port of the demo app [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS:PORT")]
    app_listen: Option<SocketAddr>,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    source: SourceArgs,
}

impl DemoArgs {
    /// Runs `narthex demo`.
    ///
    /// # Errors
    /// If the configuration is wrong, the server does not come up, or the database is not the
    /// demo's.
    pub async fn run(self, output: &mut Output) -> anyhow::Result<ExitCode> {
        let mut loaded = self.load()?;
        logging::start(&loaded.config.log)?;
        let stop = stop_on_signal()?;
        let is_given = is_listen_given(&loaded, &self.listen);
        let listener = bind_or_free(loaded.config.listen, is_given).await?;
        adopt(&mut loaded, &listener)?;
        let app_listen = self.app_listen.unwrap_or(APP_LISTEN);
        let app_listener = bind_or_free(app_listen, self.app_listen.is_some()).await?;
        let app_origin = Issuer::of_loopback(app_listener.local_addr()?);
        let is_open = !listener.local_addr()?.ip().is_loopback();

        let declaration = demo::declaration(app_origin.as_str())?;
        let place = loaded.config.data_dir.display().to_string();
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy::default()));
        let started = Server::start(loaded.config, clock.clone(), entropy).await;
        let server = started.map_err(|error| match error {
            StartError::Db(DbError::Schema(_)) => anyhow::Error::new(error).context(format!(
                "the demo's data was made by another build: remove {place} and start again"
            )),
            other => other.into(),
        })?;
        set_up(&server, &declaration).await?;

        let issuer = server.config.issuer.clone();
        let people = people(&declaration);
        output.text(&welcome(&issuer, &app_origin, &place, &people))?;
        if is_open {
            output.line("  Other machines can reach this server, and its passwords are public.")?;
        }
        let settings = demo::app_settings(issuer.as_str());
        let letters = match &server.config.mail.way {
            Way::Directory(folder) => Some(folder.clone()),
            Way::Smtp(_) => None,
        };
        let app = demo_app::router(DemoApp { issuer, settings, people, clock, letters });
        tokio::join!(
            serve(server, listener, None, stop.clone()),
            serve_router(app, app_listener, stop),
        );
        Ok(ExitCode::SUCCESS)
    }

    fn load(&self) -> anyhow::Result<Loaded> {
        let overrides = Overrides {
            folder: FOLDER,
            own_key: true,
            ..self.source.overrides(Some(&self.listen))
        };
        let mut loaded = load(&overrides, &OsEntropy::default())?;
        if !loaded.settings.is_given("log.filter") {
            // The terminal is for what the demo says.
            "warn".clone_into(&mut loaded.config.log.filter);
        }
        if !loaded.settings.is_given("sign_up.mode") {
            loaded.config.sign_up = SignUp::Open;
        }
        if !loaded.settings.is_given("platform.account") {
            let platform = demo::PLATFORM.parse().context("the demo's platform")?;
            loaded.config.registration.platform_account = Some(platform);
        }
        Ok(loaded)
    }
}

/// A listener on `address`, or on a free port if that is taken and nobody asked for it.
async fn bind_or_free(address: SocketAddr, is_given: bool) -> anyhow::Result<TcpListener> {
    match bind(address).await {
        Err(_) if !is_given => bind(SocketAddr::new(address.ip(), 0)).await,
        other => other,
    }
}

/// Applies the demo's file, to a database that is empty or the demo's own: nobody's server is to
/// get users with public passwords.
async fn set_up(server: &Server, declaration: &Declaration) -> anyhow::Result<()> {
    let mark: AccountId = "umbrella".parse().context("the demo's account")?;
    let is_ours = server.accounts.find(&mark).await?.is_some();
    let is_empty = server.users.list(None, 1).await?.is_empty();
    anyhow::ensure!(
        is_ours || is_empty,
        "this database is not the demo's: it has users of its own, and the demo would add users \
         with public passwords; name another with --data-dir or --database-url"
    );
    let ServerParts { users, accounts, apis, apps, policies, projects, providers, .. } = &**server;
    Setup::new(users, accounts, (apps, apis), policies, projects, providers)
        .apply(declaration)
        .await?;
    Ok(())
}

fn people(declaration: &Declaration) -> Vec<Person> {
    let person = |user| {
        Some(Person {
            username: user_name(user),
            about: demo::about(user).to_owned(),
            password: demo::clear_password(user)?.clone(),
            totp: user.totp.as_ref().and_then(|secret| TotpSecret::from_base32(&secret.value).ok()),
        })
    };
    declaration.users.iter().filter_map(person).collect()
}

fn user_name(user: &crate::setup::declaration::UserEntry) -> String {
    user.user.value.username.clone()
}

fn welcome(issuer: &Issuer, app: &Issuer, place: &str, people: &[Person]) -> String {
    let mut text = format!(
        "\n  Narthex demo\n\n  \
         Open     {app}\n  \
         Narthex  {issuer}, data in {place}\n  \
         Mail     {app}/mails\n\n  \
         User  Password              Code now  Who\n"
    );
    for person in people {
        let code = person.code(&SystemClock as &dyn Clock);
        let _ = writeln!(
            text,
            "  {:<4}  {:<20}  {code:<8}  {}",
            person.username,
            person.password.reveal(),
            person.about
        );
    }
    let _ = write!(
        text,
        "\n  Codes change every 30 seconds, and each is good once. {app}/codes shows them;\n  \
         or put these secrets into an authenticator app:\n"
    );
    for person in people {
        if let Some(totp) = &person.totp {
            let _ = writeln!(text, "  {:<4}  {}", person.username, totp.base32().reveal());
        }
    }
    text.push_str(TO_TRY);
    text
}

const TO_TRY: &str = "
  What to try
  1. Open the app, sign in as ada, allow the app, and see the three projects of acme.
  2. Press the six buttons: each request is stopped by another gate, and the app shows the
     status and the reason that came back.
  3. Sign out, sign in as ben: a policy of acme shows him one project.

  Ctrl-C stops it.

";
