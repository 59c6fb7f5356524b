//! `/upstream/callback`: back from an OpenID Provider.

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use url::form_urlencoded;

use crate::http::browser::Browser;
use crate::http::oauth::form;
use crate::http::pages::upstream::{link, refusal};
use crate::http::pages::{complete, error_about, params_words, see_other};
use crate::http::session::SessionCookies;
use crate::oauth::params::{BadParams, Params};
use crate::server::Server;
use crate::upstream::error::Refused;
use crate::upstream::oidc::OidcResponse;
use crate::upstream::service::{Posted, Returned};
use crate::upstream::settle::Settled;

fn response(params: &Params) -> OidcResponse {
    let text = |name: &str| params.get(name).map(str::to_owned);
    OidcResponse { code: text("code"), error: text("error"), iss: text("iss"), user: text("user") }
}

fn malformed(bad: BadParams) -> Response {
    error_about(StatusCode::BAD_REQUEST, "upstream-malformed", params_words(bad))
}

/// `GET /upstream/callback`
pub(in crate::http::pages) async fn callback(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    request: Request,
) -> Response {
    let params = match Params::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        Ok(params) => params,
        Err(bad) => return malformed(bad),
    };
    let Some(state) = params.get("state") else { return refusal::page(&Refused::Over, None) };
    take_in(&server, (&cookies, &browser), state, response(&params)).await
}

/// Takes in whoever comes back in the browser that left.
pub(in crate::http::pages::upstream) async fn take_in(
    server: &Server,
    (cookies, browser): (&SessionCookies, &Browser),
    state: &str,
    response: OidcResponse,
) -> Response {
    match server.upstream.take_in(state, browser.digest(), response).await {
        Ok(returned) => let_in(server, cookies, browser, &returned).await,
        Err(away) => {
            let provider = away.provider.as_ref().map(|provider| provider.id.as_str());
            tracing::info!(provider, "somebody is turned away");
            refusal::page(&away.reason, away.grant)
        }
    }
}

/// `POST /upstream/callback`: the form comes from the provider's site, so without our cookies.
/// It is put by, and the browser comes for it from here, with them.
pub(in crate::http::pages) async fn posted(
    State(server): State<Server>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(params) = form::read(&parts.headers, body).await else {
        return malformed(BadParams::NotText);
    };
    let Some(state) = params.get("state") else { return refusal::page(&Refused::Over, None) };
    match server.upstream.put_by(state, &Posted::Oidc(response(&params))).await {
        Ok(()) => {
            let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            see_other(&format!("/upstream/callback?state={state}"))
        }
        Err(reason) => refusal::page(&reason, None),
    }
}

/// Goes on with whoever came back, in the browser that they left with.
async fn let_in(
    server: &Server,
    cookies: &SessionCookies,
    browser: &Browser,
    returned: &Returned,
) -> Response {
    let grant = returned.grant;
    match server.upstream.settle(returned, browser.digest()).await {
        Ok(Settled::Of(user)) => {
            let amr: Vec<&str> = returned.arrival.amr.iter().map(String::as_str).collect();
            let cookies = cookies.from_provider(&returned.provider.id);
            complete::signed_in(server, &cookies, browser, &user, &amr, grant).await
        }
        Ok(Settled::Perhaps(secret)) => see_other(&link::path(secret.reveal())),
        Err(reason) => refusal::page(&reason, grant),
    }
}
