//! Headers that tell browsers what an answer of ours may never do.

use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, Entry, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::http::assets::Asset;

/// Our own stylesheet and logo, and nothing else: no scripts, no frames, nothing from elsewhere,
/// so that what a developer writes about an app cannot load anything.
///
/// There is no `form-action`: Chromium applies it to the redirects after a form, too, and those
/// end at the apps.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);
/// The one page that apps have in frames: only its own script, which tells them nothing but whether
/// something changed.
pub(in crate::http) const FRAME_POLICY: &str =
    "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors *";
/// Two years. Source: RFC 6797 section 6.1.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Lets a page have one script of `origin`, which the policy names by its address; all else is as
/// for every page. Source: CSP Level 3 section 6.7.2.8.
pub(in crate::http) fn allow_script(headers: &mut HeaderMap, origin: &str, script: &Asset) {
    let policy = format!(
        "default-src 'none'; script-src {origin}{}; style-src 'self'; img-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
        script.path()
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Adds them to every answer; pages get more.
///
/// For `tower::util::MapResponseLayer`, which costs no allocation.
pub fn adder(https: bool) -> impl Fn(Response) -> Response + Clone {
    move |mut answer| {
        protect(answer.headers_mut(), https);
        answer
    }
}

fn protect(headers: &mut HeaderMap, https: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, TRANSPORT);
    }
    let is_page =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let may_be_framed =
            headers.get(CONTENT_SECURITY_POLICY).is_some_and(|policy| policy == FRAME_POLICY);
        if !may_be_framed {
            headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
        if let Entry::Vacant(policy) = headers.entry(CONTENT_SECURITY_POLICY) {
            policy.insert(PAGE_POLICY);
        }
    }
    if let Entry::Vacant(cache) = headers.entry(CACHE_CONTROL) {
        cache.insert(HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(kind: &'static str, https: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        protect(&mut headers, https);
        headers
    }

    #[test]
    fn case_14_a_page_is_never_framed_nor_scripted() {
        let page = protected("text/html; charset=utf-8", true);
        let policy = page[CONTENT_SECURITY_POLICY].to_str().unwrap();

        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(page[X_FRAME_OPTIONS], "DENY");
        assert_eq!(page[REFERRER_POLICY], "no-referrer");
        assert_eq!(page[CACHE_CONTROL], "no-store");
        assert!(page.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn case_14_a_page_with_a_script_names_this_one_alone() {
        let mut headers = HeaderMap::new();
        allow_script(&mut headers, "https://id.example", &crate::http::assets::FORM_POST);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();

        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("script-src https://id.example/assets/form_post.js;"), "{policy}");
    }

    #[test]
    fn other_answers_get_less_and_keep_what_they_say() {
        let mut json = protected("application/json", false);

        assert!(!json.contains_key(CONTENT_SECURITY_POLICY));
        assert!(!json.contains_key(STRICT_TRANSPORT_SECURITY));
        assert_eq!(json[X_CONTENT_TYPE_OPTIONS], "nosniff");
        json.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        protect(&mut json, false);
        assert_eq!(json[CACHE_CONTROL], "max-age=60");
    }
}
