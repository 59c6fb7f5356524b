//! Where every way of signing in ends: with a password, a passkey, at another provider, or by
//! signing up. Nothing else makes a session.

use axum::response::Response;

use crate::base::id::GrantId;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::http::pages::{after_sign_in, broken, see_other};
use crate::http::session::{self, SessionCookies};
use crate::server::Server;
use crate::users::model::User;
use crate::users::sessions::Half;

/// What is still to be done before somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// Show a second factor of one's own.
    Second,
}

/// Decides what is due. `mfa` in `amr` says that all was shown.
fn due(amr: &[&str], has_second: bool) -> Due {
    if amr.contains(&"mfa") || !has_second { Due::Nothing } else { Due::Second }
}

/// Where a second factor is asked for.
pub(in crate::http::pages) fn second_path(grant: Option<GrantId>) -> String {
    let query = grant.map(|grant| format!("?grant={grant}")).unwrap_or_default();
    format!("/sign-in/totp{query}")
}

/// What was shown, after a second factor. Source: RFC 8176 section 2, `mfa`.
pub(in crate::http::pages) fn with_second<'a>(half: &'a Half, second: &[&'a str]) -> Vec<&'a str> {
    let first = half.amr.iter().map(String::as_str);
    first.chain(second.iter().copied()).chain(["mfa"]).collect()
}

/// Goes on with a browser at which `user` showed the factors that `amr` names.
///
/// If more is due, the sign-in stays half and the browser is led to the page that asks for it.
/// If not, it gets its session, and goes where it came from. Whoever calls this has checked that
/// the user is active. `amr` holds `mfa` only if factors of two kinds were shown; a sign-in at
/// another provider, of which we know nothing more, is `fed`.
pub(in crate::http::pages) async fn signed_in(
    server: &Server,
    cookies: &SessionCookies,
    browser: &Browser,
    user: &User,
    amr: &[&str],
    grant: Option<GrantId>,
) -> Response {
    match due(amr, user.has_totp) {
        Due::Nothing => {
            let begun = cookies.complete(server, browser, &user.id, amr).await;
            answer(begun, &after_sign_in(grant))
        }
        Due::Second => {
            let begun = cookies.begin_pending(server, &user.id, amr).await;
            answer(begun, &second_path(grant))
        }
    }
}

/// Sends the browser on with its new cookies.
fn answer(begun: Result<Vec<http::HeaderValue>, DbError>, next: &str) -> Response {
    match begun {
        Ok(cookies) => {
            let mut answer = see_other(next);
            session::set(answer.headers_mut(), cookies);
            answer
        }
        Err(error) => broken(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_50_one_factor_is_not_enough_for_who_has_two() {
        assert_eq!(due(&["pwd"], false), Due::Nothing);
        assert_eq!(due(&["pwd"], true), Due::Second);
        assert_eq!(due(&["fed"], true), Due::Second);
        assert_eq!(due(&[], true), Due::Second);
        assert_eq!(due(&["pwd", "otp", "mfa"], true), Due::Nothing);
    }
}
