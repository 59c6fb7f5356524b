//! Requests byte by byte, for what no HTTP library would send.

use std::fmt;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::server::TestServer;

/// A request as bytes.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub target: Vec<u8>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Request {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = [self.method.as_bytes(), b" ", &self.target, b" HTTP/1.1\r\n"].concat();
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| *name == wanted);
        if !has("host") {
            out.extend(b"host: test\r\n");
        }
        if !has("content-length") && self.method == "POST" {
            out.extend(format!("content-length: {}\r\n", self.body.len()).bytes());
        }
        for (name, value) in &self.headers {
            out.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        out.extend(b"connection: close\r\n\r\n");
        out.extend(&self.body);
        out
    }
}

/// An answer, taken apart by hand.
#[derive(Clone)]
pub struct Raw {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Raw {
    /// A header field; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value)
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Self { status: status.unwrap_or(0), headers, body: body.to_owned() }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = self.body.chars().take(300).collect();
        write!(f, "{} {:?} {body}", self.status, self.headers)
    }
}

impl TestServer {
    /// Sends a request as it is. A server that hangs up without a word has refused: that counts
    /// as an empty 400.
    pub async fn send(&self, request: &Request) -> Raw {
        let text = self.raw(&request.to_bytes()).await;
        if text.is_empty() {
            return Raw { status: 400, headers: Vec::new(), body: String::new() };
        }
        Raw::parse(&text)
    }

    /// Sends bytes as they are and reads until the server closes. End the head with
    /// `connection: close`.
    pub async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        // The server may close while we still write: what it said before counts.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let patience = std::time::Duration::from_secs(3);
        // A request that promises more than it sends keeps the server waiting; so do we, a while.
        let _ = tokio::time::timeout(patience, reading).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}
