//! Which language a browser gets: the one that the app asks for with `ui_locales`, or has asked for
//! (a cookie, as long as a sign-in may take), else the browser's own, else English.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};

use crate::http::cookies::Cookie;
use crate::http::pages;
use crate::http::session;
use crate::server::Server;
use crate::words::Language;

fn of(uri: &Uri, headers: &HeaderMap, https: bool) -> Language {
    let accepted = || Language::of_accept(headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?);
    let wished = || wished(headers, https);
    asked(uri).or_else(wished).or_else(accepted).unwrap_or_default()
}

/// What an app asks for right now. Source: OpenID Connect Core section 3.1.2.1, OpenID Connect
/// RP-Initiated Logout 1.0 section 2.
fn asked(uri: &Uri) -> Option<Language> {
    let query = uri.query().filter(|query| query.contains("ui_locales="))?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    Language::of_tags(&pairs.find(|(name, _)| name == "ui_locales")?.1)
}

/// What an app asked for a short while ago.
fn wished(headers: &HeaderMap, https: bool) -> Option<Language> {
    Cookie::Language.read(headers, https).and_then(Language::of_tag)
}

impl FromRequestParts<Server> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        Ok(of(&parts.uri, &parts.headers, server.config.issuer.is_https()))
    }
}

/// What the app of the last request asked for, if it asked.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Wished {
    language: Option<Language>,
    https: bool,
}

impl FromRequestParts<Server> for Wished {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        let https = server.config.issuer.is_https();
        Ok(Self { language: wished(&parts.headers, https), https })
    }
}

impl Wished {
    /// Has the pages that follow speak `language`, or, without one, the browser's own.
    pub(in crate::http) fn becomes(self, language: Option<Language>, answer: &mut Response) {
        let cookie = match language {
            Some(language) => Cookie::Language.set(language.code(), self.https),
            None if self.language.is_some() => Cookie::Language.remove(self.https),
            None => return,
        };
        session::set(answer.headers_mut(), vec![cookie]);
    }
}

/// Says error pages in the browser's language, and of every page which one that is.
///
/// Here, because faults come from everywhere: also from what never looks at the language.
pub(in crate::http) async fn speak(
    State(server): State<Server>,
    request: Request,
    next: Next,
) -> Response {
    let https = server.config.issuer.is_https();
    let language = of(request.uri(), request.headers(), https);
    spoken(next.run(request).await, language)
}

/// The answer in this language, saying so, if it is a page.
pub(in crate::http) fn spoken(answer: Response, language: Language) -> Response {
    let mut answer = pages::in_language(answer, language);
    let headers = answer.headers_mut();
    let is_page =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && !headers.contains_key(CONTENT_LANGUAGE) {
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
        headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
    }
    answer
}
