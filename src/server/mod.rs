//! The parts of a running process.

pub mod start;

use std::ops::Deref;
use std::sync::Arc;

use crate::accounts::service::Accounts;
use crate::accounts::tenancy::Tenancy;
use crate::apis::service::Apis;
use crate::apps::service::Apps;
use crate::config::model::Config;
use crate::db::ctx::Ctx;
use crate::gate::service::Gate;
use crate::keys::service::Keys;
use crate::keys::vault::Vault;
use crate::mail::service::Mail;
use crate::oauth::service::OAuth;
use crate::outbound::Outbound;
use crate::places::Places;
use crate::policy::service::Policies;
use crate::programs::service::Programs;
use crate::projects::service::Projects;
use crate::queue::service::Queue;
use crate::tls::Tls;
use crate::tls::authorities::Authorities;
use crate::upstream::providers::Providers;
use crate::upstream::service::Upstream;
use crate::usage::service::Usage;
use crate::users::service::Users;

/// Everything that requests are answered with.
///
/// Every layer and handler of every request clones it: one count goes up, not those of each part.
#[derive(Clone, Debug)]
pub struct Server(Arc<ServerParts>);

impl Deref for Server {
    type Target = ServerParts;

    fn deref(&self) -> &ServerParts {
        &self.0
    }
}

/// The parts of a [`Server`].
#[derive(Debug)]
pub struct ServerParts {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Storage, time, randomness.
    pub ctx: Ctx,
    /// Seals and authenticates.
    pub vault: Vault,
    /// What has to be delivered.
    pub queue: Queue,
    /// Letters.
    pub mail: Mail,
    /// Signs.
    pub keys: Keys,
    /// Policies.
    pub policies: Policies,
    /// People.
    pub users: Users,
    /// Tenants.
    pub accounts: Accounts,
    /// How tenants come and go.
    pub tenancy: Tenancy,
    /// APIs of others.
    pub apis: Apis,
    /// Apps.
    pub apps: Apps,
    /// Providers of others.
    pub providers: Providers,
    /// Whom they send.
    pub upstream: Upstream,
    /// Keys and service accounts.
    pub programs: Programs,
    /// Projects.
    pub projects: Projects,
    /// What accounts use.
    pub usage: Usage,
    /// Where addresses are, if the operator gave a database of it.
    pub places: Option<Places>,
    /// Requests to others.
    pub outbound: Outbound,
    /// TLS of our own, if it does not end at a proxy.
    pub tls: Option<Tls>,
    /// The authorities whose certificates name apps.
    pub authorities: Option<Authorities>,
    /// The protocol.
    pub oauth: OAuth,
    /// The gate of the resource API.
    pub gate: Gate,
}
