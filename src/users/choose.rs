//! Passwords that people choose: judged and hashed in the one bounded pool.

use crate::base::secret::Secret;
use crate::users::error::ChooseError;
use crate::users::model::User;
use crate::users::service::Users;

/// What is known of a user that no password may be made of.
pub fn facts_of(user: &User) -> Vec<&str> {
    let named = [&user.email, &user.name, &user.given_name, &user.family_name];
    let named = named.into_iter().flatten().map(String::as_str);
    std::iter::once(user.username.as_str()).chain(named).collect()
}

impl Users {
    /// Whether somebody of whom `own` is known may choose this password.
    ///
    /// # Errors
    /// [`ChooseError`] with the reason.
    pub async fn check_chosen(&self, password: &Secret, own: &[&str]) -> Result<(), ChooseError> {
        self.hash_chosen(password, own).await.map(drop)
    }

    /// The hash of a password that somebody chose, if they may.
    ///
    /// # Errors
    /// [`ChooseError`] with the reason.
    pub(in crate::users) async fn hash_chosen(
        &self,
        password: &Secret,
        own: &[&str],
    ) -> Result<String, ChooseError> {
        let own = own.iter().map(|fact| (*fact).to_owned()).collect();
        let salt = self.0.ctx.entropy().bytes();
        let chosen = self.0.hasher.choose(password, self.0.rules.clone(), own, salt).await;
        let chosen = chosen
            .map_err(|full| ChooseError::Busy { retry_after_seconds: full.retry_after_seconds })?;
        Ok(chosen?)
    }
}
