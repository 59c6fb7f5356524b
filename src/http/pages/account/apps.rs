//! `/account/apps`: which apps may do what, and taking it back.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::base::id::AppId;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::consent::account_shown;
use crate::http::pages::form::Form;
use crate::http::pages::teller::{Face, Teller};
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, see_other};
use crate::oauth::own_apps::{OwnApp, own_apps, withdraw};

const WITHDRAW: &str = "withdraw";

/// `templates/account/apps.html`: says which apps may do what.
#[derive(Debug, Template)]
#[template(path = "account/apps.html")]
pub struct AppsPage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token of its forms.
    pub csrf: String,
    /// By title.
    pub apps: Vec<OwnAppShown>,
}

/// An app with access.
#[derive(Debug)]
pub struct OwnAppShown {
    /// Its number on the page, for ids of elements.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// The developer's words.
    pub title: String,
    /// What stands beside the title.
    pub face: Face,
    /// The account that answers for it.
    pub account: String,
    /// What it may do, one phrase each.
    pub wishes: Vec<String>,
    /// Since when.
    pub since: String,
    /// When it last got access, if it has any now.
    pub last_used: Option<String>,
}

fn shown(visit: &Visit, teller: &Teller, number: usize, own: &OwnApp) -> OwnAppShown {
    let language = visit.language;
    OwnAppShown {
        number,
        id: own.app.id.to_string(),
        title: own.app.title_in(language).to_owned(),
        face: teller.face(&own.app),
        account: account_shown(&own.account_name, &own.app.account),
        wishes: own.scopes.tokens().map(|scope| teller.wish(scope)).collect(),
        since: language.day(own.since),
        last_used: own.last_used.map(|at| language.day(at)),
    }
}

/// `GET /account/apps`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Apps)?;
    let found = own_apps(&visit.server.oauth, &visit.user.id).await;
    let own = found.map_err(|error| broken(&error))?;
    let teller = Teller::of(&visit.server, visit.language).await;
    let teller = teller.map_err(|error| broken(&error))?;
    let page = AppsPage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(WITHDRAW),
        apps: own.iter().enumerate().map(|(at, it)| shown(&visit, &teller, at + 1, it)).collect(),
    };
    Ok(visit.page(StatusCode::OK, &page))
}

/// `POST /account/apps`: takes back what was given to one.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Apps)?;
    visit.check(&form, WITHDRAW)?;
    if let Some(app) = form.get("app").and_then(|id| id.parse::<AppId>().ok()) {
        let taken = withdraw(&visit.server.oauth, &visit.user.id, &app).await;
        taken.map_err(|error| broken(&error))?;
    }
    Ok(see_other(Section::Apps.path()))
}
