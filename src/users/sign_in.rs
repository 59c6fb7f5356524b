//! Signing in: the password, then the code, each attempt charged before it is checked.
//!
//! An unknown name, a disabled user, a user without password and a wrong password take the same
//! steps and end in the same answer.

use std::sync::Arc;

use crate::audit::model::{self as audit, Actor};
use crate::base::id::UserId;
use crate::base::secret::{Digest, Secret};
use crate::db::error::DbError;
use crate::users::device;
use crate::users::error::SignInError;
use crate::users::hash::StoredHash;
use crate::users::login::Source;
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store_throttle::{self, Attempt, Outcome};
use crate::users::throttle::Factor;
use crate::users::totp::tidy;
use crate::users::username::UsernameKey;
use crate::users::{store, store_passwords};

/// What is written down when the password was right.
struct Right {
    attempt: Attempt,
    user: UserId,
    /// The stored hash, and what takes its place.
    upgrade: Option<(String, String)>,
}

impl Users {
    /// A user by what they sign in with: the name, or an address that they proved to have.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find_by_name(&self, typed: &str) -> Result<Option<Arc<User>>, DbError> {
        let found = store::find_by_name(&self.0.ctx.db, &UsernameKey::of(typed)).await?;
        Ok(found.map(|(user, _)| Arc::new(user)))
    }

    /// The one user who proved to receive mail at this address.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<Arc<User>>, DbError> {
        let found = self.find_by_name(email).await?;
        Ok(found.filter(|user| user.proved(email)))
    }

    /// Checks a name, or an address that was verified, and a password: the first factor.
    ///
    /// # Errors
    /// [`SignInError`], the same for whatever is wrong about the two.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &Secret,
        source: &Source,
    ) -> Result<Arc<User>, SignInError> {
        if let Some(full) = self.0.hasher.full() {
            return Err(SignInError::Busy { retry_after_seconds: full.retry_after_seconds });
        }
        let typed = UsernameKey::of(username);
        let found = store::find_by_name(&self.0.ctx.db, &typed).await?;
        // Whoever has a name and an address is one who is guessed at, not two.
        let key = found.as_ref().map_or(typed, |(user, _)| UsernameKey::of(&user.username));
        let known = device::known(&self.0.vault, found.as_ref().map(|(u, _)| &u.id), source);
        let attempt = self.charge(Factor::Password, &key, source, known).await?;

        let id = found.as_ref().map(|(user, _)| user.id.clone());
        let (user, phc) = found.filter(|(user, _)| user.is_active()).unzip();
        let phc = phc.flatten();
        let stored = phc.as_deref().and_then(|phc| StoredHash::parse(phc).ok());
        let salt = self.0.ctx.entropy().bytes();
        let checked = match self.0.hasher.check(password, stored, salt).await {
            Ok(checked) => checked,
            Err(full) => {
                self.settle(attempt, Outcome::NotLookedAt).await?;
                let retry_after_seconds = full.retry_after_seconds;
                return Err(SignInError::Busy { retry_after_seconds });
            }
        };
        let Some(user) = user.filter(|_| checked.is_right) else {
            self.note_failed(id.as_ref(), source, "wrong_password");
            return Err(SignInError::Wrong);
        };

        let upgrade = phc.zip(checked.upgrade);
        self.write_right(Right { attempt, user: user.id.clone(), upgrade }).await?;
        Ok(Arc::new(user))
    }

    /// Notes that somebody tried to be this user. Names that nobody has are not noted.
    pub(in crate::users) fn note_failed(
        &self,
        id: Option<&UserId>,
        source: &Source,
        why: &'static str,
    ) {
        if let Some(id) = id {
            let ip = Some(source.ip).filter(|ip| !ip.is_unspecified());
            let actor = Actor::default().from(ip);
            self.0.trail.note_sign_in(actor, id, audit::Outcome::Failed(why), self.0.ctx.now());
        }
    }

    async fn write_right(&self, right: Right) -> Result<(), DbError> {
        self.0.watch.was_right();
        let unit = self.0.ctx.db.write(right, |tx, right| {
            Box::pin(async move {
                store_throttle::settle(tx, &right.attempt, Outcome::Right).await?;
                if let Some((old, new)) = &right.upgrade {
                    store_passwords::upgrade_phc(tx, &right.user, old, new).await?;
                }
                Ok(())
            })
        });
        unit.await
    }

    /// Checks a code: the second factor. Each code is good once.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn check_totp(
        &self,
        id: &UserId,
        code: &str,
        source: &Source,
    ) -> Result<(), SignInError> {
        let Some(user) = self.find(id).await?.filter(|user| user.is_active()) else {
            return Err(SignInError::Wrong);
        };
        let key = UsernameKey::of(&user.username);
        let known = device::known(&self.0.vault, Some(id), source);
        let attempt = self.charge(Factor::Code, &key, source, known).await?;

        let Some(secret) = self.totp_secret(id).await? else { return Err(SignInError::Wrong) };
        let Some(step) = secret.matching_step(&tidy(code), self.0.ctx.now()) else {
            self.note_failed(Some(id), source, "wrong_code");
            return Err(SignInError::Wrong);
        };
        if !store::spend_step(&self.0.ctx.db, id, step).await? {
            // Somebody has shown this code before.
            self.note_failed(Some(id), source, "used_code");
            return Err(SignInError::Wrong);
        }
        self.settle(attempt, Outcome::Right).await?;
        Ok(())
    }

    /// The mark by which this browser will be known as one that the user has signed in from.
    pub fn device_mark(&self, id: &UserId, browser: &Digest) -> Digest {
        device::mark(&self.0.vault, id, browser)
    }
}
