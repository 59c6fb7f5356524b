//! `/signed-out`, and the page after signing out that has other apps do the same.
//! Source: OpenID Connect Front-Channel Logout 1.0 section 2.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::http::pages::templates::{SignedOutPage, Site};
use crate::http::pages::{broken, page};
use crate::server::Server;
use crate::words::Language;

/// `GET /signed-out`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    language: Language,
) -> Response {
    let site = Site::of(&server.config, language);
    page(StatusCode::OK, &SignedOutPage { site, frames: Vec::new(), then: None })
}

/// The page that opens `frames`, where nobody sees them, and then leads the browser on.
pub(in crate::http) fn with_frames(
    server: &Server,
    frames: Vec<String>,
    then: Option<String>,
    language: Language,
) -> Response {
    let policy = match HeaderValue::try_from(policy(&frames)) {
        Ok(policy) => policy,
        Err(error) => return broken(&error),
    };
    let site = Site::of(&server.config, language);
    let mut answer = page(StatusCode::OK, &SignedOutPage { site, frames, then });
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    answer
}

/// The policy of all pages, and besides frames of exactly these origins.
fn policy(frames: &[String]) -> String {
    let origins: BTreeSet<String> = frames
        .iter()
        .filter_map(|frame| Url::parse(frame).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect();
    let origins = origins.into_iter().collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src {origins}; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_14_only_the_apps_that_are_told_stand_in_frames() {
        let frames = ["https://a.example/out?sid=1", "https://a.example/x", "http://[::1]:81/;y"];
        let policy = policy(&frames.map(str::to_owned));

        assert!(policy.contains("frame-src http://[::1]:81 https://a.example; "), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    }
}
