//! What apps call a session: `sid`. Source: OpenID Connect Back-Channel Logout section 2.1,
//! OpenID Connect Front-Channel Logout section 3.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::keys::vault::MacKey;
use crate::oauth::service::OAuth;

/// What the key of these names is for.
pub(in crate::oauth) const PURPOSE: &str = "oauth: sid";

/// The name that `app` knows a session by. Every app knows another one: two apps that put what
/// they know together do not find out that they have one user.
pub(in crate::oauth) fn of(oauth: &OAuth, app: &AppId, session: Digest) -> String {
    name(&oauth.macs().sid, app, session)
}

fn name(key: &MacKey, app: &AppId, session: Digest) -> String {
    let Digest(mac) = key.mac(&[app.as_str().as_bytes(), &session.0]);
    URL_SAFE_NO_PAD.encode(mac.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::vault::Vault;

    #[test]
    fn a_session_has_one_name_for_each_app() {
        let (portal, other): (AppId, AppId) = ("portal".parse().unwrap(), "other".parse().unwrap());
        let (key, session) = (Vault::new(&[7; 32]).mac_key(PURPOSE), Digest([1; 32]));
        let it = name(&key, &portal, session);

        assert_eq!((it.len(), &it), (22, &name(&key, &portal, session)));
        assert_ne!(it, name(&key, &other, session));
        assert_ne!(it, name(&key, &portal, Digest([2; 32])));
        assert_ne!(it, name(&Vault::new(&[8; 32]).mac_key(PURPOSE), &portal, session));
    }
}
