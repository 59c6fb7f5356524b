//! The warning of those who asked to be deleted: how many days they have left, and the way back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::server::Server;
use crate::users::login::Login;
use crate::users::model::User;
use crate::words::Language;

/// What the warning shows, on every page that knows who is signed in.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// How many days are left, in words.
    pub text: String,
    /// What works until when, in words.
    pub until: String,
    /// Token of the form that takes it back.
    pub csrf: String,
    /// The authorization to go on with after that; may be empty.
    pub grant: String,
}

impl Leaving {
    /// The warning for `user`, if they have to be warned.
    pub fn of(
        server: &Server,
        browser: &Browser,
        (login, user): (&Login, &User),
        language: Language,
    ) -> Option<Self> {
        let on = user.deletion_at?;
        let days = days_left(on - server.ctx.now());
        Some(Self {
            text: language.say_with("leaving-text", &[("days", days.into())]),
            until: language.say_with("leaving-until", &[("date", language.day(on).into())]),
            csrf: browser.csrf(&server.vault, &csrf_purpose(login)),
            grant: String::new(),
        })
    }

    /// The same on a page of an authorization.
    #[must_use]
    pub fn within(self, grant: GrantId) -> Self {
        Self { grant: grant.to_string(), ..self }
    }
}

/// Bound to the browser and the session.
pub(in crate::http::pages) fn csrf_purpose(login: &Login) -> String {
    format!("deletion-cancel/{}", URL_SAFE_NO_PAD.encode(login.session.0))
}

/// Days that have begun count whole.
fn days_left(left: TimeDelta) -> i64 {
    let seconds = left.num_seconds().max(0);
    seconds.saturating_add(86_399) / 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_has_begun_counts() {
        assert_eq!(days_left(TimeDelta::days(14)), 14);
        assert_eq!(days_left(TimeDelta::days(14) - TimeDelta::seconds(1)), 14);
        assert_eq!(days_left(TimeDelta::days(13)), 13);
        assert_eq!(days_left(TimeDelta::seconds(1)), 1);
        assert_eq!(days_left(TimeDelta::zero()), 0);
        assert_eq!(days_left(TimeDelta::days(-1)), 0);
    }
}
