//! The text of a key: shaped like a JWT, because clients read `exp` from it, and opaque to all but
//! this server.
//!
//! Its signature is made with a key that never leaves the server and does not rotate: a key lives for
//! up to a year, signing keys do not. Whether it is good is decided by the table, in which its digest
//! stands; the signature keeps made-up keys away from it. Claims: the platform's contract, section 3.3.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::base::id::ApiKeyId;
use crate::base::secret::{Digest, Secret};
use crate::keys::vault::MacKey;
use crate::programs::model::ApiKey;

/// The header, which no other token of ours has, in base64url. RFC 7515 section 7.1.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImFwaS1rZXkrand0In0";

/// Whether a bearer token is a key, good or not.
pub(in crate::programs) fn is_key(token: &str) -> bool {
    token.strip_prefix(HEADER).is_some_and(|rest| rest.starts_with('.'))
}

/// The text of a key.
pub(in crate::programs) fn make(
    mac: &MacKey,
    issuer: &str,
    (key, username): (&ApiKey, &str),
    random: &Secret,
) -> Secret {
    let claims = json!({
        "iss": format!("{issuer}/v1/api-keys"),
        "sub": key.user,
        "account": key.account,
        "username": username,
        "version": 1,
        "token_use": "access",
        "rnd": random.reveal(),
        "iat": key.created_at.timestamp(),
        "exp": key.expires_at.timestamp(),
        "jti": key.id,
    });
    let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let Digest(signature) = mac.mac(&[signed.as_bytes()]);
    Secret::presented(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Which key a text says it is; `None` unless we made it.
pub(in crate::programs) fn read(mac: &MacKey, token: &str) -> Option<ApiKeyId> {
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = Digest::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?)?;
    if !is_key(token) || signature != mac.mac(&[signed.as_bytes()]) {
        return None;
    }
    let payload = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("jti")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::base::scope::Scope;
    use crate::keys::vault::Vault;

    fn mac() -> MacKey {
        Vault::new(&[7; 32]).mac_key("api key")
    }

    fn made() -> String {
        let key = ApiKey {
            id: "k1".parse().unwrap(),
            account: "acme".parse().unwrap(),
            user: "u1".parse().unwrap(),
            name: "n".to_owned(),
            scope: Scope::parse("project.read").unwrap(),
            created_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::days(1),
            is_of_service: false,
        };
        let random = Secret::presented("r");
        make(&mac(), "https://id.example", (&key, "ann"), &random).reveal().to_owned()
    }

    #[test]
    fn a_key_is_read_by_who_made_it_and_looks_like_a_jwt() {
        let token = made();

        assert_eq!(read(&mac(), &token).unwrap().as_str(), "k1");
        assert_eq!(read(&Vault::new(&[8; 32]).mac_key("api key"), &token), None);
        let header = URL_SAFE_NO_PAD.decode(HEADER).unwrap();
        assert_eq!(header, br#"{"alg":"HS256","typ":"api-key+jwt"}"#);
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!((&claims["exp"], &claims["account"]), (&json!(86_400), &json!("acme")));
    }

    proptest! {
        #[test]
        fn a_bent_key_is_none(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
            let token = made();
            let at = at.index(token.len());
            let bent = format!("{}{with}{}", &token[..at], &token[at + 1..]);
            prop_assert!(bent == token || read(&mac(), &bent).is_none());
        }

        #[test]
        fn made_up_text_is_none(text in "[ -~]{0,200}") {
            prop_assert!(read(&mac(), &text).is_none());
            let with_header = format!("{HEADER}.{text}");
            prop_assert!(read(&mac(), &with_header).is_none());
        }
    }
}
