//! One browser, known by a random cookie: what pages and pending authorizations are bound to.
//!
//! It costs no row. Whoever has no cookie gets one with the first answer that needs it.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use http::header::{SET_COOKIE, USER_AGENT};
use http::request::Parts;

use crate::base::secret::Digest;
use crate::http::client_ip::client_ip;
use crate::http::cookies::Cookie;
use crate::http::user_agent;
use crate::keys::vault::Vault;
use crate::server::Server;
use crate::users::device::{MARKS_MAX, remember};
use crate::users::login::Source;
use crate::users::own_sessions::Seat;

const CSRF_PURPOSE: &str = "http: csrf";

/// The browser that a request comes from. As part of an answer it sets its cookie, if it is new.
#[derive(Clone, Debug)]
pub struct Browser {
    digest: Digest,
    /// The cookie to set, for a browser that has none.
    fresh: Option<String>,
    https: bool,
    source: Source,
    address: Option<IpAddr>,
    /// What the browser says that it is; looked at when somebody signs in.
    agent: Option<HeaderValue>,
}

impl Browser {
    /// What stands for this browser in the database.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether it brought its cookie; a form that was not shown by us comes without.
    pub fn is_known(&self) -> bool {
        self.fresh.is_none()
    }

    /// Where a guess in this request comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// From where somebody signs in who does it in this request.
    pub fn seat(&self) -> Seat {
        let (program, system) = user_agent::names(self.agent.as_ref());
        let owned = |name: Option<&str>| name.map(str::to_owned);
        Seat { program: owned(program), system: owned(system), address: self.address }
    }

    /// A token that only a form of ours, for this browser and this purpose, holds.
    pub fn csrf(&self, vault: &Vault, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.csrf_mac(vault, purpose).0)
    }

    /// Whether a form holds the right token. Takes the same time whatever differs.
    pub fn check_csrf(&self, vault: &Vault, purpose: &str, given: Option<&str>) -> bool {
        self.is_known() && given.and_then(digest_in) == Some(self.csrf_mac(vault, purpose))
    }

    fn csrf_mac(&self, vault: &Vault, purpose: &str) -> Digest {
        vault.mac(CSRF_PURPOSE, &[self.digest.0.as_slice(), purpose.as_bytes()])
    }

    /// `Set-Cookie` that makes this browser known as one where the owner of `mark` has signed in.
    pub fn know(&self, mark: Digest) -> HeaderValue {
        let marks = remember(&self.source.marks, mark);
        let text: Vec<String> = marks.iter().map(|mark| URL_SAFE_NO_PAD.encode(mark.0)).collect();
        Cookie::Known.set(&text.join("."), self.https)
    }
}

fn digest_in(text: &str) -> Option<Digest> {
    Digest::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?)
}

impl FromRequestParts<Server> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Infallible> {
        let https = server.config.issuer.is_https();
        let brought = Cookie::Browser.read(&parts.headers, https);
        let known = brought.filter(|text| digest_in(text).is_some());
        let fresh =
            known.is_none().then(|| URL_SAFE_NO_PAD.encode(server.ctx.entropy().bytes::<32>()));
        let text = known.or(fresh.as_deref()).unwrap_or_default();
        let digest = Digest::of(text.as_bytes());
        let trusted = &server.config.trusted_proxies;
        let address = client_ip(&parts.headers, &parts.extensions, trusted);
        // Whoever hides behind a proxy that tells nothing shares one bucket with all such.
        let ip = address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into());
        let agent = parts.headers.get(USER_AGENT).cloned();
        let marks = Cookie::Known.read(&parts.headers, https).unwrap_or_default();
        let marks = marks.split('.').take(MARKS_MAX).filter_map(digest_in).collect();
        let source = Source { ip, browser: digest, marks };
        Ok(Self { digest, fresh, https, source, address, agent })
    }
}

impl IntoResponseParts for Browser {
    type Error = Infallible;

    fn into_response_parts(self, mut answer: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(text) = &self.fresh {
            answer.headers_mut().append(SET_COOKIE, Cookie::Browser.set(text, self.https));
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(cookie: &[u8], fresh: Option<String>) -> Browser {
        let digest = Digest::of(cookie);
        let ip = "192.0.2.1".parse().unwrap();
        let source = Source { ip, browser: digest, marks: Vec::new() };
        Browser { digest, fresh, https: true, source, address: None, agent: None }
    }

    #[test]
    fn case_44_a_token_is_good_for_one_browser_and_one_purpose() {
        let vault = Vault::new(&[7; 32]);
        let own = browser(b"own", None);
        let token = own.csrf(&vault, "consent/1");

        assert!(own.check_csrf(&vault, "consent/1", Some(&token)));
        assert!(!own.check_csrf(&vault, "consent/2", Some(&token)));
        assert!(!browser(b"other", None).check_csrf(&vault, "consent/1", Some(&token)));
        assert!(!own.check_csrf(&Vault::new(&[8; 32]), "consent/1", Some(&token)));
        for bad in [None, Some(""), Some("\0"), Some("AAAA"), Some(&*format!("{token}A"))] {
            assert!(!own.check_csrf(&vault, "consent/1", bad), "{bad:?}");
        }
        let new = browser(b"own", Some("own".to_owned()));
        assert!(!new.check_csrf(&vault, "consent/1", Some(&token)), "a form came without cookie");
    }
}
