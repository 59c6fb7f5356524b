//! What is known about a caller, for the policies.

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::accounts::model::{Account, Membership};
use crate::base::id::GroupId;
use crate::oauth::access_token::AccessToken;
use crate::policy::attributes::Attributes;
use crate::policy::fact::Fact;
use crate::users::model::User;

/// The attributes of the user, the environment and the account.
///
/// What is not known is left out, so that no condition on it is met: an e-mail address that
/// nobody has proven to be the user's, the address of a caller behind an unknown proxy, patients
/// (there are none yet).
pub(in crate::gate) fn gather(
    (user, membership): (&User, &Membership),
    account: &Account,
    token: &AccessToken,
    ip: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Attributes {
    let groups = membership.groups.iter().map(|id: &GroupId| id.as_str().to_owned());
    let mut facts = Attributes::new()
        .with("user", "id", user.id.as_str())
        .with("user", "username", user.username.as_str())
        .with("user", "groups", Fact::texts(groups))
        .with("user", "customAttributes", &membership.attributes)
        .with("account", "id", account.id.as_str())
        .with("account", "type", account.kind.as_str())
        .with("environment", "time", now.to_rfc3339_opts(SecondsFormat::Secs, true))
        .with("environment", "amr", Fact::texts(token.amr.iter().cloned()))
        .with("environment", "client", token.client.as_str());
    if let Some(email) = user.email.as_deref().filter(|_| user.email_verified) {
        facts.put("user", "email", email);
    }
    if let Some(ip) = ip {
        facts.put("environment", "ip", ip.to_string());
    }
    facts
}
