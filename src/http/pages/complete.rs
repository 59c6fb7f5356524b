//! Where every way of signing in ends: with a password, a passkey, at another provider, or by
//! signing up. Nothing else makes a session.

use axum::response::Response;
use http::HeaderValue;

use crate::audit::model::Actor;
use crate::base::id::GrantId;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::http::pages::sign_in::waiting_app;
use crate::http::pages::{after_sign_in, broken, see_other};
use crate::http::session::{self, SessionCookies};
use crate::oauth::strength;
use crate::server::Server;
use crate::users::login::Login;
use crate::users::mailed::device::Entrance;
use crate::users::model::User;
use crate::users::sessions::Half;

/// Where a first second factor is added.
const ENROL: &str = "/sign-in/enrol";

/// What is still to be done before somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// Show a second factor of one's own.
    Second,
    /// Add a first second factor, because one is demanded.
    Enrol,
}

/// Decides what is due. `mfa` in `amr` says that all was shown.
fn due(amr: &[&str], has_second: bool, is_demanded: bool) -> Due {
    match (amr.contains(&"mfa"), has_second, is_demanded) {
        (true, _, _) | (false, false, false) => Due::Nothing,
        (false, true, _) => Due::Second,
        (false, false, true) => Due::Enrol,
    }
}

/// Whether an account of the user's, or the app that they sign in for, demands a second factor.
async fn is_demanded(
    server: &Server,
    browser: &Browser,
    user: &User,
    grant: Option<GrantId>,
) -> Result<bool, DbError> {
    if server.accounts.require_second_factor(&user.id).await? {
        return Ok(true);
    }
    let Some(grant) = grant else { return Ok(false) };
    strength::is_demanded_by(&server.oauth, grant, browser.digest()).await
}

/// Whether a session showed all that its user has: a factor that was added later was not shown.
pub(in crate::http::pages) fn is_whole(user: &User, login: &Login) -> bool {
    !user.has_second_factor() || login.amr.iter().any(|method| method == "mfa")
}

/// Where a second factor of the user's is asked for.
pub(in crate::http::pages) fn second_path(user: &User, grant: Option<GrantId>) -> String {
    with_grant(if user.has_totp { "/sign-in/totp" } else { "/sign-in/key" }, grant)
}

/// A path of ours for an authorization.
pub(in crate::http::pages) fn with_grant(path: &str, grant: Option<GrantId>) -> String {
    grant.map_or_else(|| path.to_owned(), |grant| format!("{path}?grant={grant}"))
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
    match go_on(server, cookies, browser, user, amr, grant).await {
        Ok((cookies, next)) => answer(cookies, &next),
        Err(error) => broken(&error),
    }
}

/// The cookies that a browser gets then, and where it goes.
pub(in crate::http::pages) async fn go_on(
    server: &Server,
    cookies: &SessionCookies,
    browser: &Browser,
    user: &User,
    amr: &[&str],
    grant: Option<GrantId>,
) -> Result<(Vec<HeaderValue>, String), DbError> {
    let has_second = user.has_second_factor();
    // Whoever has one shows it anyway.
    let is_demanded = !has_second && is_demanded(server, browser, user, grant).await?;
    let enrols = match due(amr, has_second, is_demanded) {
        Due::Nothing => {
            let cookies = cookies.complete(server, browser, &user.id, amr).await?;
            let (source, seat) = (browser.source(), browser.seat());
            let app = waiting_app(server, browser, grant).await.map(|app| app.id.clone());
            let actor = Actor { app, ..Actor::user(&user.id) };
            let from = Entrance { source, seat: &seat, app: None };
            server.users.signed_in(user, actor, &from).await?;
            return Ok((cookies, after_sign_in(grant)));
        }
        Due::Second => false,
        Due::Enrol => true,
    };
    let cookies = cookies.begin_pending(server, &user.id, amr, enrols).await?;
    let next = if enrols { with_grant(ENROL, grant) } else { second_path(user, grant) };
    Ok((cookies, next))
}

/// Sends the browser on with its new cookies.
fn answer(cookies: Vec<HeaderValue>, next: &str) -> Response {
    let mut answer = see_other(next);
    session::set(answer.headers_mut(), cookies);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_50_one_factor_is_not_enough_for_who_has_two() {
        assert_eq!(due(&["pwd"], false, false), Due::Nothing);
        assert_eq!(due(&["pwd"], true, false), Due::Second);
        assert_eq!(due(&["fed"], true, false), Due::Second);
        assert_eq!(due(&[], true, true), Due::Second);
        assert_eq!(due(&["pwd", "otp", "mfa"], true, true), Due::Nothing);
    }

    #[test]
    fn case_50_a_demanded_factor_is_added_where_there_is_none_and_shown_where_there_is_one() {
        assert_eq!(due(&["pwd"], false, true), Due::Enrol);
        assert_eq!(due(&["fed"], false, true), Due::Enrol);
        assert_eq!(due(&["pwd"], true, true), Due::Second);
        assert_eq!(due(&["swk", "user", "mfa"], false, true), Due::Nothing);
    }
}
