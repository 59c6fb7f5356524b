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
use crate::http::pages::templates::{ConsentPage, Site};
use crate::http::pages::{go, page};
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::oauth::consent_ask::ConsentAsk;
use crate::oauth::details;
use crate::server::Server;
use crate::words::Language;

/// The words for what scopes let an app do. Source: OpenID Connect Core section 5.4.
const WISHES: [(&str, &str); 34] = [
    ("openid", "wish-openid"),
    ("profile", "wish-profile"),
    ("email", "wish-email"),
    ("phone", "wish-phone"),
    ("address", "wish-address"),
    ("offline_access", "wish-offline-access"),
    ("account.read", "wish-account-read"),
    ("group.read", "wish-group-read"),
    ("policy.read", "wish-policy-read"),
    ("policy.write", "wish-policy-write"),
    ("project.read", "wish-project-read"),
    ("project.write", "wish-project-write"),
    ("account.write", "wish-account-write"),
    ("api.read", "wish-api-read"),
    ("api.write", "wish-api-write"),
    ("apiKey.read", "wish-api-key-read"),
    ("apiKey.write", "wish-api-key-write"),
    ("app.read", "wish-app-read"),
    ("app.write", "wish-app-write"),
    ("audit.read", "wish-audit-read"),
    ("client-token.write", "wish-client-token-write"),
    ("consent.read", "wish-consent-read"),
    ("consent.write", "wish-consent-write"),
    ("decision.ask", "wish-decision-ask"),
    ("group.write", "wish-group-write"),
    ("invitation.read", "wish-invitation-read"),
    ("invitation.write", "wish-invitation-write"),
    ("review.read", "wish-review-read"),
    ("review.write", "wish-review-write"),
    ("serviceAccount.read", "wish-service-account-read"),
    ("serviceAccount.write", "wish-service-account-write"),
    ("usage.read", "wish-usage-read"),
    ("user.read", "wish-user-read"),
    ("user.write", "wish-user-write"),
];

const QUESTION: Question = Question { name: "consent", nothing_asked: "error-nothing-to-allow" };

/// What a scope lets an app do, in words; its name, if there are none.
pub(in crate::http::pages) fn wish(scope: &str, language: Language) -> String {
    let known = WISHES.iter().find(|(name, _)| *name == scope);
    known.map_or_else(
        || language.say_with("wish-other", &[("scope", scope.into())]),
        |(_, words)| language.say(words),
    )
}

fn consent_page(site: Site, grant: GrantId, csrf: String, ask: &ConsentAsk) -> ConsentPage {
    let language = site.language;
    let title = ask.app.title_in(language).to_owned();
    // The secure scheme is what people expect; any other is worth reading.
    let host = ask.destination.strip_prefix("https://").unwrap_or(&ask.destination);
    let letter = title.chars().find(|c| c.is_alphanumeric()).unwrap_or('?');
    ConsentPage {
        site,
        grant: grant.to_string(),
        csrf,
        app_letter: letter.to_uppercase().collect(),
        app_title: title,
        app_account: account_shown(&ask.account_name, &ask.account),
        app_host: Some(host.to_owned()),
        in_development: ask.app.status == Status::Developing,
        user: ask.user.shown_name().to_owned(),
        wishes: ask.scopes.iter().map(|scope| wish(scope, language)).collect(),
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
            let csrf = QUESTION.csrf(&server, &browser, grant, login);
            let leaving = current
                .user()
                .and_then(|user| Leaving::of(&server, &browser, (login, user), language));
            let leaving = leaving.map(|leaving| leaving.within(grant));
            let site = Site { leaving, ..Site::of(&server.config, language) };
            page(StatusCode::OK, &consent_page(site, grant, csrf, &view))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::routes::scopes;

    #[test]
    fn every_scope_is_told_in_words_or_named() {
        let english = |scope| wish(scope, Language::English);

        assert_eq!(english("openid"), "Know who you are");
        assert_eq!(wish("openid", Language::German), "wissen, wer Sie sind");
        assert_eq!(english("FHIR.read"), "Use “FHIR.read”");
        for info in scopes() {
            assert_eq!(english(info.name), info.description);
        }
    }
}
