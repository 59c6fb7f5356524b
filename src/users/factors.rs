//! The second factors of people, as they themselves add and remove them.
//!
//! Whoever calls these has checked that the user signed in a moment ago, with all the factors that
//! they have; or, where only the first factor was shown, says so by [`Standing::Half`], which adds a
//! first second factor and never touches one that is there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::id::UserId;
use crate::base::secret::{Digest, Secret};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::users::error::FactorError;
use crate::users::factor_letters::{ADDED, REMOVED};
use crate::users::model::User;
use crate::users::service::{NewTotp, Users};
use crate::users::store as users_store;
use crate::users::store_factors as store;
use crate::users::totp::{TotpSecret, tidy};

const TOTP_PURPOSE: &str = "users: totp secret";
const ENROL: &str = "users: totp enrolment";

/// A passkey or security key, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its number.
    pub id: i64,
    /// What its owner calls it.
    pub name: String,
    /// Whether it asks for a PIN or a finger: then it may stand for the password, too.
    pub checks_user: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last used to sign in.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// How many recovery codes are left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryLeft {
    /// So many.
    pub number: u32,
    /// Since when there are any.
    pub since: Option<DateTime<Utc>>,
}

/// All second factors of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// When the authenticator app was set up.
    pub totp_since: Option<DateTime<Utc>>,
    /// Passkeys and security keys.
    pub keys: Vec<Key>,
    /// Codes for when all of these are lost.
    pub recovery: RecoveryLeft,
}

/// How far somebody has signed in who adds a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With all that they have.
    Whole,
    /// With the first factor alone: may add one only if there is none.
    /// CVE-2023-3597: an existing factor is not got around by adding another.
    Half,
}

/// An authenticator app that is being set up.
#[derive(Clone, Debug)]
pub struct TotpOffer {
    /// What the app is to be told.
    pub secret: NewTotp,
    /// Has to come back with the first code.
    pub state: String,
}

#[derive(Serialize, Deserialize)]
struct Offered(Vec<u8>);

impl Users {
    /// The second factors of a user.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn factors(&self, id: &UserId) -> Result<Factors, DbError> {
        let db = &self.0.ctx.db;
        Ok(Factors {
            totp_since: store::totp_since(db, id).await?,
            keys: store::keys(db, id).await?,
            recovery: store::recovery_left(db, id).await?,
        })
    }

    /// A fresh secret for an authenticator app. Nothing is stored before its first code was shown.
    ///
    /// # Errors
    /// [`DbError`] if it cannot be sealed.
    pub fn offer_totp(&self, user: &User, browser: &Digest) -> Result<TotpOffer, DbError> {
        let secret = TotpSecret::generate(self.0.ctx.entropy());
        let owner = [user.id.as_str().as_bytes(), browser.0.as_slice()];
        let state = self.seal(ENROL, &owner, &Offered(secret.bytes().to_vec()))?;
        Ok(TotpOffer { secret: self.shown(user, &secret), state })
    }

    /// The same offer again, for whoever mistyped the code; `None` if it took too long.
    pub fn offered_totp(&self, user: &User, browser: &Digest, state: &str) -> Option<TotpOffer> {
        let secret = self.offered(user, browser, state)?;
        Some(TotpOffer { secret: self.shown(user, &secret), state: state.to_owned() })
    }

    fn offered(&self, user: &User, browser: &Digest, state: &str) -> Option<TotpSecret> {
        let owner = [user.id.as_str().as_bytes(), browser.0.as_slice()];
        let offered: Offered = self.unseal(ENROL, &owner, state)?;
        TotpSecret::from_bytes(&offered.0)
    }

    /// Makes the app that was offered a factor, because it shows the right code. An app of before
    /// is replaced.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn enrol_totp(
        &self,
        user: &User,
        (browser, state): (&Digest, &str),
        code: &str,
        standing: Standing,
    ) -> Result<(), FactorError> {
        let secret = self.offered(user, browser, state).ok_or(FactorError::Over)?;
        let now = self.0.ctx.now();
        let step = secret.matching_step(&tidy(code), now).ok_or(FactorError::Wrong)?;
        let sealed = self.seal_totp(&user.id, &secret);
        let notice = self.notice(user, ADDED);
        let input = (user.id.clone(), (sealed, step), standing, now, notice);
        let unit =
            self.0.ctx.db.write(input, |tx, (user, (sealed, step), standing, now, notice)| {
                Box::pin(async move {
                    may_add(tx, user, *standing).await?;
                    store::enrol_totp(tx, user, (sealed, *step), *now).await?;
                    notice.post(tx).await?;
                    Ok::<_, FactorError>(())
                })
            });
        unit.await
    }

    /// Takes the authenticator app away; `must_keep_one` if some second factor has to stay.
    ///
    /// # Errors
    /// [`FactorError::Unknown`] if there is none, [`FactorError::Last`].
    pub async fn drop_totp(&self, user: &User, must_keep_one: bool) -> Result<(), FactorError> {
        let notice = self.notice(user, REMOVED);
        let input = (user.id.clone(), must_keep_one, self.0.ctx.now(), notice);
        let unit = self.0.ctx.db.write(input, |tx, (user, must_keep_one, now, notice)| {
            Box::pin(async move {
                store::hold(tx, user).await?;
                if store::totp_since(&mut *tx, user).await?.is_none() {
                    return Err(FactorError::Unknown);
                }
                users_store::remove_totp(tx, user).await?;
                notice.post(tx).await?;
                after_removal(tx, user, *must_keep_one, *now).await
            })
        });
        unit.await
    }

    pub(in crate::users) fn seal_totp(&self, id: &UserId, secret: &TotpSecret) -> Vec<u8> {
        // The id is sealed with it, so that a row cannot be moved to another user.
        let plain = Zeroizing::new([id.as_str().as_bytes(), b"\0", secret.bytes()].concat());
        self.0.vault.seal(TOTP_PURPOSE, &plain, self.0.ctx.entropy())
    }

    pub(in crate::users) async fn totp_secret(
        &self,
        id: &UserId,
    ) -> Result<Option<TotpSecret>, DbError> {
        let Some(sealed) = users_store::totp(&self.0.ctx.db, id).await? else { return Ok(None) };
        let opened = self.0.vault.open(TOTP_PURPOSE, &sealed);
        let secret = opened.as_deref().and_then(|plain| {
            let rest = plain.strip_prefix(id.as_str().as_bytes())?.strip_prefix(b"\0")?;
            TotpSecret::from_bytes(rest)
        });
        let corrupt = DbError::CorruptRow { table: "totp_factors", column: "secret_sealed" };
        secret.map(Some).ok_or(corrupt)
    }

    fn shown(&self, user: &User, secret: &TotpSecret) -> NewTotp {
        NewTotp {
            otpauth_url: secret.otpauth_url(&self.0.issuer_name, &user.username),
            secret: secret.base32(),
        }
    }
}

/// Whether a factor may be added. Holds the user's row: of those who race one is first.
pub(in crate::users) async fn may_add(
    tx: &mut Tx<'_>,
    user: &UserId,
    standing: Standing,
) -> Result<(), FactorError> {
    if !store::hold(tx, user).await? {
        return Err(FactorError::Unknown);
    }
    match standing {
        Standing::Half if store::count(&mut *tx, user).await? > 0 => Err(FactorError::HasOne),
        Standing::Half | Standing::Whole => Ok(()),
    }
}

/// Looks at what is left. Recovery codes without anything to recover from are taken away.
pub(in crate::users) async fn after_removal(
    tx: &mut Tx<'_>,
    user: &UserId,
    must_keep_one: bool,
    now: DateTime<Utc>,
) -> Result<(), FactorError> {
    if store::count(&mut *tx, user).await? > 0 {
        return Ok(());
    }
    if must_keep_one {
        return Err(FactorError::Last);
    }
    store::set_recovery(tx, user, &[], now).await?;
    Ok(())
}

/// The recovery codes that were just made: shown once, to their owner.
#[derive(Clone, Debug)]
pub struct NewCodes(pub Vec<Secret>);
