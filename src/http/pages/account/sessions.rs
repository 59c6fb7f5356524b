//! `/account/sessions`: where one is signed in, and the end of it.

use askama::Template;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, see_other};
use crate::oauth::logout;
use crate::places::network_of;
use crate::users::own_sessions::{OwnSession, Seat};
use crate::words::Language;

const END: &str = "end";
const END_OTHERS: &str = "end-others";

/// `templates/account/sessions.html`: says where somebody is signed in.
#[derive(Debug, Template)]
#[template(path = "account/sessions.html")]
pub struct SessionsPage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token of the forms that end one session.
    pub csrf: String,
    /// Token of the form that ends all others.
    pub csrf_others: String,
    /// This one first.
    pub sessions: Vec<SessionShown>,
}

/// A session.
#[derive(Debug)]
pub struct SessionShown {
    /// Its number on the page, for ids of elements.
    pub number: usize,
    /// Names it, and opens nothing.
    pub name: String,
    /// Program and system, in words.
    pub device: String,
    /// Where it was signed in to, as far as it is known.
    pub place: Option<String>,
    /// When it was signed in to.
    pub since: String,
    /// When it was last used.
    pub last_seen: String,
    /// Whether it is the one that looks at the page.
    pub is_here: bool,
}

fn name_of(key: Digest) -> String {
    URL_SAFE_NO_PAD.encode(key.0)
}

/// What people call it: `Firefox on Windows`.
pub(in crate::http::pages) fn device(seat: &Seat, language: Language) -> String {
    match (&seat.program, &seat.system) {
        (Some(program), Some(system)) => {
            let values = [("program", program.as_str().into()), ("system", system.as_str().into())];
            language.say_with("sessions-device", &values)
        }
        (Some(name), None) | (None, Some(name)) => name.clone(),
        (None, None) => language.say("sessions-device-unknown"),
    }
}

fn place(visit: &Visit, seat: &Seat) -> Option<String> {
    let address = seat.address?;
    let known = visit.server.places.as_ref();
    let place = known.and_then(|places| places.of(address, visit.language.code()));
    let network =
        visit.language.say_with("sessions-network", &[("network", network_of(address).into())]);
    Some(place.map_or_else(|| network.clone(), |place| format!("{place} ({network})")))
}

fn shown(visit: &Visit, number: usize, session: &OwnSession) -> SessionShown {
    let language = visit.language;
    SessionShown {
        number,
        name: name_of(session.login.key),
        device: device(&session.seat, language),
        place: place(visit, &session.seat),
        since: language.minute(session.login.auth_time),
        last_seen: language.minute(session.last_seen),
        is_here: session.login.key == visit.login.key,
    }
}

/// `GET /account/sessions`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Sessions)?;
    let found = visit.server.users.sessions_of(&visit.user.id).await;
    let mut own = found.map_err(|error| broken(&error))?;
    own.sort_by_key(|session| session.login.key != visit.login.key);
    let sessions = own.iter().enumerate().map(|(at, it)| shown(&visit, at + 1, it)).collect();
    let page = SessionsPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(END),
        csrf_others: visit.csrf(END_OTHERS),
        sessions,
    };
    Ok(visit.page(StatusCode::OK, &page))
}

/// `POST /account/sessions`: ends one session, or all but this one.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Sessions)?;
    let wanted = form.get("session");
    visit.check(&form, if wanted.is_some() { END } else { END_OTHERS })?;
    end(&visit, wanted).await.map_err(|error| broken(&error))?;
    Ok(see_other(Section::Sessions.path()))
}

/// Looks only among one's own: a name of anybody else's session names nothing. Ending is the same
/// as signing out there: what apps were given ends, and they are told.
async fn end(visit: &Visit, wanted: Option<&str>) -> Result<(), DbError> {
    loop {
        let own = visit.server.users.sessions_of(&visit.user.id).await?;
        let mut ended = 0_usize;
        for OwnSession { login, .. } in &own {
            let is_meant = wanted.is_none_or(|name| name == name_of(login.key));
            if is_meant && login.key != visit.login.key {
                logout::end(&visit.server.oauth, login).await?;
                ended += 1;
            }
        }
        // There may be more than are listed at once.
        if ended == 0 || wanted.is_some() {
            return Ok(());
        }
    }
}
