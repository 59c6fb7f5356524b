//! The page that makes a browser send an authorization response as a form.
//!
//! It has the one script of all pages, which its policy names by its hash; without scripts there
//! is a button. Source: OAuth 2.0 Form Post Response Mode section 2, CSP Level 3 section 2.3.1.

use std::sync::LazyLock;

use askama::Template;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::base::secret::Digest;
use crate::http::pages;
use crate::http::pages::templates::Site;
use crate::server::Server;

const SCRIPT: &str = "document.forms[0].submit()";

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = STANDARD.encode(Digest::of(SCRIPT.as_bytes()).0);
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; style-src 'self'; img-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// `templates/form_post.html`.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
struct FormPostPage {
    site: Site,
    action: String,
    fields: Vec<(&'static str, String)>,
    script: &'static str,
}

/// The page with a form for `action`.
pub(in crate::http::pages) fn page(
    server: &Server,
    action: String,
    fields: Vec<(&'static str, String)>,
) -> Response {
    let site = Site::of(&server.config);
    let form = FormPostPage { site, action, fields, script: SCRIPT };
    let mut answer = pages::page(StatusCode::OK, &form);
    if let Some(policy) = &*POLICY {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_08_the_form_escapes_what_it_carries_and_runs_only_its_own_script() {
        let hostile = "\"><script>alert(1)</script>&'";
        let page = FormPostPage {
            site: Site::sample(),
            action: format!("https://portal.example/cb?x={hostile}"),
            fields: vec![("code", "1.abc".to_owned()), ("state", hostile.to_owned())],
            script: SCRIPT,
        };
        let html = page.render().unwrap();

        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert!(html.contains(&format!("<script>{SCRIPT}</script>")), "{html}");
        assert!(!html.contains(hostile), "{html}");
        assert!(html.contains(r#"name="code" value="1.abc""#), "{html}");
        assert!(html.contains(r#"id="continue""#), "{html}");
        let policy = POLICY.as_ref().unwrap().to_str().unwrap();
        assert!(!policy.contains("unsafe") && policy.contains("script-src 'sha256-"), "{policy}");
    }
}
