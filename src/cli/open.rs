//! Opening the data for a command that works beside a running server, or without one.

use std::sync::Arc;

use anyhow::Context as _;

use crate::accounts::service::Accounts;
use crate::apis::service::Apis;
use crate::apps::service::Apps;
use crate::base::clock::SystemClock;
use crate::base::entropy::OsEntropy;
use crate::config::model::Config;
use crate::db::ctx::Ctx;
use crate::gate::routes::scopes;
use crate::keys::vault::Vault;
use crate::policy::service::Policies;
use crate::projects::service::Projects;
use crate::server::start;
use crate::setup::service::Setup;
use crate::upstream::providers::Providers;
use crate::users::service::Users;

/// The services that need no keys.
#[derive(Debug)]
pub struct Opened {
    /// Storage, time, randomness.
    pub ctx: Ctx,
    /// People.
    pub users: Users,
    /// Apps.
    pub apps: Apps,
    /// APIs of others.
    pub apis: Apis,
    /// Configuration as code.
    pub setup: Setup,
}

/// The database of a configuration, its schema brought up to date.
///
/// # Errors
/// If it cannot be reached, or belongs to another build.
pub async fn database(config: &Config) -> anyhow::Result<(Ctx, Vec<&'static str>)> {
    let vault = Vault::new(config.encryption_key.bytes());
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy::default()));
    let opened = start::open_current(config, &vault, clock, entropy).await;
    opened.context("the database cannot be brought up to date")
}

/// The services on the data of a configuration.
///
/// # Errors
/// As [`database`].
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    let (ctx, _) = database(config).await?;
    let vault = Vault::new(config.encryption_key.bytes());
    let users = Users::new(ctx.clone(), vault.clone(), config)?;
    let outside = Apis::new(&ctx, &config.issuer, scopes().map(|scope| scope.name));
    let apps = Apps::new(&ctx, &vault);
    let (accounts, projects) = (Accounts::new(&ctx), Projects::new(&ctx));
    let (policies, providers) = (Policies::new(&ctx), Providers::new(&ctx, &vault));
    let setup = Setup::new(&users, &accounts, (&apps, &outside), &policies, &projects, &providers);
    Ok(Opened { ctx, users, apps, apis: outside, setup })
}
