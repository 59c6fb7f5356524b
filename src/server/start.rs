//! How a process comes up: storage first, then keys, then everything that stands on them.

use std::sync::Arc;

use crate::accounts::service::Accounts;
use crate::accounts::tenancy::Tenancy;
use crate::apis::service::Apis;
use crate::apps::service::Apps;
use crate::audit::service as audit;
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::config::model::{Config, Database};
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::{Db, Place};
use crate::gate::routes::scopes;
use crate::gate::service::Gate;
use crate::keys::error::KeyError;
use crate::keys::service::Keys;
use crate::keys::vault::Vault;
use crate::mail::service::{BadMail, Mail};
use crate::oauth::service::{OAuth, Parts};
use crate::outbound::{BadAuthorities, Outbound};
use crate::places::{BadPlaces, Places};
use crate::policy::service::Policies;
use crate::programs::service::{self as programs, Programs};
use crate::projects::service::Projects;
use crate::queue::service::Queue;
use crate::server::{Server, ServerParts};
use crate::tls::authorities::Authorities;
use crate::tls::{BadTls, Tls};
use crate::upstream::providers::Providers;
use crate::upstream::service::{self as upstream, Upstream};
use crate::usage::service::Usage;
use crate::users::error::UserError;
use crate::users::service::Users;

/// Why a process does not come up.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened, or its schema is not ours.
    #[error("the database cannot be used: {0}")]
    Db(#[from] DbError),
    /// The signing keys cannot be made or read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The settings for mail are refused.
    #[error(transparent)]
    Mail(#[from] BadMail),
    /// The trusted authorities are refused.
    #[error(transparent)]
    Outbound(#[from] BadAuthorities),
    /// The certificates are refused.
    #[error(transparent)]
    Tls(#[from] BadTls),
    /// The database of places cannot be used.
    #[error("geo.database_file: {0}")]
    Places(#[from] BadPlaces),
    /// The password settings are refused.
    #[error(transparent)]
    Users(#[from] UserError),
    /// The folder for the database cannot be made.
    #[error("the data directory cannot be made: {0}")]
    Folder(#[source] std::io::Error),
}

/// Opens the database that `config` names. Does not touch its schema.
///
/// # Errors
/// [`StartError::Db`] or [`StartError::Folder`].
pub async fn open(config: &Config) -> Result<Db, StartError> {
    let place = match &config.database {
        Database::Sqlite { path } => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(StartError::Folder)?;
            }
            Place::Sqlite(path.clone())
        }
        Database::Postgres { url, connections_max } => {
            Place::Postgres { url: url.clone(), connections_max: *connections_max }
        }
    };
    Ok(Db::open(&place).await?)
}

/// Providers of others, on what the protocol stands on.
fn beside(oauth: &OAuth) -> Upstream {
    let Parts { ctx, issuer, keys, vault, users, accounts, providers, outbound, .. } =
        oauth.parts().clone();
    Upstream::new(upstream::Parts {
        ctx,
        issuer,
        keys,
        vault,
        users,
        accounts,
        providers,
        outbound,
    })
}

/// Keys and service accounts, on what the protocol stands on.
fn programs(oauth: &OAuth) -> Programs {
    let Parts { ctx, issuer, users, accounts, apps, policies, vault, .. } = oauth.parts().clone();
    Programs::new(programs::Parts { ctx, issuer, users, accounts, apps, policies }, &vault)
}

/// TLS of our own, and the authorities of its clients.
fn certificates(config: &Config) -> Result<(Option<Tls>, Option<Authorities>), BadTls> {
    let tls = config.tls.listener.as_ref().map(Tls::new).transpose()?;
    let authorities = config.tls.client_ca_file.as_deref().map(Authorities::load).transpose()?;
    Ok((tls, authorities))
}

/// Opens the database and brings its schema up to date; says which migrations ran.
///
/// # Errors
/// [`StartError`].
pub async fn open_current(
    config: &Config,
    vault: &Vault,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(Ctx, Vec<&'static str>), StartError> {
    let db = open(config).await?;
    let ran = db.migrate().await?;
    let ctx = Ctx { db, clock, entropy, seal: Some(vault.mac_key(audit::HEAD)) };
    if ran.contains(&audit::SEALED_SINCE) {
        audit::seal_all(&ctx).await?;
    }
    ctx.db.poll_changes().await?;
    Ok((ctx, ran))
}

fn tell(ran: &[&'static str]) {
    for migration in ran {
        tracing::info!(migration, "the schema was brought up to date");
    }
}

impl Server {
    /// Brings everything up: opens the database, runs its migrations, reads or makes the keys.
    ///
    /// # Errors
    /// [`StartError`], in words for whoever started it.
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let vault = Vault::new(config.encryption_key.bytes());
        let (ctx, ran) = open_current(&config, &vault, clock, entropy).await?;
        tell(&ran);
        let (queue, mail) = (Queue::new(&ctx), Mail::new(&config, &vault)?);
        let keys = Keys::load(&ctx, &vault, &config.keys).await?;
        let (policies, projects, accounts) =
            (Policies::new(&ctx), Projects::new(&ctx), Accounts::new(&ctx));
        let users = Users::new(ctx.clone(), vault.clone(), &config)?;
        let tenancy = Tenancy::new(&ctx, &vault, &config.issuer, &users);
        let outside = Apis::new(&ctx, &config.issuer, scopes().map(|scope| scope.name));
        let (apps, providers) = (Apps::new(&ctx, &vault), Providers::new(&ctx, &vault));
        let (outbound, (tls, authorities)) =
            (Outbound::new(&config.outbound)?, certificates(&config)?);
        let oauth = OAuth::new(Parts {
            ctx: ctx.clone(),
            issuer: config.issuer.clone(),
            keys: keys.clone(),
            apps: apps.clone(),
            users: users.clone(),
            accounts: accounts.clone(),
            policies: policies.clone(),
            providers: providers.clone(),
            outbound: outbound.clone(),
            registration: config.registration.clone(),
            sign_up: config.sign_up,
            sees_certificates: config.tls.sees_certificates(),
            mtls_url: config.tls.mtls_url(&config.issuer),
            authorities: authorities.clone(),
            vault: vault.clone(),
        });
        let (upstream, programs, usage) = (beside(&oauth), programs(&oauth), Usage::new(&ctx));
        let gate = Gate::new(&oauth, &programs).asking(config.step_up.clone());
        let places = config.geo_database_file.as_deref().map(Places::open).transpose()?;
        Ok(Self(Arc::new(ServerParts {
            config: Arc::new(config),
            ctx,
            vault,
            queue,
            mail,
            keys,
            policies,
            users,
            accounts,
            tenancy,
            apis: outside,
            apps,
            providers,
            upstream,
            programs,
            projects,
            usage,
            places,
            outbound,
            tls,
            authorities,
            oauth,
            gate,
        })))
    }
}
