//! What people change about themselves: their profile, and nothing else of their row.

use crate::base::id::UserId;
use crate::base::text::line;
use crate::users::error::UserError;
use crate::users::model::User;
use crate::users::profile::Profile;
use crate::users::service::Users;
use crate::users::store;
use crate::users::store_profile;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 320;

/// The part of a user that is theirs to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnProfile {
    /// See [`crate::users::model::User::name`].
    pub name: Option<String>,
    /// See [`crate::users::model::User::given_name`].
    pub given_name: Option<String>,
    /// See [`crate::users::model::User::family_name`].
    pub family_name: Option<String>,
    /// The other standard claims. Whether the phone number is verified is not looked at.
    pub profile: Profile,
}

impl OwnProfile {
    /// Checks every field.
    ///
    /// # Errors
    /// The first field that breaks a rule.
    pub fn check(&self) -> Result<(), &'static str> {
        let names = [
            ("name", &self.name),
            ("given_name", &self.given_name),
            ("family_name", &self.family_name),
        ];
        for (field, text) in names {
            let text = text.as_deref().unwrap_or("-");
            line(text, NAME_BYTES_MAX).map_err(|_| field)?;
        }
        self.profile.check().map_err(|(field, _)| field)?;
        self.profile.check_typed()
    }
}

impl Users {
    /// Changes the profile of a user to what `own` makes of it, on their own behalf. A phone number
    /// that is not the one of before counts as unverified.
    ///
    /// # Errors
    /// [`UserError::BadProfile`], or [`UserError::Internal`] if storage fails.
    pub async fn set_own_profile(
        &self,
        id: &UserId,
        own: impl Fn(&User) -> OwnProfile + Send + Sync + 'static,
    ) -> Result<(), UserError> {
        let input = (self.clone(), id.clone(), own, self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (users, id, own, now)| {
            Box::pin(async move {
                store_profile::lock(tx, id).await?;
                let Some(user) = store::find(&mut *tx, id).await? else { return Ok(()) };
                let mut own = own(&user);
                let refused = |field| UserError::BadProfile { field, rule: "is not well-formed" };
                own.check().map_err(refused)?;
                own.profile.phone_number_verified = user.profile.phone_number_verified
                    && own.profile.phone_number == user.profile.phone_number;
                users.tell_own(tx, id, "profile");
                Ok(store_profile::set(tx, id, &own, *now).await?)
            })
        });
        unit.await
    }
}
