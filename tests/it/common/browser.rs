//! A browser without a screen: keeps cookies, follows no redirect unless told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};

use crate::common::answer::Answer;
use crate::common::form::Form;

/// One browser (or, without its cookies, one HTTP client). A clone shares the cookies.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    base: String,
    cookies: Arc<Mutex<BTreeMap<String, Cookie>>>,
}

/// A cookie as the server set it.
#[derive(Clone, Debug)]
pub struct Cookie {
    /// The value.
    pub value: String,
    /// The whole `Set-Cookie` line, for tests that look at its attributes.
    pub line: String,
}

impl Browser {
    /// A browser without cookies, which takes paths relative to `base`.
    pub fn new(base: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build();
        Self::over(client.expect("a client"), base)
    }

    /// A browser over a client of one's own.
    pub fn over(client: Client, base: &str) -> Self {
        Self { client, base: base.to_owned(), cookies: Arc::default() }
    }

    /// Sends a request with these header fields and this body, and keeps the cookies it is given.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let url = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.into() };
        let mut fields = HeaderMap::new();
        let jar = self.cookie_header();
        if !jar.is_empty() {
            fields.insert(COOKIE, HeaderValue::from_str(&jar).expect("a cookie header"));
        }
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a header name");
            fields.append(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let request = self.client.request(method, url).headers(fields).body(body);
        let answer = Answer::read(request.send().await.expect("the server answers")).await;
        self.keep_cookies(&answer);
        answer
    }

    /// `GET` of a path or URL.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// `GET` with header fields.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, "").await
    }

    /// `POST` of a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, &[], fields).await
    }

    /// `POST` of a form to a server that may die meanwhile: `None` if no whole answer came.
    pub async fn try_post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Option<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::try_read(request.send().await.ok()?).await.ok()
    }

    /// `POST` of a form with header fields.
    pub async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send(Method::POST, path, &[&[kind], headers].concat(), body).await
    }

    /// `POST` of JSON with header fields.
    pub async fn post_json(&self, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
        let kind = ("content-type", "application/json");
        self.send(Method::POST, path, &[&[kind], headers].concat(), body).await
    }

    /// Follows redirects as long as they stay on the server; the last answer is a page, or leads
    /// to another site.
    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            let here = url::Url::parse(&answer.url).expect("a URL");
            let Ok(next) = here.join(answer.location()) else { return answer };
            if answer.location().is_empty() || !next.as_str().starts_with(&self.base) {
                return answer;
            }
            answer = self.get(next.as_str()).await;
        }
        panic!("more than ten redirects: {answer:?}");
    }

    /// Sends a form of a page, with `fields` over those that it holds, from this origin as a
    /// browser does, and follows redirects on the server.
    pub async fn submit(&self, page: &Answer, form: &Form, fields: &[(&str, &str)]) -> Answer {
        let mut all = form.fields.clone();
        for (name, value) in fields {
            all.retain(|(held, _)| held != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let pairs: Vec<_> = all.iter().map(|(name, value)| (&**name, &**value)).collect();
        let target = url::Url::parse(&page.url).expect("a URL").join(&form.action).expect("a URL");
        let headers = [("origin", self.base.as_str()), ("sec-fetch-site", "same-origin")];
        let answer = self.post_with(target.as_str(), &headers, &pairs).await;
        self.follow(answer).await
    }

    /// A cookie by its name.
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies.lock().expect("cookies").get(name).cloned()
    }

    /// All cookies by their names.
    pub fn cookies(&self) -> BTreeMap<String, Cookie> {
        self.cookies.lock().expect("cookies").clone()
    }

    /// Puts a cookie in place, as an attacker or a backup would.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let cookie = Cookie { value: value.to_owned(), line: String::new() };
        self.cookies.lock().expect("cookies").insert(name.to_owned(), cookie);
    }

    fn cookie_header(&self) -> String {
        let jar = self.cookies.lock().expect("cookies");
        jar.iter().map(|(name, it)| format!("{name}={}", it.value)).collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&self, answer: &Answer) {
        let mut jar = self.cookies.lock().expect("cookies");
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("a cookie of text").to_owned();
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            if value.is_empty() || line.to_lowercase().contains("max-age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), Cookie { value: value.to_owned(), line: line.clone() });
            }
        }
    }
}
