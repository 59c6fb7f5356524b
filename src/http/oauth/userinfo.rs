//! `/userinfo`. Source: OpenID Connect Core section 5.3, RFC 6750.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use crate::http::client_certificate::client_certificate;
use crate::http::oauth::answer::{json, jwt, refused};
use crate::http::oauth::form;
use crate::http::proof;
use crate::oauth::access_token::TokenFault;
use crate::oauth::params::Params;
use crate::oauth::possession::{PossessionFault, ProofFault, Scheme, Shown};
use crate::oauth::sealing::SealingFault;
use crate::oauth::userinfo::{UserInfo, UserInfoError, userinfo};
use crate::server::Server;

/// Why there is no answer. Source: RFC 6750 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http::oauth) enum Refusal {
    /// No token at all.
    Missing,
    /// The request is malformed: the token comes twice, or in the URL.
    Request(&'static str),
    /// The token is not good.
    Token,
    /// The token is good, but its bearer did not show that it is theirs.
    Proof(ProofFault),
    /// The token is good, but not for this.
    Scope,
    /// Our fault.
    Internal,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
        let (status, code, text, challenge) = match self {
            Self::Missing => (
                UNAUTHORIZED,
                "invalid_token",
                "an access token is missing",
                "Bearer realm=\"narthex\"",
            ),
            Self::Request(text) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                text,
                "Bearer realm=\"narthex\", error=\"invalid_request\"",
            ),
            Self::Token => (
                UNAUTHORIZED,
                "invalid_token",
                "the access token is invalid, expired or revoked",
                "Bearer realm=\"narthex\", error=\"invalid_token\", \
                 error_description=\"the access token is invalid, expired or revoked\"",
            ),
            Self::Scope => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                "the scope openid is missing",
                "Bearer realm=\"narthex\", error=\"insufficient_scope\", scope=\"openid\"",
            ),
            Self::Proof(fault) => {
                let mut response = refused(UNAUTHORIZED, fault.code(), &fault.to_string());
                proof::challenge(&mut response, &fault);
                return response;
            }
            Self::Internal => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return refused(status, "server_error", "the server failed");
            }
        };
        let mut response = refused(status, code, text);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}

/// `GET /userinfo` and `POST /userinfo`.
///
/// # Errors
/// [`Refusal`], which is its own response.
pub(in crate::http::oauth) async fn handle(
    State(server): State<Server>,
    request: Request,
) -> Response {
    match answer(&server, request).await {
        Ok(response) => response,
        Err(refusal) => {
            let mut response = refusal.into_response();
            proof::name_resource(&mut response, &server.config.issuer);
            response
        }
    }
}

async fn answer(server: &Server, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (scheme, token) = bearer(&parts, body).await?;
    let certificate = client_certificate(&parts.headers, &parts.extensions, &server.config);
    let shown = Shown {
        token: &token,
        scheme,
        proof: proof::proof(&parts.headers),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        certificate: certificate.as_ref(),
        elsewhere: None,
    };
    match userinfo(&server.oauth, &shown).await {
        Ok(UserInfo::Plain(claims)) => Ok(json(StatusCode::OK, &claims)),
        Ok(UserInfo::Jwt(token)) => Ok(jwt(token)),
        Err(UserInfoError::Sealing(SealingFault::NoKey(reason))) => {
            tracing::info!(reason, "userinfo could not be encrypted");
            Err(Refusal::Request("the app has no key to which the answer can be encrypted"))
        }
        Err(UserInfoError::Sealing(fault)) => {
            tracing::warn!(%fault, "userinfo could not be signed or encrypted");
            Err(Refusal::Internal)
        }
        Err(UserInfoError::Scope) => Err(Refusal::Scope),
        Err(UserInfoError::Token(PossessionFault::Proof(fault))) => Err(Refusal::Proof(fault)),
        Err(UserInfoError::Token(PossessionFault::Token(TokenFault::Invalid(reason)))) => {
            tracing::debug!(reason, "userinfo refused");
            Err(Refusal::Token)
        }
        Err(UserInfoError::Token(PossessionFault::Token(TokenFault::Internal(error)))) => {
            tracing::error!(%error, "userinfo failed");
            Err(Refusal::Internal)
        }
    }
}

/// The one token of a request: in the header, or in a form body; never in the URL, where logs
/// would keep it. Source: RFC 6750 section 2, RFC 9700 section 4.3.2.
async fn bearer(parts: &Parts, body: Body) -> Result<(Scheme, String), Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let in_url = Params::parse(query.as_bytes()).is_ok_and(|params| params.has("access_token"))
        || query.contains("access_token=");
    if in_url {
        return Err(Refusal::Request("the access token must not stand in the URL"));
    }
    let header =
        form::authorization(&parts.headers).map_err(|bad| Refusal::Request(bad.description()))?;
    let in_header = match &header {
        Some(field) => Some(after_scheme(field)?),
        None => None,
    };
    let in_body = if parts.method == Method::POST && form::is_form(&parts.headers) {
        let params = form::read(&parts.headers, body)
            .await
            .map_err(|bad| Refusal::Request(bad.description()))?;
        params.get("access_token").map(str::to_owned)
    } else {
        None
    };
    match (in_header, in_body) {
        (Some(_), Some(_)) => Err(Refusal::Request("the access token comes twice")),
        (Some((scheme, token)), None) => Ok((scheme, token.to_owned())),
        (None, Some(token)) => Ok((Scheme::Bearer, token)),
        (None, None) => Err(Refusal::Missing),
    }
}

/// What follows the scheme `Bearer` or `DPoP`, in any case. Source: RFC 9110 section 11.1.
fn after_scheme(field: &str) -> Result<(Scheme, &str), Refusal> {
    let (scheme, token) = field.split_once(' ').ok_or(Refusal::Missing)?;
    let token = token.trim_matches(' ');
    let scheme = Scheme::parse(scheme.as_bytes()).filter(|_| !token.is_empty());
    Ok((scheme.ok_or(Refusal::Missing)?, token))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::{AUTHORIZATION, CONTENT_TYPE};

    use super::*;

    async fn check(
        method: Method,
        uri: &str,
        headers: &[&str],
        body: &'static str,
        expected: Result<&str, Refusal>,
    ) {
        let mut request = Request::builder().method(method).uri(uri);
        for header in headers {
            request = request.header(AUTHORIZATION, *header);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Body::from(body)).unwrap();
        let (parts, body) = request.into_parts();
        let found = bearer(&parts, body).await.map(|(_, token)| token);
        assert_eq!(found, expected.map(str::to_owned), "{uri} {headers:?}");
    }

    #[tokio::test]
    async fn case_68_a_token_comes_once_and_never_in_the_url() {
        let twice = Err(Refusal::Request("the access token comes twice"));
        let in_url = Err(Refusal::Request("the access token must not stand in the URL"));
        let one_header = Err(Refusal::Request("Authorization must come once, as plain text"));
        let (get, post) = (Method::GET, Method::POST);
        check(get.clone(), "/userinfo", &["Bearer abc"], "", Ok("abc")).await;
        check(get.clone(), "/userinfo", &["bEARER  abc"], "", Ok("abc")).await;
        check(post.clone(), "/userinfo", &[], "access_token=abc", Ok("abc")).await;
        check(post.clone(), "/userinfo", &["Bearer abc"], "", Ok("abc")).await;
        check(post, "/userinfo", &["Bearer abc"], "access_token=abc", twice).await;
        check(get.clone(), "/userinfo?access_token=abc", &[], "", in_url.clone()).await;
        check(get.clone(), "/userinfo?access%5Ftoken=abc", &["Bearer abc"], "", in_url).await;
        check(get.clone(), "/userinfo", &["Bearer abc", "Bearer abc"], "", one_header).await;
        check(get.clone(), "/userinfo", &["Basic abc"], "", Err(Refusal::Missing)).await;
        check(get.clone(), "/userinfo", &["Bearer "], "", Err(Refusal::Missing)).await;
        check(get, "/userinfo", &[], "", Err(Refusal::Missing)).await;
    }
}
