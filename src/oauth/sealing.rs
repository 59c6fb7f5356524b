//! What only its app can read: encrypted ID tokens and userinfo.
//! Source: OpenID Connect Core sections 2, 5.3.2 and 10.2.

use std::fmt;
use std::sync::Arc;

use moka::sync::Cache;

use crate::apps::metadata::{ContentEncryption, KeyManagement};
use crate::apps::model::App;
use crate::base::secret::Digest;
use crate::keys::error::{KeyError, TokenFault};
use crate::keys::jwe::{Content, EncryptionKey};
use crate::oauth::client_keys;
use crate::oauth::service::OAuth;

/// Most keys of apps that are held in memory, ready to encrypt.
const KEYS_MAX: u64 = 10_000;

/// Keys of apps, ready to encrypt, by the digest of what the app wrote.
pub(in crate::oauth) struct SealingKeys(Cache<[u8; 32], Arc<EncryptionKey>>);

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys(..)")
    }
}

impl Default for SealingKeys {
    fn default() -> Self {
        Self(Cache::new(KEYS_MAX))
    }
}

/// Why something is not encrypted, and so not given out.
#[derive(Debug, thiserror::Error)]
pub enum SealingFault {
    /// The app asked for it, and has no key that it could be encrypted to.
    #[error("nothing can be encrypted to the app: {0}")]
    NoKey(&'static str),
    /// The library refused.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

impl From<TokenFault> for SealingFault {
    fn from(fault: TokenFault) -> Self {
        Self::NoKey(fault.0)
    }
}

/// Encrypts an ID token or a logout token, if the app wants its ID tokens so.
/// Source: OpenID Connect Core section 2, OpenID Connect Back-Channel Logout section 2.4.
pub(in crate::oauth) async fn seal_id(
    oauth: &OAuth,
    app: &App,
    token: String,
) -> Result<String, SealingFault> {
    let Some(algorithm) = app.metadata.id_token_encrypted_response_alg else { return Ok(token) };
    let how = (algorithm, app.metadata.id_token_encrypted_response_enc);
    Box::pin(seal(oauth, app, how, Some("JWT"), token.as_bytes())).await
}

/// Encrypts `plain` to `app` as it registered; `cty` is `JWT` if it is one.
pub(in crate::oauth) async fn seal(
    oauth: &OAuth,
    app: &App,
    (algorithm, content): (KeyManagement, Option<ContentEncryption>),
    cty: Option<&str>,
    plain: &[u8],
) -> Result<String, SealingFault> {
    let jwk = client_keys::encryption_key_of(oauth, app, algorithm).await?;
    let Digest(name) = Digest::of(jwk.to_string().as_bytes());
    let held = &oauth.caches().sealing_keys.0;
    let key = if let Some(key) = held.get(&name) {
        key
    } else {
        let key = EncryptionKey::from_jwk(&jwk).map_err(|bad| SealingFault::NoKey(bad.0))?;
        let key = Arc::new(key);
        held.insert(name, key.clone());
        key
    };
    let content = match content {
        Some(ContentEncryption::A128Gcm) | None => Content::A128Gcm,
        Some(ContentEncryption::A256Gcm) => Content::A256Gcm,
    };
    Ok(key.encrypt(content, cty, plain, oauth.ctx().entropy())?)
}
