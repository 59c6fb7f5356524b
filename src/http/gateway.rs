//! Forward authentication: proxies ask here whether a request to somebody else's API may pass.
//!
//! | Proxy | asks at | tells of the request in |
//! | --- | --- | --- |
//! | nginx `auth_request` | `/gateway/nginx/{api}` | `X-Original-Method`, `X-Original-URI` |
//! | Traefik `ForwardAuth` | `/gateway/traefik/{api}` | `X-Forwarded-Method`, `X-Forwarded-Uri` |
//! | Envoy `ext_authz` (HTTP) | `/gateway/envoy/{api}` and its path | the request itself |
//!
//! Only a trusted proxy is heard, and only its own words: what the others would say is somebody's
//! claim. The proxy names the API, in the address that it is configured with, so that no tenant's
//! registration reaches another's requests. The answer is 200 with the fields that services expect,
//! every one of them always, so that a proxy which copies them leaves nothing that came from
//! outside; or 401 or 403, which are all that nginx understands.

use std::fmt::Write as _;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::base::id::{ApiId, uuid_v7};
use crate::gate::checks::Header;
use crate::gate::outside::Original;
use crate::gate::refusal::{ACCOUNT_HEADER, Refusal};
use crate::gate::service::Presented;
use crate::http::api::error::ApiError;
use crate::http::api::guard::header;
use crate::http::api::usage::{self, metered};
use crate::http::client_certificate::client_certificate;
use crate::http::client_ip::client_ip;
use crate::http::proof::{challenge, proof};
use crate::server::Server;

const ACCOUNT: HeaderName = HeaderName::from_static("lifeomic-account");
const USER: HeaderName = HeaderName::from_static("lifeomic-user");
const POLICY: HeaderName = HeaderName::from_static("lifeomic-policy");
const CORRELATION: HeaderName = HeaderName::from_static("lifeomic-correlation-id");
const REQUEST: HeaderName = HeaderName::from_static("lifeomic-request-id");

/// Why a request was refused, for programs.
const REASON: HeaderName = HeaderName::from_static("narthex-reason");

/// Longest correlation id that is kept, in bytes.
const ID_BYTES_MAX: usize = 64;

/// Fields by which some services are told another method than the request's.
const METHOD_OVERRIDES: [&str; 3] =
    ["x-http-method-override", "x-http-method", "x-method-override"];

/// Where proxies ask.
pub(in crate::http) fn routes() -> Router<Server> {
    Router::new()
        .route("/gateway/nginx/{api}", any(nginx))
        .route("/gateway/traefik/{api}", any(traefik))
        .route("/gateway/envoy/{api}", any(envoy))
        .route("/gateway/envoy/{api}/", any(envoy))
        .route("/gateway/envoy/{api}/{*path}", any(envoy))
        .route("/gateway/{*other}", any(nowhere))
}

async fn nginx(state: State<Server>, api: Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    by_fields(&state, &api, &parts, ["x-original-method", "x-original-uri"]).await
}

async fn traefik(state: State<Server>, api: Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    by_fields(&state, &api, &parts, ["x-forwarded-method", "x-forwarded-uri"]).await
}

/// Nothing asks here but what was configured wrongly: nginx makes a 500 of anything but 401 and 403.
async fn nowhere() -> Response {
    told(Refusal::NoRoute.into())
}

async fn by_fields(server: &Server, api: &str, parts: &Parts, names: [&str; 2]) -> Response {
    let [method, target] = names.map(|name| header(&parts.headers, name));
    answer(server, api, parts, (method, target)).await
}

/// The request itself, below our path. Its target is read as it came: decoded, it would have been
/// folded.
async fn envoy(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let rest = target.strip_prefix("/gateway/envoy/").unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (api, target) = rest.split_at(end);
    let method = Header::Once(parts.method.as_str().as_bytes());
    answer(&server, api, &parts, (method, Header::Once(target.as_bytes()))).await
}

async fn answer(
    server: &Server,
    api: &str,
    parts: &Parts,
    (method, target): (Header<'_>, Header<'_>),
) -> Response {
    metered(decide(server, api, parts, (method, target))).await.unwrap_or_else(told)
}

/// A refusal as proxies understand it. The reason stands in a field, too: nginx drops the body.
fn told(error: ApiError) -> Response {
    let (reason, fault) = match &error {
        ApiError::Refused(Refusal::Proof(fault)) => (fault.code(), Some(fault.clone())),
        ApiError::Refused(refusal) => (refusal.reason(), None),
        _ => ("server_error", None),
    };
    let mut response = error.into_response();
    if let Some(fault) = &fault {
        challenge(&mut response, fault);
    }
    response.headers_mut().insert(REASON, HeaderValue::from_static(reason));
    let status = response.status();
    if status.is_client_error() && status != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// Whether the one who asks is a proxy of the operator's.
fn is_trusted(parts: &Parts, server: &Server) -> bool {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|peer| server.config.trusted_proxies.contains(&peer.0.ip().to_canonical()))
}

async fn decide(
    server: &Server,
    api: &str,
    parts: &Parts,
    (method, target): (Header<'_>, Header<'_>),
) -> Result<Response, ApiError> {
    if !is_trusted(parts, server) {
        return Err(Refusal::InvalidRequest("only a trusted proxy may ask here").into());
    }
    let id: ApiId = api.parse().map_err(|_| Refusal::NoRoute)?;
    let api = server.apis.find(&id).await?.ok_or(Refusal::NoRoute)?;
    let request = uuid_v7(server.ctx.now(), server.ctx.entropy());
    let certificate = client_certificate(&parts.headers, &parts.extensions, &server.config);
    let presented = Presented {
        authorization: header(&parts.headers, AUTHORIZATION.as_str()),
        token_in_query: false,
        account: header(&parts.headers, ACCOUNT_HEADER),
        ip: client_ip(&parts.headers, &parts.extensions, &server.config.trusted_proxies),
        request: Some(&request),
        proof: proof(&parts.headers),
        certificate: certificate.as_ref(),
        method: "",
        path: "",
        elsewhere: None,
    };
    let overrides_method = METHOD_OVERRIDES.iter().any(|name| has_field(parts, name));
    let forges_answer =
        [ACCOUNT, USER, POLICY, CORRELATION, REQUEST].iter().any(|name| is_disguised(parts, name));
    let original = Original { method, target, overrides_method, forges_answer };
    let passed = server.gate.outside(&api, &original, &presented).await?;
    usage::passed(server, &passed.caller);
    let place = passed.caller.place.ok_or(Refusal::AccountRequired)?;
    let correlation = correlation(parts).unwrap_or_else(|| request.clone());
    let fields = [
        (ACCOUNT, place.account.to_string()),
        (USER, passed.caller.user.to_string()),
        (POLICY, in_ascii(&passed.policy)),
        (CORRELATION, correlation),
        (REQUEST, request),
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, value) in fields {
        let value = HeaderValue::try_from(value)
            .map_err(|_| Refusal::Bug("a header field has a character that it must not"))?;
        response.headers_mut().insert(name, value);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whether two names are one to services that read fields from variables, as with CGI, where both
/// `-` and `_` become `_`. Source: RFC 3875 section 4.1.18.
fn is_alike(one: &str, other: &str) -> bool {
    let alike = |one, other| one == other || (one == b'_' && other == b'-');
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(one, other)| alike(one, other))
}

fn has_field(parts: &Parts, name: &str) -> bool {
    parts.headers.keys().any(|sent| is_alike(sent.as_str(), name))
}

/// Whether a field has a name that some services read as `name`, and that no proxy replaces.
fn is_disguised(parts: &Parts, name: &HeaderName) -> bool {
    parts.headers.keys().any(|sent| sent != name && is_alike(sent.as_str(), name.as_str()))
}

/// What the outermost caller calls the whole, if it is an id and nothing else.
fn correlation(parts: &Parts) -> Option<String> {
    let Header::Once(value) = header(&parts.headers, CORRELATION.as_str()) else { return None };
    let is_id = (1..=ID_BYTES_MAX).contains(&value.len())
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    std::str::from_utf8(value).ok().filter(|_| is_id).map(str::to_owned)
}

/// JSON in which everything beyond ASCII is escaped. Source: RFC 8259 section 7.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing into text does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_61_names_with_underscores_are_the_same_to_some_services() {
        assert!(is_alike("lifeomic_user", "lifeomic-user"));
        assert!(is_alike("lifeomic-correlation_id", "lifeomic-correlation-id"));
        assert!(!is_alike("lifeomic-users", "lifeomic-user"));
        assert!(!is_alike("lifeomic.user", "lifeomic-user"));
    }

    #[test]
    fn rfc8259_7_json_in_a_field_is_ascii() {
        assert_eq!(in_ascii("{\"ä\":\"😀\"}"), "{\"\\u00e4\":\"\\ud83d\\ude00\"}");
    }
}
