//! Requests of ours to others: the one client, and what it may reach.
//!
//! Whoever registers an app chooses URLs that this server then asks, from inside the operator's
//! network. So: https only, no private addresses whatever a name resolves to, no redirects, little
//! time, little room, and few at once. Source: RFC 9700 section 4.16 and OWASP on SSRF.

mod address;
mod resolver;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Url};
use tokio::sync::Semaphore;

use crate::config::model;
use crate::outbound::address::Allowed;
use crate::outbound::resolver::Guarded;

/// How long a whole exchange may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// Most exchanges at once; more wait for their turn, within their time.
const AT_ONCE_MAX: usize = 32;

/// The one client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    allowed: Arc<Allowed>,
    turns: Arc<Semaphore>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no answer. For our log: whoever made us ask is told that it failed, not why, or
/// they could look around in our network.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not a URL that may be asked.
    #[error("the URL may not be asked: {0}")]
    Refused(&'static str),
    /// Nobody answers there, or too late.
    #[error("there is no answer")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is too large.
    #[error("the answer is too large")]
    TooLarge,
    /// Too many exchanges are under way.
    #[error("too many requests are under way")]
    Busy,
}

/// The trusted authorities are no PEM file.
#[derive(Debug, thiserror::Error)]
#[error("outbound.ca_file is not a PEM file with certificates")]
pub struct BadAuthorities;

impl Outbound {
    /// The client that `settings` ask for.
    ///
    /// # Errors
    /// [`BadAuthorities`].
    pub fn new(settings: &model::Outbound) -> Result<Self, BadAuthorities> {
        let allowed = Arc::new(Allowed::new(&settings.allowed_hosts));
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIME_MAX)
            .connect_timeout(CONNECT_TIME_MAX)
            .pool_max_idle_per_host(2)
            .dns_resolver(Guarded::new(Arc::clone(&allowed)))
            .user_agent(concat!("narthex/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &settings.ca_file {
            let pem = fs::read(path).map_err(|_| BadAuthorities)?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|_| BadAuthorities)?;
            if authorities.is_empty() {
                return Err(BadAuthorities);
            }
            client = client.tls_certs_merge(authorities);
        }
        let client = client.build().map_err(|_| BadAuthorities)?;
        Ok(Self { client, allowed, turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) })
    }

    /// Fetches a document.
    ///
    /// # Errors
    /// [`OutboundError`]; a status that is no success is an answer, too.
    pub async fn get(&self, url: &str, accept: &'static str) -> Result<Answer, OutboundError> {
        let url = self.check(url)?;
        self.send(self.client.get(url).header(http::header::ACCEPT, accept)).await
    }

    /// [`Outbound::get`] with more header fields.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn get_with(
        &self,
        url: &str,
        accept: &'static str,
        headers: HeaderMap,
    ) -> Result<Answer, OutboundError> {
        let url = self.check(url)?;
        let request = self.client.get(url).headers(headers);
        self.send(request.header(http::header::ACCEPT, accept)).await
    }

    /// Posts a body of the given media type, with more header fields if need be.
    ///
    /// # Errors
    /// As [`Outbound::get`].
    pub async fn post(
        &self,
        url: &str,
        media_type: &'static str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, OutboundError> {
        let url = self.check(url)?;
        let kind = HeaderValue::from_static(media_type);
        self.send(self.client.post(url).headers(headers).header(CONTENT_TYPE, kind).body(body))
            .await
    }

    /// What can be told of a URL before its host is resolved; the resolver tells the rest.
    fn check(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Refused("it is no URL"))?;
        self.allowed.check(&url).map_err(OutboundError::Refused)?;
        Ok(url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, OutboundError> {
        let turn = tokio::time::timeout(TIME_MAX, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(OutboundError::Busy) };
        let mut response = request.send().await.map_err(OutboundError::Unreachable)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(OutboundError::Unreachable)? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(OutboundError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}
