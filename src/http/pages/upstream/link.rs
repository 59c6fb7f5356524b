//! `/upstream/link`: is somebody who came from a provider the user of the same address?
//!
//! Nobody is asked but the user: they sign in here first, with what they have here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::base::clock::from_micros;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::http::pages::errand::{Place, sign_in_again, sign_in_first};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::templates::Site;
use crate::http::pages::templates_upstream::{ConnectPage, ProvePage};
use crate::http::pages::upstream::refusal;
use crate::http::pages::{broken, complete, page, see_other, sign_in_path};
use crate::http::session::{CurrentLogin, SessionCookies};
use crate::oauth::params::Params;
use crate::once::model::Found;
use crate::server::Server;
use crate::upstream::arrival::FEDERATED;
use crate::upstream::error::Refused;
use crate::upstream::settle::Question;
use crate::users::login::Login;
use crate::users::model::User;
use crate::words::Language;

/// Where the question of this secret is asked.
pub(in crate::http::pages) fn path(secret: &str) -> String {
    format!("/upstream/link?link={secret}")
}

fn csrf_purpose(question: &Found<Question>) -> String {
    format!("upstream-link/{}", question.id)
}

/// Who may answer, if they have shown who they are.
async fn answerer<'a>(
    server: &Server,
    question: &Question,
    current: &'a CurrentLogin,
) -> Result<Option<(&'a Arc<Login>, &'a Arc<User>)>, DbError> {
    let Some((login, user)) = &current.0 else { return Ok(None) };
    if user.id != question.user || login.auth_time < from_micros(question.at) {
        return Ok(None);
    }
    // What an account's own provider says is not what the user shows here.
    if let Some(id) = &login.provider
        && server.providers.find(id).await?.is_none_or(|provider| provider.account.is_some())
    {
        return Ok(None);
    }
    Ok(Some((login, user)))
}

/// `GET /upstream/link`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let params = Params::parse(query.as_bytes()).unwrap_or_default();
    let secret = params.get("link").unwrap_or_default();
    let question = match server.upstream.question(secret, browser.digest()).await {
        Ok(question) => question,
        Err(reason) => return refusal::page(&reason, None),
    };
    let provider = match server.providers.find(&question.data.provider).await {
        Ok(Some(provider)) => provider,
        Ok(None) => return refusal::page(&Refused::NotInUse, None),
        Err(error) => return broken(&error),
    };
    let (site, link) = (Site::of(&server.config, language), secret.to_owned());
    let csrf = browser.csrf(&server.vault, &csrf_purpose(&question));
    let title = provider.title.clone();
    let address = question.data.arrival.verified_email().unwrap_or_default().to_owned();
    let shown = match answerer(&server, &question.data, &current).await {
        Ok(Some((_, user))) => {
            let user = user.username.clone();
            page(StatusCode::OK, &ConnectPage { site, link, csrf, title, address, user })
        }
        Ok(None) => page(StatusCode::OK, &ProvePage { site, link, csrf, title, address }),
        Err(error) => return broken(&error),
    };
    (browser, shown).into_response()
}

/// `POST /upstream/link`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    current: CurrentLogin,
    browser: Browser,
    cookies: SessionCookies,
    form: Form,
) -> Response {
    let secret = form.get("link").unwrap_or_default();
    let question = match server.upstream.question(secret, browser.digest()).await {
        Ok(question) => question,
        Err(reason) => return refusal::page(&reason, None),
    };
    if !browser.check_csrf(&server.vault, &csrf_purpose(&question), form.get("csrf")) {
        return not_ours();
    }
    let grant = question.data.grant();
    match form.get("answer") {
        Some("sign-in") => prove(&server, &current, secret),
        Some("connect") => {
            let (login, user) = match answerer(&server, &question.data, &current).await {
                Ok(Some(known)) => known,
                Ok(None) => return see_other(&path(secret)),
                Err(error) => return broken(&error),
            };
            if let Err(reason) = server.upstream.link(&question).await {
                return refusal::page(&reason, grant);
            }
            let mut amr: Vec<&str> = login.amr.iter().map(String::as_str).collect();
            if !amr.contains(&FEDERATED) {
                amr.insert(0, FEDERATED);
            }
            let cookies = cookies.from_provider(&question.data.provider);
            complete::signed_in(&server, &cookies, &browser, user, &amr, grant).await
        }
        _ => match server.upstream.leave_apart(&question).await {
            Ok(()) => see_other(&sign_in_path(grant)),
            Err(error) => broken(&error),
        },
    }
}

/// Has whoever it is sign in here, and come back.
fn prove(server: &Server, current: &CurrentLogin, secret: &str) -> Response {
    let Some(place) = Place::upstream_link(secret) else {
        return refusal::page(&Refused::Over, None);
    };
    match current.login() {
        Some(_) => sign_in_again(server, &place),
        None => sign_in_first(server, &place),
    }
}
