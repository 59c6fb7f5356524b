//! The page that makes a browser send an authorization response as a form.
//!
//! It has the one script of all pages, which its policy names by its address; without scripts there
//! is a button. Source: OAuth 2.0 Form Post Response Mode section 2, CSP Level 3 section 6.7.2.8.

use askama::Template;
use axum::response::Response;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};

use crate::http::assets::FORM_POST;
use crate::http::pages;
use crate::http::pages::templates::Site;
use crate::server::Server;

/// The policy of all pages, and besides this one script of `origin`.
fn policy(origin: &str) -> String {
    format!(
        "default-src 'none'; script-src {origin}{}; style-src 'self'; img-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
        FORM_POST.path()
    )
}

/// `templates/form_post.html`.
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
struct FormPostPage {
    site: Site,
    action: String,
    fields: Vec<(&'static str, String)>,
    script: String,
}

/// The page with a form for `action`.
pub(in crate::http::pages) fn page(
    server: &Server,
    action: String,
    fields: Vec<(&'static str, String)>,
) -> Response {
    let config = server.config.clone();
    let mut answer = pages::page_in_any_language(StatusCode::OK, move |language| FormPostPage {
        site: Site::of(&config, language),
        action: action.clone(),
        fields: fields.clone(),
        script: FORM_POST.href(),
    });
    // Without it the page has the policy of all others, and its button.
    if let Ok(policy) = HeaderValue::try_from(policy(server.config.issuer.origin())) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
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
            script: FORM_POST.href(),
        };
        let html = page.render().unwrap();

        assert_eq!(html.matches("<script").count(), 1, "{html}");
        assert!(html.contains("<script src=\"/assets/form_post.js?v="), "{html}");
        assert!(!html.contains(hostile), "{html}");
        assert!(html.contains(r#"name="code" value="1.abc""#), "{html}");
        assert!(html.contains(r#"id="continue""#), "{html}");
        let policy = policy("https://id.example");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("script-src https://id.example/assets/form_post.js;"), "{policy}");
    }
}
