//! Passkeys and security keys: asking for one, adding one. Source: `WebAuthn` Level 3.
//!
//! A *passkey* checks its user by PIN or finger, so it may stand for the password, too; a *security
//! key* need not, and is a second factor alone. What a browser is asked lies sealed in the page, see
//! [`crate::users::sealed`]; how they sign people in is in [`crate::users::passkeys_use`].

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CredentialID, Passkey, PasskeyRegistration, RegisterPublicKeyCredential, SecurityKey,
    SecurityKeyRegistration, Url, Uuid, Webauthn, WebauthnBuilder,
};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::base::text::line;
use crate::config::model::Issuer;
use crate::db::error::DbError;
use crate::users::error::FactorError;
use crate::users::factor_letters::{ADDED, REMOVED};
use crate::users::factors::{Standing, after_removal, may_add};
use crate::users::model::User;
use crate::users::passkeys_use::Shown;
use crate::users::service::Users;
use crate::users::store_factors::{self as store, NewKey};

const REGISTER: &str = "users: key registration";
/// Most keys of one user.
pub const KEYS_MAX: usize = 20;
/// Longest name of a key, in bytes.
pub const KEY_NAME_BYTES_MAX: usize = 100;

/// What a script asks the browser for, and what has to come back with its answer.
#[derive(Clone, Debug)]
pub struct KeyAsk {
    /// JSON of `CredentialCreationOptions` or `CredentialRequestOptions`; bytes are base64url.
    pub options: String,
    /// Sealed; good once.
    pub state: String,
}

/// What a key that is added will be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// It checks its user, and is found without a name: in place of the password, too.
    Passkey,
    /// A second factor.
    SecurityKey,
}

#[derive(Serialize, Deserialize)]
enum Registration {
    Passkey(PasskeyRegistration),
    SecurityKey(SecurityKeyRegistration),
}

/// A key whose owner has shown that they hold it.
enum Registered {
    Passkey(Passkey),
    SecurityKey(SecurityKey),
}

/// `WebAuthn` at the configured issuer and nowhere else; `None` where the issuer is an address,
/// because browsers ask for a name. Source: `WebAuthn` section 5.1.2.
pub(in crate::users) fn webauthn(issuer: &Issuer) -> Option<Webauthn> {
    let origin = Url::parse(issuer.origin()).ok()?;
    let host = origin.domain()?.to_owned();
    WebauthnBuilder::new(&host, &origin).ok()?.rp_name(&host).build().ok()
}

/// What a failure of ours is, of theirs.
pub(in crate::users) fn corrupt() -> DbError {
    DbError::CorruptRow { table: "passkeys", column: "credential" }
}

impl Users {
    /// Whether passkeys can be used here at all.
    pub fn offers_passkeys(&self) -> bool {
        self.0.webauthn.is_some()
    }

    /// What passkeys know a user by: nothing that says who it is. Source: `WebAuthn` section 14.6.1.
    pub(in crate::users) fn handle(&self, id: &UserId) -> Uuid {
        let Digest(bytes) = self.0.vault.mac("users: passkey handle", &[id.as_str().as_bytes()]);
        let mut half = [0; 16];
        half.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Uuid::from_bytes(half)
    }

    /// Asks for a new key of `user`.
    ///
    /// # Errors
    /// [`FactorError::Unavailable`] where there are no passkeys, [`FactorError::TooMany`].
    pub async fn offer_key(
        &self,
        user: &User,
        browser: &Digest,
        kind: KeyKind,
    ) -> Result<KeyAsk, FactorError> {
        let webauthn = self.0.webauthn.as_ref().ok_or(FactorError::Unavailable)?;
        let held = store::stored_keys(&self.0.ctx.db, &user.id).await?;
        if held.len() >= KEYS_MAX {
            return Err(FactorError::TooMany);
        }
        let held = held.into_iter().map(|key| -> CredentialID { key.credential_id }).collect();
        let (handle, name, shown) = (self.handle(&user.id), &user.username, user.shown_name());
        let (options, state) = match kind {
            KeyKind::Passkey => webauthn
                .start_passkey_registration(handle, name, shown, Some(held))
                .map(|(options, state)| (json!(options), Registration::Passkey(state))),
            KeyKind::SecurityKey => webauthn
                .start_securitykey_registration(handle, name, shown, Some(held), None, None)
                .map(|(options, state)| (json!(options), Registration::SecurityKey(state))),
        }
        .map_err(|_| FactorError::Unavailable)?;
        let options = match kind {
            KeyKind::Passkey => discoverable(options),
            KeyKind::SecurityKey => touched(options),
        };
        let owner = [user.id.as_str().as_bytes(), browser.0.as_slice()];
        let state = self.seal(REGISTER, &owner, &state)?;
        Ok(KeyAsk { options: options.to_string(), state })
    }

    /// Adds the key that a browser answers with.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn add_key(
        &self,
        user: &User,
        (browser, state): (&Digest, &str),
        (credential, name): (&str, &str),
        standing: Standing,
    ) -> Result<Shown, FactorError> {
        let webauthn = self.0.webauthn.as_ref().ok_or(FactorError::Unavailable)?;
        let name = line(name, KEY_NAME_BYTES_MAX).map_err(FactorError::Name)?.trim();
        let owner = [user.id.as_str().as_bytes(), browser.0.as_slice()];
        let state = self.unseal_once(REGISTER, &owner, state).await?.ok_or(FactorError::Over)?;
        let registered = finish(webauthn, credential, &state)?;
        let now = self.0.ctx.now();
        let (key, shown) = new_key(user, &registered, (name, now))?;
        let input = (key, standing, self.notice(user, ADDED));
        let unit = self.0.ctx.db.write(input, |tx, (key, standing, notice)| {
            Box::pin(async move {
                may_add(tx, &key.user, *standing).await?;
                notice.post(tx).await?;
                store::insert_key(tx, key).await.map_err(|error| match error {
                    DbError::Duplicate(_) => FactorError::Taken,
                    other => FactorError::Internal(other),
                })
            })
        });
        unit.await?;
        Ok(shown)
    }

    /// Gives a key of the user another name.
    ///
    /// # Errors
    /// [`FactorError::Name`], or [`FactorError::Unknown`] if it is not theirs.
    pub async fn rename_key(&self, user: &User, id: i64, name: &str) -> Result<(), FactorError> {
        let name = line(name, KEY_NAME_BYTES_MAX).map_err(FactorError::Name)?.trim();
        let input = (self.clone(), user.id.clone(), id, name.to_owned());
        let unit = self.0.ctx.db.write(input, |tx, (users, user, id, name)| {
            Box::pin(async move {
                let is_theirs = store::rename_key(tx, user, (*id, name)).await?;
                if is_theirs {
                    users.tell_own(tx, user, "key name");
                }
                Ok::<bool, DbError>(is_theirs)
            })
        });
        let is_theirs = unit.await?;
        if is_theirs { Ok(()) } else { Err(FactorError::Unknown) }
    }

    /// Takes a key away; `must_keep_one` if some second factor has to stay.
    ///
    /// # Errors
    /// [`FactorError::Unknown`] if it is not theirs, [`FactorError::Last`].
    pub async fn remove_key(
        &self,
        user: &User,
        id: i64,
        must_keep_one: bool,
    ) -> Result<(), FactorError> {
        let notice = self.notice(user, REMOVED);
        let input = (user.id.clone(), id, must_keep_one, self.0.ctx.now(), notice);
        let unit = self.0.ctx.db.write(input, |tx, (user, id, must_keep_one, now, notice)| {
            Box::pin(async move {
                store::hold(tx, user).await?;
                if !store::remove_key(tx, user, *id).await? {
                    return Err(FactorError::Unknown);
                }
                notice.post(tx).await?;
                after_removal(tx, user, *must_keep_one, *now).await
            })
        });
        unit.await
    }
}

/// A passkey has to be found without a name, which the library leaves open.
fn discoverable(mut options: Value) -> Value {
    if let Some(wanted) = options.pointer_mut("/publicKey/authenticatorSelection") {
        wanted["residentKey"] = json!("required");
        wanted["requireResidentKey"] = json!(true);
    }
    options
}

/// The library asks such keys, too, to protect what they make by a PIN, which browsers refuse where
/// a PIN is not demanded.
fn touched(mut options: Value) -> Value {
    if let Some(extensions) = options.pointer_mut("/publicKey/extensions") {
        *extensions = json!({ "credProps": true });
    }
    options
}

fn finish(
    webauthn: &Webauthn,
    credential: &str,
    state: &Registration,
) -> Result<Registered, FactorError> {
    let answer: RegisterPublicKeyCredential =
        serde_json::from_str(credential).map_err(|_| FactorError::Wrong)?;
    let finished = match state {
        Registration::Passkey(state) => {
            webauthn.finish_passkey_registration(&answer, state).map(Registered::Passkey)
        }
        Registration::SecurityKey(state) => {
            webauthn.finish_securitykey_registration(&answer, state).map(Registered::SecurityKey)
        }
    };
    finished.map_err(|error| {
        tracing::info!(?error, "a key is not added");
        FactorError::Wrong
    })
}

fn new_key(
    user: &User,
    registered: &Registered,
    (name, now): (&str, chrono::DateTime<chrono::Utc>),
) -> Result<(NewKey, Shown), DbError> {
    let (id, record, checks_user) = match registered {
        Registered::Passkey(key) => (key.cred_id(), serde_json::to_value(key), true),
        Registered::SecurityKey(key) => (key.cred_id(), serde_json::to_value(key), false),
    };
    let record = record.map_err(|_| corrupt())?;
    let counter = record.pointer("/cred/counter").and_then(Value::as_u64);
    let is_synchronised = record.pointer("/cred/backup_eligible") == Some(&Value::Bool(true));
    let key = NewKey {
        user: user.id.clone(),
        credential_id: id.clone(),
        name: name.to_owned(),
        checks_user,
        sign_count: counter.and_then(|number| number.try_into().ok()).ok_or_else(corrupt)?,
        credential: record.to_string(),
        now,
    };
    Ok((key, Shown { is_synchronised }))
}
