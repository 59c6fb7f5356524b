//! Cookies: seven names, one set of attributes but for the one that scripts may read.
//!
//! On https every name begins with `__Host-`: browsers take such a cookie only from this very host,
//! over TLS and for all paths, so that no neighbouring host can plant one.
//! Source: RFC 6265bis section 4.1.3.2.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Random bytes that tell one browser from another.
    Browser,
    /// A complete sign-in.
    Session,
    /// A sign-in that lacks its second factor.
    Pending,
    /// Who has signed in from this browser before, as MACs.
    Known,
    /// What changes with the session, for the script of our frame: nothing that opens anything.
    /// Source: OpenID Connect Session Management 1.0 section 3.3.
    State,
    /// Which page of ours somebody was sent to sign in from.
    Errand,
    /// The language that an app asked the pages to be in.
    Language,
}

/// 400 days: the longest that browsers keep a cookie.
const LONG_SECONDS: u32 = 400 * 86_400;
/// As long as a sign-in may take.
const ERRAND_SECONDS: u32 = 30 * 60;

impl Cookie {
    /// Its name.
    pub fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Browser, true) => "__Host-browser",
            (Self::Browser, false) => "browser",
            (Self::Session, true) => "__Host-session",
            (Self::Session, false) => "session",
            (Self::Pending, true) => "__Host-pending",
            (Self::Pending, false) => "pending",
            (Self::Known, true) => "__Host-known",
            (Self::Known, false) => "known",
            (Self::State, true) => "__Host-state",
            (Self::State, false) => "state",
            (Self::Errand, true) => "__Host-errand",
            (Self::Errand, false) => "errand",
            (Self::Language, true) => "__Host-language",
            (Self::Language, false) => "language",
        }
    }

    /// The value that a request brings; `None` also if it comes twice.
    pub fn read(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        let name = self.name(https);
        let mut found = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| value);
        let value = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// `Set-Cookie` for a value of base64url and dots.
    pub fn set(self, value: &str, https: bool) -> HeaderValue {
        match self {
            // Ends with the browser's session; the table knows when it really ends.
            Self::Session | Self::Pending | Self::State => self.line(value, https, None),
            Self::Browser | Self::Known => self.line(value, https, Some(LONG_SECONDS)),
            Self::Errand | Self::Language => self.line(value, https, Some(ERRAND_SECONDS)),
        }
    }

    /// `Set-Cookie` that takes it away.
    pub fn remove(self, https: bool) -> HeaderValue {
        self.line("", https, Some(0))
    }

    fn line(self, value: &str, https: bool, max_age: Option<u32>) -> HeaderValue {
        let secure = if https { "; Secure" } else { "" };
        let age = max_age.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let name = self.name(https);
        let access = match (self, https) {
            // It is read in frames of other sites; without TLS browsers would not take it so.
            (Self::State, true) => "SameSite=None",
            (Self::State, false) => "SameSite=Lax",
            _ => "HttpOnly; SameSite=Lax",
        };
        let line = format!("{name}={value}; Path=/; {access}{secure}{age}");
        // Only our own alphabets come here; anything else would be a header without a value.
        HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn case_44_cookies_are_bound_to_the_host() {
        assert_eq!(
            Cookie::Session.set("abc", true).to_str().unwrap(),
            "__Host-session=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            Cookie::Browser.set("abc", false).to_str().unwrap(),
            "browser=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=34560000"
        );
        assert_eq!(
            Cookie::Session.remove(true).to_str().unwrap(),
            "__Host-session=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
    }

    #[test]
    fn case_44_the_one_cookie_that_scripts_read_is_none_that_opens_anything() {
        assert_eq!(
            Cookie::State.set("abc", true).to_str().unwrap(),
            "__Host-state=abc; Path=/; SameSite=None; Secure"
        );
        assert_eq!(
            Cookie::State.set("abc", false).to_str().unwrap(),
            "state=abc; Path=/; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_once() {
        let read = |lines: &[&'static str], https| {
            Cookie::Session.read(&headers(lines), https).map(str::to_owned)
        };

        assert_eq!(read(&["a=b; session=x; c=d"], false).as_deref(), Some("x"));
        assert_eq!(read(&["a=b", "session=x"], false).as_deref(), Some("x"));
        assert_eq!(read(&["session=x; session=y"], false), None);
        assert_eq!(read(&["xsession=x"], false), None);
        assert_eq!(read(&["session=x"], true), None);
        assert_eq!(read(&["__Host-session=x"], true).as_deref(), Some("x"));
        assert_eq!(read(&[";;=;session"], false), None);
    }

    proptest! {
        #[test]
        fn whatever_is_read_stood_there(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let line = [b"session=", bytes.as_slice()].concat();
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let mut headers = HeaderMap::new();
                headers.append(COOKIE, value);
                if let Some(read) = Cookie::Session.read(&headers, false) {
                    prop_assert!(std::str::from_utf8(&bytes).unwrap().contains(read));
                }
            }
        }
    }
}
