//! The gate as extractors: a handler that names one runs only for those who pass.

use std::str::FromStr;

use axum::extract::{FromRequestParts, MatchedPath, Path};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::audit::model::Actor;
use crate::db::cause::{self, Means};
use crate::gate::checks::Header;
use crate::gate::outside::has_token;
use crate::gate::questions::Asker;
use crate::gate::refusal::{ACCOUNT_HEADER, Refusal};
use crate::gate::routes::{Lock, find};
use crate::gate::service::{Caller, Held, Presented};
use crate::http::api::error::ApiError;
use crate::http::api::refused::Passage;
use crate::http::api::usage;
use crate::http::client_certificate::client_certificate;
use crate::http::client_ip::client_ip;
use crate::http::interaction;
use crate::http::proof::proof;
use crate::oauth::certificate::Certificate;
use crate::policy::attributes::Attributes;
use crate::policy::permit::Permit;
use crate::policy::privilege::Privilege;
use crate::server::Server;

/// A caller who has `P` in the account of the request, at least for some resources.
pub(in crate::http::api) struct Permitted<P: Privilege> {
    /// What services ask for.
    pub(in crate::http::api) permit: Permit<P>,
    /// What the permit was given on.
    pub(in crate::http::api) facts: Attributes,
    /// What opened the route.
    pub(in crate::http::api) lock: &'static Lock,
    /// The scope of the token or key.
    pub(in crate::http::api) scope: Held,
}

impl<P: Privilege> FromRequestParts<Server> for Permitted<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let (caller, lock) = pass(parts, server).await?;
        let permit = caller.permit(lock)?;
        usage::passed(server, &caller);
        let place = caller.place.ok_or(Refusal::Bug("a permit without an account"))?;
        let scope = caller.scope;
        Ok(Self { permit, facts: place.facts, lock, scope })
    }
}

/// A caller at a route that asks for no privilege.
pub(in crate::http::api) struct Passed(pub(in crate::http::api) Caller);

impl FromRequestParts<Server> for Passed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let (caller, lock) = pass(parts, server).await?;
        if lock.privilege.is_some() {
            return Err(
                Refusal::Bug("a handler does not ask for the privilege of its route").into()
            );
        }
        usage::passed(server, &caller);
        Ok(Self(caller))
    }
}

/// Somebody who may ask what others may do.
pub(in crate::http::api) struct Asking(pub(in crate::http::api) Asker);

impl FromRequestParts<Server> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let lock = lock_of(parts)?;
        let certificate = client_certificate(&parts.headers, &parts.extensions, &server.config);
        let asker = server.gate.asker(lock, &presented(parts, server, certificate.as_ref())).await;
        let asker = asker.map_err(|refusal| challenged(refusal, server))?;
        usage::asked(server, &asker);
        Ok(Self(asker))
    }
}

/// Who passes the gate, and what opened the route.
///
/// # Errors
/// What the gate says.
pub(in crate::http::api) async fn pass(
    parts: &Parts,
    server: &Server,
) -> Result<(Caller, &'static Lock), ApiError> {
    let lock = lock_of(parts)?;
    let certificate = client_certificate(&parts.headers, &parts.extensions, &server.config);
    let presented = presented(parts, server, certificate.as_ref());
    match server.gate.checkpoint(lock, &presented).await {
        Ok(caller) => {
            if let Some(passage) = parts.extensions.get::<Passage>() {
                passage.passed(&caller, lock);
            }
            // Only reads leave nothing behind.
            if parts.method != Method::GET {
                say(&caller.actor);
            }
            Ok((caller, lock))
        }
        Err(refusal) => Err(challenged(refusal, server)),
    }
}

/// Says by what the request is asked, for records that are made far from here.
fn say(actor: &Actor) {
    match (&actor.key, &actor.app) {
        (Some(key), _) => cause::asked_by(|| Means::Key(key.clone())),
        (None, Some(app)) => cause::asked_by(|| Means::App(app.clone())),
        (None, None) => {}
    }
}

fn lock_of(parts: &Parts) -> Result<&'static Lock, ApiError> {
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = find(parts.method.as_str(), path).and_then(|route| route.lock.as_ref());
    Ok(route.ok_or(Refusal::Bug("a handler behind the gate has no line in the table"))?)
}

fn challenged(refusal: Refusal, server: &Server) -> ApiError {
    ApiError::Challenged(refusal, server.config.issuer.clone())
}

fn presented<'r>(
    parts: &'r Parts,
    server: &Server,
    certificate: Option<&'r Certificate>,
) -> Presented<'r> {
    Presented {
        authorization: header(&parts.headers, AUTHORIZATION.as_str()),
        token_in_query: parts.uri.query().is_some_and(has_token),
        account: header(&parts.headers, ACCOUNT_HEADER),
        ip: client_ip(&parts.headers, &parts.extensions, &server.config.trusted_proxies),
        request: interaction::number(&parts.headers),
        proof: proof(&parts.headers),
        certificate,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        elsewhere: None,
    }
}

/// A field of a request, for the gate.
pub(in crate::http) fn header<'r>(headers: &'r HeaderMap, name: &str) -> Header<'r> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Header::Absent,
        (Some(value), None) => Header::Once(value.as_bytes()),
        (Some(_), Some(_)) => Header::Repeated,
    }
}

/// The parameter of a path with one. What is not even well-formed does not exist: 404.
pub(in crate::http::api) struct Id<T>(pub(in crate::http::api) T);

impl<T: FromStr> FromRequestParts<Server> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, server)
            .await
            .map_err(|_| ApiError::NotFound)?;
        text.parse().map(Self).map_err(|_| ApiError::NotFound)
    }
}

/// The parameters of a path with two.
pub(in crate::http::api) struct Ids<A, B>(pub(in crate::http::api) A, pub(in crate::http::api) B);

impl<A: FromStr, B: FromStr> FromRequestParts<Server> for Ids<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, ApiError> {
        let Path((a, b)) = Path::<(String, String)>::from_request_parts(parts, server)
            .await
            .map_err(|_| ApiError::NotFound)?;
        match (a.parse(), b.parse()) {
            (Ok(a), Ok(b)) => Ok(Self(a, b)),
            _ => Err(ApiError::NotFound),
        }
    }
}
