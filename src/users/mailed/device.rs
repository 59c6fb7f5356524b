//! "Was this you?": a letter about a sign-in with a browser that nobody knows.

use chrono::TimeDelta;

use crate::db::error::DbError;
use crate::users::device;
use crate::users::login::Source;
use crate::users::mailed::To;
use crate::users::model::User;
use crate::users::own_sessions::Seat;
use crate::users::service::Users;
use crate::words::Language;

/// Whoever was made just now has no browser yet that could be known.
const NEWCOMER: TimeDelta = TimeDelta::minutes(10);

impl Users {
    /// Tells a user who has just signed in with a browser for the first time.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn tell_of_new_device(
        &self,
        user: &User,
        source: &Source,
        seat: &Seat,
    ) -> Result<(), DbError> {
        let now = self.0.ctx.now();
        let is_known = device::known(&self.0.vault, Some(&user.id), source).is_some();
        let address = user.email.as_deref().filter(|_| user.email_verified);
        let Some(address) = address.filter(|_| !is_known && now - user.created_at > NEWCOMER)
        else {
            return Ok(());
        };
        let tags = user.profile.locale.as_deref().unwrap_or_default();
        let language = Language::of_tags(tags).unwrap_or_default();
        let browser = [&seat.program, &seat.system].map(|part| part.as_deref().unwrap_or("?"));
        let values = vec![
            ("time", language.minute(now)),
            ("address", source.ip.to_string()),
            ("browser", browser.join(", ")),
        ];
        let input = (self.clone(), address.to_owned(), language, values);
        let unit = self.0.ctx.db.write(input, |tx, (users, address, language, values)| {
            Box::pin(async move {
                let link = Some(users.0.issuer.url("/forgot"));
                let to = To { address, language: *language };
                users.post(tx, "mail-new-device", to, values.clone(), link).await
            })
        });
        unit.await
    }
}
