//! What stands before everything that can be guessed, or asked for without end: each attempt is
//! charged before anything is looked at. Which buckets there are: [`crate::users::throttle`].

use crate::base::id::{AccountId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::users::alarm::{first_slot, is_alarming, slot_of};
use crate::users::device;
use crate::users::error::SignInError;
use crate::users::login::Source;
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store_throttle::{self, Attempt, ChargeError, Outcome};
use crate::users::throttle::{
    Buckets, Factor, Limits, charges, guesses, invitations, letters, names, retry_after, strangers,
};
use crate::users::username::UsernameKey;

/// What somebody tries.
#[derive(Clone, Copy, Debug)]
pub enum Tried<'a> {
    /// The password of a user, where they are signed in already. Signing in charges by itself.
    Password(&'a User),
    /// A code of a user: of an app, for recovery, from a letter.
    Code(&'a User),
    /// To make us send a letter. It is never given back.
    Letter {
        /// The address or name that was typed.
        to: &'a str,
        /// Whose it is, if anybody's.
        user: Option<&'a UserId>,
    },
    /// A secret that came by a link: nobody guesses it, but each attempt costs us something.
    Link,
}

/// An attempt that was charged; the right one is given back.
#[derive(Debug)]
pub struct Guess(Attempt);

impl Users {
    /// Charges an attempt, before anything is looked at.
    ///
    /// # Errors
    /// [`SignInError::Throttled`] after too many that were wrong.
    pub async fn tries(&self, tried: Tried<'_>, source: &Source) -> Result<Guess, SignInError> {
        let known = |user: Option<&UserId>| device::known(&self.0.vault, user, source);
        let (limits, ip) = (self.limits(), source.ip);
        let of = |factor, user: &User| {
            let name = UsernameKey::of(&user.username);
            charges(factor, &name, ip, known(Some(&user.id)), &limits)
        };
        let buckets = match tried {
            Tried::Password(user) => of(Factor::Password, user),
            Tried::Code(user) => of(Factor::Code, user),
            Tried::Letter { to, user } => letters(&UsernameKey::of(to), ip, known(user), &limits),
            Tried::Link => strangers(ip, &limits),
        };
        self.charge_all(buckets).await.map(Guess)
    }

    /// Charges an attempt at a short code that stands for a request of somebody's, before it is
    /// looked up.
    ///
    /// # Errors
    /// [`SignInError::Throttled`] after too many that were wrong.
    pub async fn guess(&self, user: &User, source: &Source) -> Result<Guess, SignInError> {
        let key = UsernameKey::of(&user.username);
        self.charge_all(guesses(&key, source.ip, &self.limits())).await.map(Guess)
    }

    /// Charges an app that names a user, before it is told whether there is one.
    ///
    /// # Errors
    /// [`SignInError::Throttled`] after too many names of nobody.
    pub async fn guess_names(&self, app: &str) -> Result<Guess, SignInError> {
        self.charge_all(names(app, &self.limits())).await.map(Guess)
    }

    /// Charges an account that invites whoever receives mail at an address. It is never given back.
    ///
    /// # Errors
    /// [`SignInError::Throttled`] after too many letters of the account, or to the address.
    pub async fn write_to_invited(&self, account: &AccountId, to: &str) -> Result<(), SignInError> {
        let to = UsernameKey::of(to);
        self.charge_all(invitations(account.as_str(), &to, &self.limits())).await?;
        // Nothing was guessed.
        self.0.watch.was_right();
        Ok(())
    }

    /// Gives an attempt back that was right.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn guessed(&self, guess: Guess) -> Result<(), DbError> {
        self.settle(guess.0, Outcome::Right).await
    }

    /// How many failures are free now.
    pub(in crate::users) fn limits(&self) -> Limits {
        Limits::of(&self.0.throttle, self.0.watch.is_alarmed())
    }

    pub(in crate::users) async fn charge(
        &self,
        factor: Factor,
        key: &UsernameKey,
        source: &Source,
        known_device: Option<Digest>,
    ) -> Result<Attempt, SignInError> {
        self.charge_all(charges(factor, key, source.ip, known_device, &self.limits())).await
    }

    pub(in crate::users) async fn charge_all(
        &self,
        buckets: Buckets,
    ) -> Result<Attempt, SignInError> {
        let now = self.0.ctx.now();
        self.0.watch.tried();
        let throttled =
            |until| SignInError::Throttled { retry_after_seconds: retry_after(until, now) };
        let mut attempt = Attempt {
            buckets,
            limits: self.limits(),
            settings: self.0.throttle.clone(),
            is_new_name: false,
            now,
        };
        // Whoever waits anyway costs a look, not a write.
        if let Some(until) = store_throttle::blocked(&self.0.ctx.db, &attempt).await? {
            return Err(throttled(until));
        }
        let unit =
            self.0.ctx.db.write(attempt.clone(), |tx, attempt| {
                Box::pin(store_throttle::charge(tx, attempt))
            });
        match unit.await {
            Ok(is_new_name) => {
                attempt.is_new_name = is_new_name;
                Ok(attempt)
            }
            Err(ChargeError::Blocked(until)) => Err(throttled(until)),
            Err(ChargeError::Internal(error)) => Err(SignInError::Internal(error)),
        }
    }

    pub(in crate::users) async fn settle(
        &self,
        attempt: Attempt,
        outcome: Outcome,
    ) -> Result<(), DbError> {
        self.0.watch.was_right();
        let unit = self.0.ctx.db.write((attempt, outcome), |tx, (attempt, outcome)| {
            Box::pin(store_throttle::settle(tx, attempt, *outcome))
        });
        unit.await
    }

    /// Tells other nodes what failed here, and looks whether much more fails everywhere than
    /// usual: then addresses and networks may fail less.
    ///
    /// # Errors
    /// [`DbError`] if storage fails; what could not be told is told next time.
    pub async fn watch(&self) -> Result<(), DbError> {
        let (db, watch, now) = (&self.0.ctx.db, &self.0.watch, self.0.ctx.now());
        let failed = watch.take_failed();
        if failed > 0
            && let Err(error) = store_throttle::add_failed(db, slot_of(now), failed).await
        {
            watch.put_back(failed);
            return Err(error);
        }
        let slots = store_throttle::failed_since(db, first_slot(now)).await?;
        let is_alarmed = is_alarming(&slots, now);
        match (watch.set_alarmed(is_alarmed), is_alarmed) {
            (true, true) => {
                tracing::warn!("much more sign-ins fail than usual: addresses have to wait sooner");
            }
            (true, false) => tracing::info!("no more sign-ins fail than usual"),
            (false, _) => {}
        }
        Ok(())
    }
}
