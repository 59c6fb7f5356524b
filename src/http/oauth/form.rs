//! Form bodies and credentials of a request, read strictly.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use crate::http::client_certificate::client_certificate;
use crate::http::oauth::answer::refused;
use crate::http::pages::params_words;
use crate::http::proof::proof;
use crate::oauth::certificate::Certificate;
use crate::oauth::error::TokenError;
use crate::oauth::params::{BadParams, Params};
use crate::oauth::possession::ProofField;
use crate::oauth::presented::Presented;
use crate::server::Server;

/// Largest form body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The media type of signed answers about tokens. Source: RFC 9701 section 5.
pub(in crate::http::oauth) const SIGNED: &str = "application/token-introspection+jwt";
const FORM: &str = "application/x-www-form-urlencoded";

/// What an app posts to the token endpoint and its neighbours.
#[derive(Debug)]
pub(in crate::http::oauth) struct AppForm {
    /// The parameters in the body; those in the URL are not looked at.
    pub(in crate::http::oauth) params: Params,
    /// The header field `Authorization`.
    pub(in crate::http::oauth) authorization: Option<String>,
    /// The header field `DPoP`.
    pub(in crate::http::oauth) dpop: Option<String>,
    /// Whether the app asks for a signed answer about a token.
    pub(in crate::http::oauth) wants_signed: bool,
    /// The certificate that the app showed.
    pub(in crate::http::oauth) certificate: Option<Certificate>,
}

impl AppForm {
    /// What the app presents at `path`.
    pub(in crate::http::oauth) fn presented(&self, path: &'static str) -> Presented<'_> {
        Presented {
            path,
            params: &self.params,
            authorization: self.authorization.as_deref(),
            dpop: self.dpop.as_deref(),
            certificate: self.certificate.as_ref(),
        }
    }
}

/// Why a form is refused. Source: RFC 6749 section 5.2.
#[derive(Debug)]
pub(in crate::http) enum BadForm {
    /// Another content type, or none.
    Type,
    /// Too large, or broken off.
    Body,
    /// Not the text of a form, or one that is repeated.
    Params(BadParams),
    /// `Authorization` twice, or not text.
    Authorization,
    /// `DPoP` twice, or not text.
    Dpop,
}

impl BadForm {
    /// What to tell the client.
    pub(in crate::http::oauth) fn description(&self) -> &'static str {
        match self {
            Self::Type => "the body must be application/x-www-form-urlencoded",
            Self::Body => "the body is too large or incomplete",
            Self::Params(bad) => bad.description(),
            Self::Authorization => "Authorization must come once, as plain text",
            Self::Dpop => "DPoP must come once, as plain text",
        }
    }

    /// The words for it on a page.
    pub(in crate::http::oauth) fn words(&self) -> &'static str {
        match self {
            Self::Params(bad) => params_words(*bad),
            Self::Body => "error-what-body",
            _ => "error-what-type",
        }
    }
}

impl IntoResponse for BadForm {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        let code = match self {
            Self::Dpop => "invalid_dpop_proof",
            _ => "invalid_request",
        };
        refused(status, code, self.description())
    }
}

impl FromRequest<Server> for AppForm {
    type Rejection = Response;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let authorization = authorization(&parts.headers).map_err(IntoResponse::into_response)?;
        let dpop = match proof(&parts.headers) {
            ProofField::Absent => None,
            ProofField::Once(text) => Some(text.to_owned()),
            ProofField::Malformed => return Err(BadForm::Dpop.into_response()),
        };
        let params = read(&parts.headers, body).await.map_err(IntoResponse::into_response)?;
        let certificate = client_certificate(&parts.headers, &parts.extensions, &server.config);
        let wants_signed = wants_signed(&parts.headers);
        Ok(Self { params, authorization, dpop, wants_signed, certificate })
    }
}

/// Whether the request asks for a signed answer, in so many words. Source: RFC 9701 section 4.
fn wants_signed(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = fields.flat_map(|field| field.split(','));
    types.any(|item| {
        let essence = item.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case(SIGNED)
    })
}

/// Whether the request says that its body is a form.
pub(in crate::http::oauth) fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let essence = first.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    second.is_none() && essence.eq_ignore_ascii_case(FORM)
}

/// The parameters of a form body.
///
/// # Errors
/// [`BadForm`].
pub(in crate::http) async fn read(headers: &HeaderMap, body: Body) -> Result<Params, BadForm> {
    if !is_form(headers) {
        return Err(BadForm::Type);
    }
    let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| BadForm::Body)?;
    Params::parse(&bytes).map_err(BadForm::Params)
}

/// The one header field `Authorization`, if there is one.
///
/// # Errors
/// [`BadForm::Authorization`].
pub(in crate::http::oauth) fn authorization(
    headers: &HeaderMap,
) -> Result<Option<String>, BadForm> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => {
            one.to_str().map(|text| Some(text.to_owned())).map_err(|_| BadForm::Authorization)
        }
        (Some(_), Some(_)) => Err(BadForm::Authorization),
    }
}

impl From<BadForm> for TokenError {
    fn from(bad: BadForm) -> Self {
        Self::InvalidRequest(bad.description())
    }
}
