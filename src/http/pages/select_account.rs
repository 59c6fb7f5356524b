//! `/select-account`: as whom to go on?

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form};
use crate::http::pages::leaving::Leaving;
use crate::http::pages::question::Question;
use crate::http::pages::templates::Site;
use crate::http::pages::{go, page};
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::oauth::select::{Choice, select};
use crate::server::Server;
use crate::words::Language;

const QUESTION: Question =
    Question { name: "select-account", nothing_asked: "error-nothing-to-choose" };

/// `templates/select_account.html`: asks as whom to go on.
#[derive(Debug, Template)]
#[template(path = "select_account.html")]
pub struct SelectAccountPage {
    /// Around it.
    pub site: Site,
    /// The app that asks.
    pub app: String,
    /// Number of the authorization that it is for.
    pub grant: String,
    /// Token against posts from elsewhere; bound to the session, too.
    pub csrf: String,
    /// What to call who is signed in.
    pub user: String,
    /// What they sign in with.
    pub username: String,
}

/// `GET /select-account`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let Some(grant) = grant else { return QUESTION.nothing_asked() };
    let step = authorize::resume(&server.oauth, grant, browser.digest(), current.login()).await;
    match (step, current.login(), current.user()) {
        (Ok(Step::SelectAccount { grant, app, .. }), Some(login), Some(user)) => {
            let leaving = Leaving::of(&server, &browser, (login, user), language);
            let leaving = leaving.map(|leaving| leaving.within(grant));
            let choice = SelectAccountPage {
                site: Site { leaving, ..Site::of(&server.config, language) },
                app: app.title_in(language).to_owned(),
                grant: grant.to_string(),
                csrf: QUESTION.csrf(&server, &browser, grant, login),
                user: user.shown_name().to_owned(),
                username: user.username.clone(),
            };
            page(StatusCode::OK, &choice)
        }
        (other, _, _) => go(&server, other),
    }
}

/// `POST /select-account`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    form: Form,
) -> Response {
    let (grant, login) = match QUESTION.answered(&server, &browser, &current, &form) {
        Ok(answered) => answered,
        Err(response) => return *response,
    };
    let choice = match form.get("choice") {
        Some("current") => Choice::Current,
        Some("another") => Choice::Another,
        _ => return QUESTION.nothing_asked(),
    };
    go(&server, select(&server.oauth, grant, browser.digest(), login, choice).await)
}
