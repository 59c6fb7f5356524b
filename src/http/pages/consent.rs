//! `/consent`: may this app act for the user?

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::apps::model::Status;
use crate::base::id::{AccountId, GrantId};
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form};
use crate::http::pages::leaving::Leaving;
use crate::http::pages::links::Links;
use crate::http::pages::question::Question;
use crate::http::pages::teller::Teller;
use crate::http::pages::templates::{ConsentPage, Site};
use crate::http::pages::{broken, go, page};
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::oauth::consent_ask::ConsentAsk;
use crate::oauth::details;
use crate::server::Server;
use crate::words::Language;

const QUESTION: Question = Question { name: "consent", nothing_asked: "error-nothing-to-allow" };

fn consent_page(
    site: Site,
    (grant, csrf): (GrantId, String),
    ask: &ConsentAsk,
    teller: &Teller,
) -> ConsentPage {
    let language = site.language;
    let title = ask.app.title_in(language).to_owned();
    // The secure scheme is what people expect; any other is worth reading.
    let host = ask.destination.strip_prefix("https://").unwrap_or(&ask.destination);
    ConsentPage {
        site,
        grant: grant.to_string(),
        csrf,
        face: teller.face(&ask.app),
        app_title: title,
        app_account: account_shown(&ask.account_name, &ask.account),
        app_host: Some(host.to_owned()),
        in_development: ask.app.status == Status::Developing,
        user: ask.user.shown_name().to_owned(),
        wishes: ask.scopes.iter().map(|scope| teller.wish(scope)).collect(),
        links: Links::of(&ask.app, language),
        details: ask.details.iter().map(details::in_words).collect(),
    }
}

/// How an account is shown that answers for an app: what nobody but the operator chose comes last.
pub(in crate::http::pages) fn account_shown(name: &str, id: &AccountId) -> String {
    if name.is_empty() { id.to_string() } else { format!("{name} ({id})") }
}

/// `GET /consent`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    ForGrant(grant): ForGrant,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Response {
    let Some(grant) = grant else { return QUESTION.nothing_asked() };
    let step = authorize::resume(&server.oauth, grant, browser.digest(), current.login()).await;
    match (step, current.login()) {
        (Ok(Step::Consent { grant, view, .. }), Some(login)) => {
            let teller = match Teller::of(&server, language).await {
                Ok(teller) => teller,
                Err(error) => return broken(&error),
            };
            let csrf = QUESTION.csrf(&server, &browser, grant, login);
            let leaving = current
                .user()
                .and_then(|user| Leaving::of(&server, &browser, (login, user), language));
            let leaving = leaving.map(|leaving| leaving.within(grant));
            let site = Site { leaving, ..Site::of(&server.config, language) };
            page(StatusCode::OK, &consent_page(site, (grant, csrf), &view, &teller))
        }
        (other, _) => go(&server, other),
    }
}

/// `POST /consent`
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
    let approve = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return QUESTION.nothing_asked(),
    };
    let digest = browser.digest();
    go(&server, authorize::consent(&server.oauth, grant, digest, login, approve).await)
}
