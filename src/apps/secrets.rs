//! Client secrets on their way into storage.
//!
//! Storage holds digests. Only for an app that signs with its secret (`client_secret_jwt`) does it
//! hold the secret, too, sealed by the vault: an HMAC cannot be checked by a digest of its key.

use zeroize::Zeroizing;

use crate::apps::metadata::AuthMethod;
use crate::apps::model::{App, SecretDigest};
use crate::apps::new_app::NewApp;
use crate::apps::service::Apps;
use crate::base::secret::{Digest, Secret};

/// What the vault seals secrets for.
const PURPOSE: &str = "client_secret";

/// A secret as somebody gives it: itself, or its digest alone.
#[derive(Clone, Debug)]
pub struct GivenSecret {
    /// SHA-256 of it.
    pub digest: Digest,
    /// Itself, if it is known.
    pub clear: Option<Secret>,
}

impl From<Digest> for GivenSecret {
    fn from(digest: Digest) -> Self {
        Self { digest, clear: None }
    }
}

impl From<&Secret> for GivenSecret {
    fn from(secret: &Secret) -> Self {
        Self { digest: secret.digest(), clear: Some(secret.clone()) }
    }
}

/// A secret as it may be stored.
#[derive(Clone, Debug)]
pub(in crate::apps) struct NewSecret {
    pub(in crate::apps) digest: Digest,
    sealed: Option<Vec<u8>>,
}

impl NewSecret {
    /// The sealed secret, if `app` signs with it.
    pub(in crate::apps) fn sealed_for(&self, app: &NewApp) -> Option<Vec<u8>> {
        self.sealed.clone().filter(|_| signs_with_secret(app))
    }
}

/// Whether the secret itself has to be known.
pub(in crate::apps) fn signs_with_secret(app: &NewApp) -> bool {
    app.metadata.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt)
}

impl Apps {
    pub(in crate::apps) fn sealed(&self, given: &GivenSecret) -> NewSecret {
        let clear = given.clear.as_ref();
        let seal = |secret: &Secret| {
            self.vault.seal(PURPOSE, secret.reveal().as_bytes(), self.ctx.entropy())
        };
        NewSecret { digest: given.digest, sealed: clear.map(seal) }
    }

    /// The secrets that `app` signs with, of those that are good now.
    pub fn signing_secrets(&self, app: &App) -> Vec<Secret> {
        let now = self.ctx.now();
        let good = app.secrets.iter().filter(|secret| secret.is_good(now));
        good.filter_map(|secret| self.unsealed(secret)).collect()
    }

    fn unsealed(&self, secret: &SecretDigest) -> Option<Secret> {
        let clear: Zeroizing<Vec<u8>> = self.vault.open(PURPOSE, secret.sealed.as_deref()?)?;
        std::str::from_utf8(&clear).ok().map(Secret::presented)
    }
}
