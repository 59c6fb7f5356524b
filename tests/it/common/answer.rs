//! What came back, and how it is compared: one line of text, with everything random redacted.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer of the server, read to its end.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body; what is not UTF-8 is replaced.
    pub body: String,
    /// The URL that was asked, for relative redirects.
    pub url: String,
}

impl Answer {
    /// Reads a response to its end.
    pub async fn read(response: reqwest::Response) -> Self {
        Self::try_read(response).await.expect("a body")
    }

    /// Reads a response to its end, if it has one.
    pub async fn try_read(response: reqwest::Response) -> reqwest::Result<Self> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            url: response.url().to_string(),
            body: String::from_utf8_lossy(&response.bytes().await?).into_owned(),
        })
    }

    /// A header field; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("(not text)"))
    }

    /// Where it redirects to; empty when it does not.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// One parameter of the query or fragment that it redirects with.
    pub fn location_param(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.url).ok()?.join(self.location()).ok()?;
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A text field of the JSON body; empty when absent.
    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        self.json().get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The refusal in short: `400 invalid_grant`, `403 insufficient_scope` (the API's reason),
    /// `303 login_required` (told to the app by redirect), `400 page`.
    pub fn refusal(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let named = ["reason", "error"].iter().find_map(|field| json.get(field)?.as_str());
        let told = match named {
            Some(name) => name.to_owned(),
            None if self.header("content-type").starts_with("text/html") => "page".to_owned(),
            None => self.location_param("error").unwrap_or_default(),
        };
        format!("{} {told}", self.status)
    }

    /// Fails the test unless the status is `expected`.
    #[track_caller]
    pub fn expect(self, expected: u16) -> Self {
        assert_eq!(self.status, expected, "{self:?}");
        self
    }

    /// The answer as one line: status, where it redirects to, body; secrets redacted by shape.
    pub fn line(&self) -> String {
        let mut parts = vec![self.status.to_string()];
        if !self.location().is_empty() {
            parts.push(format!("-> {}", self.location()));
        }
        if !self.header("www-authenticate").is_empty() {
            parts.push(format!("[{}]", self.header("www-authenticate")));
        }
        if self.header("content-type").starts_with("text/html") {
            parts.push(format!("page: {}", heading(&self.body)));
        } else if !self.body.is_empty() {
            parts.push(self.body.clone());
        }
        redact(&parts.join(" "))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {} {} {}", self.url, self.status, self.location(), self.body)
    }
}

/// The text of the first `<h1>`.
fn heading(html: &str) -> String {
    let inner = html.split("<h1").nth(1).and_then(|rest| rest.split_once('>'));
    let text = inner.and_then(|(_, rest)| rest.split("</h1>").next()).unwrap_or("(no heading)");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Replaces what differs from run to run by what it is.
pub fn redact(text: &str) -> String {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !part_of_word(c)).unwrap_or(rest.len());
        out += named(&rest[..word]);
        let gap = rest[word..].find(part_of_word).unwrap_or(rest.len() - word);
        out += &rest[word..word + gap];
        rest = &rest[word + gap..];
    }
    let mut out = out.replace("http://127.0.0.1:<port>", "<issuer>");
    while let Some((before, after)) = out.split_once("http://127.0.0.1:") {
        let port = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        out = format!("{before}<issuer>{}", &after[port..]);
    }
    out
}

fn named(word: &str) -> &str {
    let parts: Vec<&str> = word.split('.').collect();
    let dashes = word.split('-').map(str::len).collect::<Vec<_>>();
    match parts.as_slice() {
        [header, _, _] if header.starts_with("ey") => "<jwt>",
        [number, .., secret] if secret.len() >= 43 && number.parse::<i64>().is_ok() => "<secret>",
        [secret] if secret.len() >= 43 && !secret.contains('~') => "<secret>",
        _ if dashes == [8, 4, 4, 4, 12] => "<id>",
        _ => word,
    }
}

#[test]
fn a_line_shows_what_matters_and_hides_what_is_random() {
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
    let secret = "17.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    let line = redact(&format!("{{\"a\":\"{jwt}\",\"b\":\"{secret}\"}} http://127.0.0.1:81/x?y=é"));

    assert_eq!(line, r#"{"a":"<jwt>","b":"<secret>"} <issuer>/x?y=é"#);
}
