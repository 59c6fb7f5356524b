//! What is known about a caller, for the policies.

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::accounts::model::{Account, Membership};
use crate::base::id::AppId;
use crate::policy::attributes::Attributes;
use crate::policy::fact::Fact;
use crate::users::model::User;

/// By what the user acts.
pub(in crate::gate) struct Means<'m> {
    /// How the user signed in; nothing for a key, or for an app that acts by itself.
    pub(in crate::gate) amr: &'m [String],
    /// The app; `None` for a key.
    pub(in crate::gate) client: Option<&'m AppId>,
}

/// The attributes of the user, the environment and the account.
///
/// What is not known is left out, so that no condition on it is met: an e-mail address that
/// nobody has proven to be the user's, the address of a caller behind an unknown proxy, Patients
/// of whoever is none.
pub(in crate::gate) fn gather(
    (user, membership): (&User, &Membership),
    account: &Account,
    means: &Means<'_>,
    ip: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Attributes {
    let mut facts = membership
        .facts(user, account)
        .with("environment", "time", now.to_rfc3339_opts(SecondsFormat::Secs, true))
        .with("environment", "amr", Fact::texts(means.amr.iter().cloned()));
    if let Some(client) = means.client {
        facts.put("environment", "client", client.as_str());
    }
    if let Some(ip) = ip {
        facts.put("environment", "ip", ip.to_string());
    }
    facts
}
