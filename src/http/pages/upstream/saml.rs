//! `/saml/{id}/…`: our side of SAML. Source: SAML bindings section 3.5.

use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, HeaderValue};
use url::form_urlencoded;

use crate::base::id::ProviderId;
use crate::http::browser::Browser;
use crate::http::pages::upstream::{back, refusal};
use crate::http::pages::{broken, not_found, see_other};
use crate::http::session::SessionCookies;
use crate::oauth::params::Params;
use crate::server::Server;
use crate::upstream::error::Refused;
use crate::upstream::model::Provider;
use crate::upstream::oidc::OidcResponse;
use crate::upstream::saml::RESPONSE_BYTES_MAX;
use crate::upstream::service::Posted;
use crate::words::Language;

/// Largest form: the response in base64, percent-encoded at its worst, and a little more.
const FORM_BYTES_MAX: usize = 250 * 1024;
const METADATA: HeaderValue = HeaderValue::from_static("application/samlmetadata+xml");

type Id = Result<Path<ProviderId>, PathRejection>;

/// `GET /saml/{id}/metadata`
pub(in crate::http::pages) async fn metadata(
    State(server): State<Server>,
    id: Id,
    language: Language,
) -> Response {
    let Ok(Path(id)) = id else { return not_found(language).await };
    shown(&server, &id, language).await
}

/// `GET /v1/saml/metadata`, as the platform's documents name it: for the provider that the query
/// names, or for the first that the whole server has.
pub(in crate::http::pages) async fn metadata_of_one(
    State(server): State<Server>,
    RawQuery(query): RawQuery,
    language: Language,
) -> Response {
    let named = only(query.unwrap_or_default().as_bytes(), "provider");
    let id = match named {
        Some(text) => text.parse().ok(),
        None => match server.providers.of(None).await {
            Ok(all) => {
                let speaks = |one: &&Provider| one.enabled && one.settings.saml().is_some();
                all.iter().find(speaks).map(|one| one.id.clone())
            }
            Err(error) => return broken(&error),
        },
    };
    match id {
        Some(id) => shown(&server, &id, language).await,
        None => not_found(language).await,
    }
}

async fn shown(server: &Server, id: &ProviderId, language: Language) -> Response {
    match server.upstream.metadata(id).await {
        Ok(xml) => ([(CONTENT_TYPE, METADATA)], xml).into_response(),
        Err(Refused::NotInUse) => not_found(language).await,
        Err(reason) => refusal::page(&reason, None),
    }
}

/// `POST /saml/{id}/acs`: the form comes from the provider's site, so without our cookies. It is put
/// by, and the browser comes for it from here, with them.
pub(in crate::http::pages) async fn posted(
    State(server): State<Server>,
    id: Id,
    request: Request,
) -> Response {
    let over = || refusal::page(&Refused::Over, None);
    let Ok(Path(at)) = id else { return over() };
    let Ok(body) = to_bytes(request.into_body(), FORM_BYTES_MAX).await else { return over() };
    let (Some(state), Some(response)) = (only(&body, "RelayState"), only(&body, "SAMLResponse"))
    else {
        return over();
    };
    let bare: String = response.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let xml = STANDARD.decode(bare).ok().filter(|xml| xml.len() <= RESPONSE_BYTES_MAX);
    let Some(response) = xml.and_then(|xml| String::from_utf8(xml).ok()) else { return over() };
    let path = format!("/saml/{at}/acs");
    match server.upstream.put_by(&state, &Posted::Saml { at, response }).await {
        Ok(()) => {
            let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
            see_other(&format!("{path}?state={state}"))
        }
        Err(reason) => refusal::page(&reason, None),
    }
}

/// The value of a field that is there once.
fn only(body: &[u8], name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(body).filter(|(key, _)| key == name);
    let value = found.next()?.1.into_owned();
    found.next().is_none().then_some(value).filter(|value| !value.is_empty())
}

/// `GET /saml/{id}/acs`: the browser comes for the answer that was posted.
pub(in crate::http::pages) async fn returned(
    State(server): State<Server>,
    browser: Browser,
    cookies: SessionCookies,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let params = Params::parse(query.as_bytes()).unwrap_or_default();
    let Some(state) = params.get("state") else { return refusal::page(&Refused::Over, None) };
    back::take_in(&server, (&cookies, &browser), state, OidcResponse::default()).await
}
