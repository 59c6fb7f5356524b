//! What scripts of apps can compare, to see whether a session is still the same.
//! Source: OpenID Connect Session Management 1.0 sections 2 and 4.2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::keys::vault::MacKey;
use crate::oauth::service::OAuth;

/// What the key of browser states is for.
pub(in crate::oauth) const PURPOSE: &str = "oauth: browser state";

/// What a browser shows of a session to the script of our frame: changes with the session, opens
/// nothing, and says nothing to whoever does not have the vault.
pub fn browser_state(oauth: &OAuth, session: Digest) -> String {
    state_of(&oauth.macs().browser_state, session)
}

fn state_of(key: &MacKey, session: Digest) -> String {
    let Digest(mac) = key.mac(&[&session.0]);
    URL_SAFE_NO_PAD.encode(mac.get(..16).unwrap_or_default())
}

/// `session_state` for the scripts of an app at an origin.
pub(in crate::oauth) fn session_state(
    oauth: &OAuth,
    app: &AppId,
    origin: &str,
    session: Digest,
) -> String {
    let state = browser_state(oauth, session);
    let salt = URL_SAFE_NO_PAD.encode(oauth.ctx().entropy().bytes::<12>());
    salted(&[app.as_str(), origin, &state], &salt)
}

fn salted(parts: &[&str; 3], salt: &str) -> String {
    let Digest(hash) = Digest::of(format!("{} {salt}", parts.join(" ")).as_bytes());
    format!("{}.{salt}", URL_SAFE_NO_PAD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::vault::Vault;

    #[test]
    fn it_changes_with_each_of_its_parts() {
        let one = salted(&["portal", "https://portal.example", "s1"], "salt");

        assert_eq!(one, salted(&["portal", "https://portal.example", "s1"], "salt"));
        for other in [
            ["other", "https://portal.example", "s1"],
            ["portal", "https://other.example", "s1"],
            ["portal", "https://portal.example", "s2"],
        ] {
            assert_ne!(one, salted(&other, "salt"));
        }
        assert_eq!(one.split_once('.').map(|(_, salt)| salt), Some("salt"));
        assert!(!one.contains(' '));
    }

    #[test]
    fn what_scripts_see_is_not_what_the_session_is_stored_by() {
        let key = |byte: u8| Vault::new(&[byte; 32]).mac_key(PURPOSE);
        let session = Digest([1; 32]);
        let state = state_of(&key(7), session);

        assert_eq!(state, state_of(&key(7), session));
        assert_ne!(state, state_of(&key(7), Digest([2; 32])));
        assert_ne!(state, state_of(&key(8), session));
        assert_eq!(state.len(), 22);
    }
}
