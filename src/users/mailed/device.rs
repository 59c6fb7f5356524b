//! "Was this you?": a letter about a sign-in from where nobody knows the user.

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::model::{Actor, Outcome};
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::users::login::Source;
use crate::users::mailed::To;
use crate::users::model::User;
use crate::users::own_sessions::Seat;
use crate::users::service::Users;
use crate::users::throttle::network;
use crate::users::{device, store_places};
use crate::words::Language;

/// Whoever was made just now has no browser yet that could be known.
const NEWCOMER: TimeDelta = TimeDelta::minutes(10);
/// How long a place is known where nobody signs in any more.
const PLACE_KNOWN: TimeDelta = TimeDelta::days(90);
const PURPOSE: &str = "users: known place";

/// From where somebody signed in.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// The client.
    pub source: &'a Source,
    /// What it says that it is.
    pub seat: &'a Seat,
    /// The app that took what they typed, and its title; `None` at our pages.
    pub app: Option<(&'a AppId, &'a str)>,
}

/// A place of an app that may keep no cookie.
#[derive(Clone, Copy)]
struct Place {
    digest: Digest,
    now: DateTime<Utc>,
}

impl Users {
    /// Notes that `actor` signed `user` in, and tells the user if nobody knows them there. Every way
    /// of signing in ends with it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn signed_in(
        &self,
        user: &User,
        actor: Actor,
        from: &Entrance<'_>,
    ) -> Result<(), DbError> {
        let now = self.0.ctx.now();
        self.trail().note_sign_in(actor, &user.id, Outcome::Success, now);
        let Some(address) = user.proven_email() else { return Ok(()) };
        let is_known = device::known(&self.0.vault, Some(&user.id), from.source).is_some();
        let place = from.app.map(|_| Place { digest: self.place_of(user, from), now });
        let is_new = !is_known && now - user.created_at > NEWCOMER;
        if !is_new && place.is_none() {
            return Ok(());
        }
        let language = user.language();
        let letter = is_new.then(|| (address.to_owned(), language, values(from, (language, now))));
        let input = ((self.clone(), user.id.clone()), place, letter);
        let unit = self.0.ctx.db.write(input, |tx, ((users, id), place, letter)| {
            Box::pin(async move {
                if let Some(Place { digest, now }) = place
                    && !store_places::note(tx, (id, *digest), *now, *now - PLACE_KNOWN).await?
                {
                    return Ok(());
                }
                let Some((address, language, values)) = letter else { return Ok(()) };
                let link = Some(users.0.issuer.url("/forgot"));
                let to = To { address, language: *language };
                users.post(tx, "mail-new-device", to, values.clone(), link).await
            })
        });
        unit.await
    }

    fn place_of(&self, user: &User, from: &Entrance<'_>) -> Digest {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let (program, system) = (part(&from.seat.program), part(&from.seat.system));
        let app = from.app.map_or("", |(id, _)| id.as_str());
        let network = network(from.source.ip);
        let parts = [user.id.as_str(), app, &program, &system].map(str::as_bytes);
        let [user, app, program, system] = parts;
        self.0.vault.mac(PURPOSE, &[user, app, program, system, &network])
    }
}

fn values(
    from: &Entrance<'_>,
    (language, now): (Language, DateTime<Utc>),
) -> Vec<(&'static str, String)> {
    let seat = [&from.seat.program, &from.seat.system].map(|part| part.as_deref().unwrap_or("?"));
    let browser: Vec<&str> = from.app.map(|(_, title)| title).into_iter().chain(seat).collect();
    vec![
        ("time", language.minute(now)),
        ("address", from.source.ip.to_string()),
        ("browser", browser.join(", ")),
    ]
}
