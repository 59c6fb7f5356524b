//! The page that makes a browser send an authorization response as a form.
//!
//! It has the one script of all pages, which its policy names by its address; without scripts there
//! is a button. Source: OAuth 2.0 Form Post Response Mode section 2, CSP Level 3 section 6.7.2.8.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::http::assets::FORM_POST;
use crate::http::pages;
use crate::http::pages::templates::Site;
use crate::http::security_headers::allow_script;
use crate::server::Server;

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
    allow_script(answer.headers_mut(), server.config.issuer.origin(), &FORM_POST);
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
    }
}
