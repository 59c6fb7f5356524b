//! One kept connection to the server: as little work per request as an HTTP client can do.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Host and port to connect to.
    address: String,
    /// What the `Host` header says.
    host: HeaderValue,
}

impl Site {
    /// Reads `http://HOST:PORT`.
    ///
    /// # Errors
    /// Another scheme, or not a URL with a host.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url:?} is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            bail!("the load program speaks http only: give the address behind the TLS proxy");
        }
        if !matches!(uri.path(), "" | "/") {
            bail!("{url:?} must be scheme, host and port only");
        }
        let authority = uri.authority().with_context(|| format!("{url:?} has no host"))?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            address: format!("{}:{port}", authority.host()),
            host: HeaderValue::from_str(authority.as_str())?,
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.address)
    }
}

/// Why a request did not do what it should. Holds no secret: answers are quoted only if refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Fault {
    /// What an answer said, that is not the one expected.
    pub fn unexpected(asked: &str, answer: &Answer) -> Self {
        // A success may hold tokens; a refusal tells why.
        let detail = if answer.status.is_success() || answer.status.is_redirection() {
            answer.location().map_or("", |location| location.split('?').next().unwrap_or_default())
        } else {
            std::str::from_utf8(&answer.body).unwrap_or("(not text)")
        };
        let detail: String =
            detail.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
        Self(format!("{asked}: answered {} {detail}", answer.status.as_u16()).trim_end().to_owned())
    }
}

/// A request that can be sent again and again.
#[derive(Clone, Debug)]
pub struct Template {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Template {
    /// A GET of `path`, which may have a query.
    ///
    /// # Errors
    /// `path` cannot stand in a request.
    pub fn get(path: &str) -> anyhow::Result<Self> {
        let uri = path.parse().with_context(|| format!("{path:?} cannot be asked for"))?;
        Ok(Self { method: Method::GET, uri, headers: HeaderMap::new(), body: Bytes::new() })
    }

    /// A POST of a form.
    ///
    /// # Errors
    /// `path` cannot stand in a request.
    pub fn post(path: &str, form: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut template = Self::get(path)?;
        template.method = Method::POST;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        template.headers.insert(CONTENT_TYPE, form_type);
        template.set_form(form);
        Ok(template)
    }

    /// A POST of JSON.
    ///
    /// # Errors
    /// `path` cannot stand in a request.
    pub fn post_json(path: &str, body: &serde_json::Value) -> anyhow::Result<Self> {
        let mut template = Self::post(path, &[])?;
        let json = HeaderValue::from_static("application/json");
        template.headers.insert(CONTENT_TYPE, json);
        template.body = Bytes::from(body.to_string());
        Ok(template)
    }

    /// Asks for another path.
    ///
    /// # Errors
    /// `path` cannot stand in a request.
    pub fn set_path(&mut self, path: String) -> Result<(), Fault> {
        self.uri = path.try_into().map_err(|_| Fault("not a path".to_owned()))?;
        Ok(())
    }

    /// Sends another form.
    pub fn set_form(&mut self, form: &[(&str, &str)]) {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.body = Bytes::from(text);
    }

    /// With one more header. The value is marked as sensitive.
    ///
    /// # Errors
    /// `value` cannot stand in a header.
    pub fn with(mut self, name: &'static str, value: &str) -> anyhow::Result<Self> {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// The path with its query.
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// For error messages: the method and the path without the query.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.uri.path())
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Where a redirect leads.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// Whether the body contains this text.
    pub fn says(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// A connection, opened when it is needed and kept.
#[derive(Debug)]
pub struct Client {
    site: Site,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(site: &Site) -> Self {
        Self { site: site.clone(), sender: None }
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection cannot be opened or breaks, or the answer takes too long.
    pub async fn send(&mut self, template: &Template) -> Result<Answer, Fault> {
        let exchange = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(template)).await;
        let result = exchange.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        result.map_err(|problem| {
            self.sender = None;
            Fault(format!("{}: {problem}", template.label()))
        })
    }

    async fn exchange(&mut self, template: &Template) -> Result<Answer, String> {
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(&self.site).await?,
        };
        let mut request = Request::new(Full::new(template.body.clone()));
        request.method_mut().clone_from(&template.method);
        request.uri_mut().clone_from(&template.uri);
        request.headers_mut().clone_from(&template.headers);
        request.headers_mut().insert(HOST, self.site.host.clone());
        sender.ready().await.map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

async fn connect(site: &Site) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(&site.address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        // Whoever waits for an answer on it hears of its end.
        let _ = connection.await;
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn a_site_is_http_host_and_port() {
        assert_eq!(Site::parse("http://127.0.0.1:8080").unwrap().address, "127.0.0.1:8080");
        assert_eq!(Site::parse("http://[::1]:8080/").unwrap().address, "[::1]:8080");
        assert_eq!(Site::parse("http://id.test").unwrap().address, "id.test:80");
        for bad in ["https://id.test", "id.test:80", "http://id.test/x", "", "http://"] {
            assert!(Site::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_fault_quotes_refusals_but_no_tokens() {
        let refused = answer(400, r#"{"error":"invalid_grant"}"#);
        assert_eq!(
            Fault::unexpected("POST /token", &refused).to_string(),
            r#"POST /token: answered 400 {"error":"invalid_grant"}"#
        );
        let wrong = answer(200, r#"{"access_token":"s3cret"}"#);
        let fault = Fault::unexpected("POST /token", &wrong);
        assert_eq!(fault.to_string(), "POST /token: answered 200");
        let mut redirect = answer(302, "");
        let location = HeaderValue::from_static("https://app.test/cb?code=s3cret");
        redirect.headers.insert(LOCATION, location);
        let fault = Fault::unexpected("GET /authorize", &redirect);
        assert_eq!(fault.to_string(), "GET /authorize: answered 302 https://app.test/cb");
    }

    #[test]
    fn a_template_shows_no_query_and_no_credentials() {
        let template = Template::get("/authorize?state=s3cret").unwrap();
        assert_eq!(template.label(), "GET /authorize");
        let template = template.with("authorization", "Bearer s3cret").unwrap();
        assert!(!format!("{:?}", template.headers).contains("s3cret"));
    }

    #[test]
    fn a_body_says_what_it_contains() {
        let answer = answer(200, r#"{"active":true}"#);
        assert!(answer.says(r#""active":true"#));
        assert!(!answer.says("false") && !answer.says(&"x".repeat(99)));
    }
}
