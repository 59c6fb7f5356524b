//! Signing in with passkeys and security keys. Source: `WebAuthn` Level 3 section 7.2.
//!
//! A passkey alone is two factors, because it checks its user; any key after a password is the
//! second. Whoever begins without a name is asked the same, whoever they are.

use std::sync::Arc;

use serde_json::Value;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey, PublicKeyCredential, SecurityKey,
    SecurityKeyAuthentication,
};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::users::device;
use crate::users::error::SignInError;
use crate::users::login::Source;
use crate::users::model::User;
use crate::users::passkeys::{KeyAsk, corrupt};
use crate::users::service::Users;
use crate::users::store_factors::{self as store, StoredKey, UsedKey};
use crate::users::store_throttle::Outcome;
use crate::users::throttle::{Factor, strangers};
use crate::users::username::UsernameKey;

const ALONE: &str = "users: passkey alone";
const SECOND: &str = "users: key as second factor";

/// What a key has shown: part of `amr`. Source: RFC 8176 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whether the key can leave its device: synchronised passkeys do.
    pub is_synchronised: bool,
}

impl Shown {
    /// `hwk` says what the authenticator says: that the key cannot leave it. Nobody vouches for
    /// that, as no attestation is asked for.
    pub fn amr(self) -> [&'static str; 2] {
        [if self.is_synchronised { "swk" } else { "hwk" }, "user"]
    }
}

impl Users {
    /// Asks for any passkey of anybody; `None` where there are none.
    ///
    /// # Errors
    /// [`DbError`] if it cannot be sealed.
    pub fn ask_passkey(&self, browser: &Digest) -> Result<Option<KeyAsk>, DbError> {
        let Some(webauthn) = &self.0.webauthn else { return Ok(None) };
        let Ok((options, state)) = webauthn.start_discoverable_authentication() else {
            return Ok(None);
        };
        let state = self.seal(ALONE, &[&browser.0], &state)?;
        Ok(Some(KeyAsk { options: text(&options)?, state }))
    }

    /// Takes a passkey in place of name and password.
    ///
    /// # Errors
    /// [`SignInError::Wrong`] for whatever is wrong about it.
    pub async fn check_passkey(
        &self,
        state: &str,
        credential: &str,
        source: &Source,
    ) -> Result<(Arc<User>, Shown), SignInError> {
        let attempt = self.charge_all(strangers(source.ip, &self.limits())).await?;
        let state = self.unseal_once(ALONE, &[&source.browser.0], state).await?;
        let state: DiscoverableAuthentication = state.ok_or(SignInError::Wrong)?;
        let webauthn = self.0.webauthn.as_ref().ok_or(SignInError::Wrong)?;
        let answer = read(credential)?;
        let found = webauthn.identify_discoverable_authentication(&answer);
        let (handle, id) = found.map_err(|_| SignInError::Wrong)?;
        let key = store::key_of_credential(&self.0.ctx.db, id).await?;
        let key = key.filter(|key| key.checks_user && self.handle(&key.user) == handle);
        let key = key.ok_or(SignInError::Wrong)?;
        let passkey: Passkey = serde_json::from_str(&key.credential).map_err(|_| corrupt())?;
        let result = webauthn.finish_discoverable_authentication_v2(&answer, state, passkey);
        let checked = match result {
            Ok(result) => self.used(key.clone(), result).await,
            Err(error) => Err(wrong(&error)),
        };
        let shown = self.noted(checked, &key.user, source)?;
        let user = self.find(&key.user).await?.filter(|user| user.is_active());
        let user = self.noted(user.ok_or(SignInError::Wrong), &key.user, source)?;
        self.settle(attempt, Outcome::Right).await?;
        Ok((user, shown))
    }

    /// Notes that somebody tried to be this user, if what they showed was wrong.
    fn noted<T>(
        &self,
        checked: Result<T, SignInError>,
        user: &UserId,
        source: &Source,
    ) -> Result<T, SignInError> {
        checked.inspect_err(|error| {
            if matches!(error, SignInError::Wrong) {
                self.note_failed(Some(user), source, "wrong_key");
            }
        })
    }

    /// Asks for one of the keys of somebody whose first factor was right; `None` without any.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn ask_key(&self, user: &User, browser: &Digest) -> Result<Option<KeyAsk>, DbError> {
        let Some(webauthn) = self.0.webauthn.as_ref().filter(|_| user.has_keys) else {
            return Ok(None);
        };
        let held = store::stored_keys(&self.0.ctx.db, &user.id).await?;
        let read = |key: &StoredKey| serde_json::from_str(&key.credential).map_err(|_| corrupt());
        let keys = held.iter().map(read).collect::<Result<Vec<SecurityKey>, DbError>>()?;
        let Ok((mut options, state)) = webauthn.start_securitykey_authentication(&keys) else {
            return Ok(None);
        };
        // Some of them are phones.
        options.public_key.hints = None;
        let state = self.seal(SECOND, &[user.id.as_str().as_bytes(), &browser.0], &state)?;
        Ok(Some(KeyAsk { options: text(&options)?, state }))
    }

    /// Takes a key of the user as second factor.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check_key(
        &self,
        user: &User,
        (state, credential): (&str, &str),
        source: &Source,
    ) -> Result<Shown, SignInError> {
        let name = UsernameKey::of(&user.username);
        let known = device::known(&self.0.vault, Some(&user.id), source);
        let attempt = self.charge(Factor::Code, &name, source, known).await?;
        let shown = self.shown_key(user, (state, credential), source).await;
        let shown = self.noted(shown, &user.id, source)?;
        self.settle(attempt, Outcome::Right).await?;
        Ok(shown)
    }

    async fn shown_key(
        &self,
        user: &User,
        (state, credential): (&str, &str),
        source: &Source,
    ) -> Result<Shown, SignInError> {
        let owner = [user.id.as_str().as_bytes(), source.browser.0.as_slice()];
        let state = self.unseal_once(SECOND, &owner, state).await?;
        let state: SecurityKeyAuthentication = state.ok_or(SignInError::Wrong)?;
        let webauthn = self.0.webauthn.as_ref().ok_or(SignInError::Wrong)?;
        let answer = read(credential)?;
        let result = webauthn.finish_securitykey_authentication(&answer, &state);
        let result = result.map_err(|error| wrong(&error))?;
        // It may have been taken away since it was asked for.
        let key = store::key_of_credential(&self.0.ctx.db, result.cred_id()).await?;
        let key = key.filter(|key| key.user == user.id).ok_or(SignInError::Wrong)?;
        self.used(key, result).await
    }

    /// Writes down that a key was used, unless its counter shows that there are two of it.
    async fn used(
        &self,
        key: StoredKey,
        result: AuthenticationResult,
    ) -> Result<Shown, SignInError> {
        let mut passkey: Passkey = serde_json::from_str(&key.credential).map_err(|_| corrupt())?;
        passkey.update_credential(&result);
        let used = UsedKey {
            id: key.id,
            user: key.user,
            sign_count: result.counter(),
            credential: text(&passkey)?,
            now: self.0.ctx.now(),
        };
        if !store::use_key(&self.0.ctx.db, &used).await? {
            tracing::warn!(user = %used.user, "a key did not count on: there may be a copy of it");
            return Err(SignInError::Wrong);
        }
        Ok(Shown { is_synchronised: result.backup_eligible() })
    }
}

fn read(credential: &str) -> Result<PublicKeyCredential, SignInError> {
    serde_json::from_str(credential).map_err(|_| SignInError::Wrong)
}

fn text(value: &impl serde::Serialize) -> Result<String, DbError> {
    let value: Value = serde_json::to_value(value).map_err(|_| corrupt())?;
    Ok(value.to_string())
}

fn wrong(error: &webauthn_rs::prelude::WebauthnError) -> SignInError {
    tracing::info!(?error, "a key is refused");
    SignInError::Wrong
}
