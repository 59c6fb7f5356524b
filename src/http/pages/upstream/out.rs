//! `/upstream/{id}/start`: off to a provider.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use crate::base::id::ProviderId;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::upstream::buttons::{Asks, csrf_purpose, offered};
use crate::http::pages::upstream::refusal;
use crate::http::pages::{broken, form_post, go, see_other};
use crate::http::session::CurrentLogin;
use crate::oauth::authorize::{self, Step};
use crate::server::Server;
use crate::upstream::error::Refused;
use crate::upstream::journey::{Departure, Journey};

/// `POST /upstream/{id}/start`: by POST, so that no link of another site can make a browser sign in
/// somewhere.
pub(in crate::http::pages) async fn start(
    State(server): State<Server>,
    id: Result<Path<ProviderId>, PathRejection>,
    current: CurrentLogin,
    browser: Browser,
    form: Form,
) -> Response {
    let grant = form.grant;
    if !browser.check_csrf(&server.vault, &csrf_purpose(grant), form.get("csrf")) {
        return not_ours();
    }
    let (app, anew) = match grant {
        Some(grant) => {
            let digest = browser.digest();
            match authorize::resume(&server.oauth, grant, digest, current.login()).await {
                Ok(Step::SignIn { app, anew, .. }) => (Some(app), anew),
                other => return go(&server, other),
            }
        }
        None => (None, current.login().is_some()),
    };
    let asks = match (&app, current.user()) {
        (Some(app), _) => Asks::App(app),
        (None, Some(user)) => Asks::Again(user),
        (None, None) => Asks::Nobody,
    };
    let offered = match offered(&server, asks).await {
        Ok(offered) => offered,
        Err(error) => return broken(&error),
    };
    let wanted = id.ok().map(|Path(id)| id);
    let Some(provider) = offered.into_iter().find(|one| Some(&one.id) == wanted.as_ref()) else {
        return refusal::page(&Refused::NotInUse, grant);
    };
    let journey = Journey { browser: browser.digest(), grant, anew };
    match server.upstream.depart(&provider, journey).await {
        Ok(Departure::Redirect(url)) => (browser, see_other(&url)).into_response(),
        Ok(Departure::Form { action, fields }) => {
            (browser, form_post::page(&server, action, fields)).into_response()
        }
        Err(reason) => refusal::page(&reason, grant),
    }
}
