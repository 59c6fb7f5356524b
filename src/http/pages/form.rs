//! What comes in with a page: the number of the authorization, and the fields of our own forms.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::base::id::{BadId, GrantId};
use crate::http::pages;
use crate::oauth::params::{BadParams, Params};
use crate::server::Server;

const BODY_BYTES_MAX: usize = 16 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
const FETCH_SITE: &str = "sec-fetch-site";

/// The query of a page: which authorization it is for.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct ForGrant(pub Option<GrantId>);

impl FromRequestParts<Server> for ForGrant {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Response> {
        let query = parts.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes()).map_err(|_| bad_link())?;
        grant_of(&params).map(Self).map_err(|_| bad_link())
    }
}

/// The query of a page that a link of a letter opens: its secret, and perhaps an authorization.
#[derive(Clone, Debug)]
pub(in crate::http) struct Opened {
    /// The secret of the link.
    pub token: Option<String>,
    /// Which authorization the page is for.
    pub grant: Option<GrantId>,
}

impl FromRequestParts<Server> for Opened {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Response> {
        let query = parts.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes()).map_err(|_| bad_link())?;
        let grant = grant_of(&params).map_err(|_| bad_link())?;
        Ok(Self { token: params.get("token").map(str::to_owned), grant })
    }
}

fn grant_of(params: &Params) -> Result<Option<GrantId>, BadId> {
    params.get("grant").map(str::parse).transpose()
}

fn bad_link() -> Response {
    pages::error(StatusCode::BAD_REQUEST, "error-link")
}

/// The fields of a form that one of our own pages sent.
#[derive(Debug)]
pub(in crate::http) struct Form {
    params: Params,
    /// Which authorization it is for.
    pub grant: Option<GrantId>,
}

impl Form {
    /// A field that is not empty.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }
}

impl FromRequest<Server> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        if is_from_elsewhere(&parts.headers, server.config.issuer.origin()) {
            return Err(not_ours());
        }
        if !is_form(&parts.headers) || parts.uri.query().is_some() {
            return Err(bad_form("the form came in a shape that our pages do not send"));
        }
        let Ok(bytes) = to_bytes(body, BODY_BYTES_MAX).await else {
            return Err(pages::error(StatusCode::PAYLOAD_TOO_LARGE, "error-form-long"));
        };
        let params =
            Params::parse(&bytes).map_err(|error: BadParams| bad_form(error.description()))?;
        let grant = grant_of(&params).map_err(|_| bad_link())?;
        Ok(Self { params, grant })
    }
}

fn bad_form(reason: &'static str) -> Response {
    tracing::debug!(reason, "a form is refused");
    pages::error(StatusCode::BAD_REQUEST, "error-form")
}

/// The page for a form without the right token, or from elsewhere.
pub(in crate::http) fn not_ours() -> Response {
    pages::error(StatusCode::FORBIDDEN, "error-too-old")
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let kind = kinds.next().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    kinds.next().is_none() && essence.eq_ignore_ascii_case(FORM)
}

/// Whether another site made the browser send this.
///
/// `Sec-Fetch-Site` is the better witness, because with `Referrer-Policy: no-referrer` browsers
/// say `Origin: null` of our own forms. Whoever sends neither still needs the form's token.
/// Source: W3C Fetch Metadata section 2.3, RFC 6454 section 7.3.
fn is_from_elsewhere(headers: &HeaderMap, own: &str) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    headers.get_all(ORIGIN).iter().any(|origin| origin != own && origin != "null")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn case_44_forms_from_elsewhere_are_refused() {
        let elsewhere = |pairs: &[_]| is_from_elsewhere(&headers(pairs), "https://id.example.org");

        assert!(elsewhere(&[("sec-fetch-site", "cross-site")]));
        assert!(elsewhere(&[("sec-fetch-site", "same-site")]));
        assert!(elsewhere(&[("origin", "https://evil.test")]));
        assert!(elsewhere(&[("origin", "https://id.example.org.evil.test")]));
        assert!(elsewhere(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://id.example.org")
        ]));
        assert!(!elsewhere(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!elsewhere(&[("origin", "https://id.example.org")]));
        assert!(!elsewhere(&[]));
    }

    #[test]
    fn a_form_is_urlencoded_and_says_so_once() {
        let form = |pairs: &[_]| is_form(&headers(pairs));

        assert!(form(&[("content-type", "application/x-www-form-urlencoded")]));
        assert!(form(&[("content-type", "Application/X-WWW-Form-URLencoded; charset=UTF-8")]));
        assert!(!form(&[("content-type", "text/plain")]));
        assert!(!form(&[("content-type", "application/x-www-form-urlencodedx")]));
        assert!(!form(&[("content-type", FORM), ("content-type", FORM)]));
        assert!(!form(&[]));
    }
}
