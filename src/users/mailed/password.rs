//! Changing one's password, and showing that one knows it.

use crate::base::secret::Secret;
use crate::users::choose::facts_of;
use crate::users::error::SignInError;
use crate::users::hash::StoredHash;
use crate::users::login::Source;
use crate::users::mailed::MailedError;
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store_throttle::Outcome;
use crate::users::throttle::{Buckets, Factor, charges};
use crate::users::username::UsernameKey;
use crate::users::{device, store_passwords};
use crate::words::Language;

impl Users {
    /// Sets another password for a user who knows the current one; they are signed out everywhere.
    /// Whoever has none yet needs none.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn change_password(
        &self,
        user: &User,
        (current, new): (&Secret, &Secret),
        language: Language,
        source: &Source,
    ) -> Result<(), MailedError> {
        if user.password_changed_at.is_some() {
            self.prove_own(user, current, source).await?;
        }
        let phc = self.hash_chosen(new, &facts_of(user)).await?;
        let input = (self.clone(), user.clone(), phc, language);
        let unit = self.0.ctx.db.write(input, |tx, (users, user, phc, language)| {
            Box::pin(async move { users.replace_password(tx, user, phc, *language).await })
        });
        unit.await
    }

    /// Checks that somebody knows a user's password, charged like a sign-in.
    pub(in crate::users) async fn prove_own(
        &self,
        user: &User,
        password: &Secret,
        source: &Source,
    ) -> Result<(), SignInError> {
        let phc = store_passwords::phc(&self.0.ctx.db, &user.id).await?;
        let stored = phc.as_deref().and_then(|phc| StoredHash::parse(phc).ok());
        let key = UsernameKey::of(&user.username);
        let known = device::known(&self.0.vault, Some(&user.id), source);
        let charges = charges(Factor::Password, &key, source.ip, known, &self.limits());
        self.prove(charges, password, stored).await.inspect_err(|error| {
            if matches!(error, SignInError::Wrong) {
                self.note_failed(Some(&user.id), source, "wrong_password");
            }
        })
    }

    /// Checks that somebody knows the password of a hash, charged before it is looked at.
    pub(in crate::users) async fn prove(
        &self,
        charges: Buckets,
        password: &Secret,
        stored: Option<StoredHash>,
    ) -> Result<(), SignInError> {
        let attempt = self.charge_all(charges).await?;
        let salt = self.0.ctx.entropy().bytes();
        match self.0.hasher.check(password, stored, salt).await {
            Ok(checked) if checked.is_right => {
                self.settle(attempt, Outcome::Right).await?;
                Ok(())
            }
            Ok(_) => Err(SignInError::Wrong),
            Err(full) => {
                self.settle(attempt, Outcome::NotLookedAt).await?;
                Err(SignInError::Busy { retry_after_seconds: full.retry_after_seconds })
            }
        }
    }
}
