//! The demo app: a single-page client on an origin of its own. Only `narthex demo` serves it.
//!
//! It stands for somebody else's app: it knows Narthex by its public endpoints alone. What it
//! shows beyond an app is the list of the demo's users with their current codes, and the letters that
//! the demo's server wrote.

use std::fmt;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::{Value, json};

use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::config::model::Issuer;
use crate::mail::read::newest;
use crate::users::totp::TotpSecret;

/// A user of the demo.
#[derive(Debug)]
pub struct Person {
    /// The name to sign in with.
    pub username: String,
    /// Who they are, in a sentence.
    pub about: String,
    /// Their password.
    pub password: Secret,
    /// What their codes are made of.
    pub totp: Option<TotpSecret>,
}

impl Person {
    /// The code that is good now.
    pub fn code(&self, clock: &dyn Clock) -> String {
        self.totp.as_ref().map(|totp| totp.code_at(clock.now())).unwrap_or_default()
    }
}

/// What the demo app needs to know.
pub struct DemoApp {
    /// The server that it signs people in with.
    pub issuer: Issuer,
    /// What `/config.json` says: the client ids, scopes and accounts.
    pub settings: Value,
    /// The users.
    pub people: Vec<Person>,
    /// The time, for the codes.
    pub clock: Arc<dyn Clock>,
    /// Where the server's letters are kept, unless they leave.
    pub letters: Option<PathBuf>,
}

impl fmt::Debug for DemoApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DemoApp({})", self.issuer)
    }
}

/// Most letters that the page shows.
const LETTERS_MAX: usize = 50;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files of the app: path, type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("../../static/demo/index.html")),
    ("/callback", HTML, include_str!("../../static/demo/index.html")),
    ("/codes", HTML, include_str!("../../static/demo/codes.html")),
    ("/demo.js", SCRIPT, include_str!("../../static/demo/demo.js")),
    ("/oauth.js", SCRIPT, include_str!("../../static/demo/oauth.js")),
    ("/mails", HTML, include_str!("../../static/demo/mails.html")),
    ("/mails.js", SCRIPT, include_str!("../../static/demo/mails.js")),
    ("/codes.js", SCRIPT, include_str!("../../static/demo/codes.js")),
    ("/style.css", "text/css; charset=utf-8", include_str!("../../static/demo/style.css")),
    ("/icon.svg", "image/svg+xml", include_str!("../../static/demo/icon.svg")),
];

/// Everything that the demo app's origin answers.
pub fn router(app: DemoApp) -> Router {
    let policy = content_security_policy(&app.issuer);
    let mut router = Router::new();
    for (path, kind, text) in FILES {
        router = router.route(path, get(|| async { ([(CONTENT_TYPE, *kind)], *text) }));
    }
    router
        .route("/config.json", get(settings))
        .route("/codes.json", get(codes))
        .route("/mails.json", get(mails))
        .with_state(Arc::new(app))
        .layer(axum::middleware::map_response(move |answer| ready(protect(answer, policy.clone()))))
}

/// Own files, and requests to Narthex: nothing else is loaded, run or framed.
fn content_security_policy(issuer: &Issuer) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {issuer}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn protect(mut answer: Response, policy: HeaderValue) -> Response {
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn settings(State(app): State<Arc<DemoApp>>) -> Response {
    Json(app.settings.clone()).into_response()
}

async fn codes(State(app): State<Arc<DemoApp>>) -> Response {
    let person = |person: &Person| {
        json!({
            "username": person.username,
            "about": person.about,
            "password": person.password.reveal(),
            "code": person.code(app.clock.as_ref()),
        })
    };
    let people: Vec<Value> = app.people.iter().map(person).collect();
    let seconds_left = 30 - app.clock.now().timestamp().rem_euclid(30);
    Json(json!({ "people": people, "seconds_left": seconds_left })).into_response()
}

async fn mails(State(app): State<Arc<DemoApp>>) -> Response {
    let folder = app.letters.clone();
    let read = move || folder.map(|folder| newest(&folder, LETTERS_MAX)).transpose();
    let mut letters = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(letters)) => letters.unwrap_or_default(),
        // The page asks again in a second.
        _ => Vec::new(),
    };
    letters.reverse();
    Json(json!({ "mails": letters })).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::base::clock::{ManualClock, from_micros};

    async fn get_from_app(path: &str) -> (u16, HeaderValue, String) {
        let person = Person {
            username: "ada".to_owned(),
            about: "Administrator".to_owned(),
            password: Secret::presented("analytical-engine"),
            totp: TotpSecret::from_bytes(b"12345678901234567890"),
        };
        let app = DemoApp {
            issuer: Issuer::parse("http://127.0.0.1:8080").unwrap(),
            settings: json!({ "issuer": "http://127.0.0.1:8080" }),
            people: vec![person],
            clock: Arc::new(ManualClock::at(from_micros(59_000_000))),
            letters: Some("nowhere".into()),
        };
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let answer = router(app).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].clone();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, policy, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_file_is_served_under_a_strict_policy() {
        for (path, _, text) in FILES {
            let (status, policy, body) = get_from_app(path).await;
            assert_eq!((status, body.as_str()), (200, *text), "{path}");
            assert!(policy.to_str().unwrap().contains("script-src 'self';"));
        }
        assert_eq!(get_from_app("/nowhere").await.0, 404);
    }

    #[tokio::test]
    async fn codes_are_those_of_the_clock() {
        let (_, _, body) = get_from_app("/codes.json").await;
        let body: Value = serde_json::from_str(&body).unwrap();

        // RFC 6238 appendix B, the last six digits.
        assert_eq!(body["people"][0]["code"], "287082");
        assert_eq!(body["seconds_left"], 1);
    }

    #[tokio::test]
    async fn without_letters_there_are_none() {
        assert_eq!(get_from_app("/mails.json").await.2, "{\"mails\":[]}");
    }

    #[test]
    fn pages_hold_no_inline_code_and_load_nothing_from_elsewhere() {
        for (path, kind, text) in FILES {
            let foreign = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!foreign.contains("//cdn") && !foreign.contains("https://"), "{path}");
            if *kind == HTML {
                assert!(!text.contains("style=") && !text.contains("onclick"), "{path}");
                assert!(!text.contains("<script>"), "{path}");
            }
        }
    }
}
