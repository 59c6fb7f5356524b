//! Sensitive steps ask for a fresh sign-in: whoever finds an open browser must not get further
//! than its owner left it. Source: NIST SP 800-63B section 7.2.

use std::sync::Arc;

use axum::response::Response;
use chrono::TimeDelta;

use crate::http::pages::complete::is_whole;
use crate::http::pages::errand::{Place, sign_in_again, sign_in_first};
use crate::http::session::CurrentLogin;
use crate::server::Server;
use crate::users::login::Login;
use crate::users::model::User;

/// How long ago a sign-in may be for a page that asks for a fresh one.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// How long ago it may be for the form of such a page: whoever types slowly must not lose it all.
const ANSWERED: TimeDelta = TimeDelta::minutes(15);

/// Who has signed in within the last five minutes, with all the factors that they have; everybody else is sent to sign in and to come
/// back to `place`. For showing a page.
#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
pub(in crate::http::pages) fn login(
    server: &Server,
    current: &CurrentLogin,
    place: &Place,
) -> Result<(Arc<Login>, Arc<User>), Response> {
    within(FRESH, server, current, place)
}

/// The same for the form of such a page, which was shown up to ten minutes ago.
#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
pub(in crate::http::pages) fn answered(
    server: &Server,
    current: &CurrentLogin,
    place: &Place,
) -> Result<(Arc<Login>, Arc<User>), Response> {
    within(ANSWERED, server, current, place)
}

#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
fn within(
    limit: TimeDelta,
    server: &Server,
    current: &CurrentLogin,
    place: &Place,
) -> Result<(Arc<Login>, Arc<User>), Response> {
    let Some((login, user)) = &current.0 else { return Err(sign_in_first(server, place)) };
    // Whoever has a password here shows it: what others say of somebody must not change what that
    // one signs in with.
    let is_own = login.provider.is_none() || user.password_changed_at.is_none();
    let is_old = server.ctx.now() - login.auth_time > limit;
    if !is_own || is_old || !is_whole(user, login) {
        return Err(sign_in_again(server, place));
    }
    Ok((Arc::clone(login), Arc::clone(user)))
}
