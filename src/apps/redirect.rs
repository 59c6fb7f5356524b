//! Callback and logout URLs: parsed once, compared character by character.

use serde::{Deserialize, Serialize};

pub use crate::apps::url::BadUrl;
use crate::apps::url::{self, Schemes, is_port};

/// A callback URL as registered for an app.
///
/// Absolute, without fragment or user name, and nothing in it that two parsers read differently:
/// https, http on a loopback address, or the scheme of a native app.
/// Source: RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// A `redirect_uri` that belongs to the app that asked.
///
/// Only [`match_registered`] makes one, so holding it is the proof that the browser may be sent
/// there, errors included. Source: RFC 6749 section 4.1.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRedirect(String);

impl RedirectUri {
    /// Parses a URL at registration.
    ///
    /// # Errors
    /// [`BadUrl`] with the first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        url::check(text, Schemes::WebAndNative)?;
        Ok(Self(text.to_owned()))
    }

    /// As registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its origin, as browsers write it; none for the scheme of a native app.
    pub fn origin(&self) -> Option<String> {
        url::origin(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = BadUrl;

    fn try_from(text: String) -> Result<Self, BadUrl> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

/// Matches what a request asks for against what is registered; `None` for a stranger: show an
/// error page then, and never redirect.
///
/// Character by character (RFC 9700 section 4.1.3). Only the port may vary, and only if the URL
/// was registered for http on `127.0.0.1` or `[::1]` (RFC 8252 section 7.3), because a native app
/// cannot choose which port is free. `localhost` is a name, and names can be made to lead away.
///
/// On the own machine an empty path is the path `/` (RFC 9110 section 4.2.3), because command-line
/// tools write it either way.
pub fn match_registered(registered: &[RedirectUri], requested: &str) -> Option<VerifiedRedirect> {
    let (asked, local) = (Loopback::parse(requested), root_of_localhost(requested));
    let is_same = |uri: &RedirectUri| {
        uri.0 == requested
            || (asked.is_some() && Loopback::parse(&uri.0) == asked)
            || (local.is_some() && root_of_localhost(&uri.0) == local)
    };
    registered.iter().any(is_same).then(|| VerifiedRedirect(requested.to_owned()))
}

/// The port, with its colon, of an http URL on `localhost` that has no path but `/` and no query.
fn root_of_localhost(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("http://localhost")?;
    let port = rest.strip_suffix('/').unwrap_or(rest);
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(port)
}

/// An http URL on a loopback address, its port left out.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    address: &'static str,
    /// Empty for the root, or from the first slash or question mark on.
    path_and_query: &'a str,
}

impl<'a> Loopback<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (authority, path_and_query) =
            rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let address = ["127.0.0.1", "[::1]"].into_iter().find(|address| {
            // The authority is the whole address, or the address and a port, and nothing else.
            authority
                .strip_prefix(address)
                .is_some_and(|tail| tail.is_empty() || tail.strip_prefix(':').is_some_and(is_port))
        })?;
        Some(Self {
            address,
            path_and_query: if path_and_query == "/" { "" } else { path_and_query },
        })
    }
}

impl VerifiedRedirect {
    /// As asked for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its origin, as browsers write it, for a page that leads there; none for a native app.
    pub fn origin(&self) -> Option<String> {
        url::origin(&self.0)
    }

    /// With `pairs` added to the query that it has. Source: RFC 6749 section 3.1.2.
    pub fn with_params(&self, pairs: &[(&str, &str)]) -> String {
        let mut added = form_urlencoded::Serializer::new(String::new());
        added.extend_pairs(pairs);
        let added = added.finish();
        let joint = match self.0.split_once('?') {
            _ if added.is_empty() => "",
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{added}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use ::url::{Host, Url};
    use proptest::prelude::*;

    use super::*;

    fn registered(texts: &[&str]) -> Vec<RedirectUri> {
        texts.iter().map(|text| RedirectUri::parse(text).unwrap()).collect()
    }

    #[test]
    fn case_01_only_the_registered_text_matches() {
        let uris = registered(&["https://portal.example/cb", "https://b.example:8443/?tenant=1"]);

        assert_eq!(match_registered(&uris, uris[0].as_str()).unwrap().as_str(), uris[0].as_str());
        assert!(match_registered(&uris, uris[1].as_str()).is_some());
        for stranger in [
            "",
            "https://portal.example/cb/",
            "https://portal.example/cb?",
            "https://portal.example/cb?x=1",
            "https://portal.example/cb#x",
            "https://portal.example/cb#",
            "https://portal.example/CB",
            "https://PORTAL.example/cb",
            "HTTPS://portal.example/cb",
            "https://portal.example:443/cb",
            "https://portal.example:444/cb",
            "https://portal.example/x/../cb",
            "https://portal.example/x/%2e%2e/cb",
            "https://portal.example/x/..;/cb",
            "https://portal.example/./cb",
            "https://portal.example/c%62",
            "https://portal.example//cb",
            "https://portal.example\\cb",
            "https://portal.example\\@evil.example/cb",
            "https://portal.example@evil.example/cb",
            "https://a@portal.example/cb",
            "https://a@b@portal.example/cb",
            "https://portal.example.evil.example/cb",
            "https://evil.example/https://portal.example/cb",
            "https://portal.example/cb\0",
            "https://portal.example/cb\r\nx",
            "https://portal.example/cb ",
            " https://portal.example/cb",
            "http://portal.example/cb",
            "https://b.example:8443/",
            "https://b.example:8443/?tenant=2",
            "https://b.example/?tenant=1",
        ] {
            assert_eq!(match_registered(&uris, stranger), None, "{stranger:?}");
        }
        assert_eq!(match_registered(&[], "https://portal.example/cb"), None);
    }

    #[test]
    fn the_root_of_the_own_machine_is_written_with_a_slash_or_without() {
        for (known, asked) in [
            ("http://localhost:8787/", "http://localhost:8787"),
            ("http://localhost", "http://localhost/"),
            ("http://127.0.0.1/", "http://127.0.0.1:3000"),
            ("http://[::1]:9", "http://[::1]:10/"),
        ] {
            assert_eq!(match_registered(&registered(&[known]), asked).unwrap().as_str(), asked);
        }
        let far = registered(&["https://portal.example", "http://127.0.0.1:9?x=1"]);
        for stranger in ["https://portal.example/", "http://127.0.0.1:9/?x=1", "http://127.0.0.1:9"]
        {
            assert_eq!(match_registered(&far, stranger), None, "{stranger}");
        }
    }

    #[test]
    fn case_02_only_the_port_of_a_loopback_address_varies() {
        let uris = registered(&[
            "http://127.0.0.1:3000/cb",
            "http://[::1]/cb?x=1",
            "http://localhost:8787",
            "https://127.0.0.1:9/tls",
        ]);

        for known in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:3000/cb",
            "http://127.0.0.1:65535/cb",
            "http://[::1]:1/cb?x=1",
            "http://localhost:8787",
            "http://localhost:8787/",
            "https://127.0.0.1:9/tls",
        ] {
            assert_eq!(match_registered(&uris, known).unwrap().as_str(), known);
        }
        for stranger in [
            "http://127.0.0.1:3000/cb/",
            "http://127.0.0.1:3000/cb?",
            "http://127.0.0.1:3000",
            "http://127.0.0.1:3000/",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:03000/cb",
            "http://127.0.0.1:+3/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:3000@evil.example/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1.evil.example:3000/cb",
            "http://127.0.0.1\\.evil.example/cb",
            "http://127.1/cb",
            "http://2130706433/cb",
            "http://127.0.0.2:3000/cb",
            "http://[::1]:3000/cb",
            "http://[0:0::1]/cb?x=1",
            "http://[::1]evil.example/cb?x=1",
            "http://localhost",
            "http://localhost/",
            "http://localhost:8787//",
            "http://localhost:8787/?",
            "http://localhost:8787/x",
            "http://localhost:08787/",
            "http://localhost:/",
            "http://localhost:3000/cb",
            "http://localhost:8788",
            "http://localhost.evil.test",
            "http://localhost.evil.test:8787",
            "https://127.0.0.1:10/tls",
            "HTTP://127.0.0.1:3000/cb",
        ] {
            assert_eq!(match_registered(&uris, stranger), None, "{stranger:?}");
        }
    }

    #[test]
    fn case_03_a_pattern_is_only_text() {
        let uris = registered(&["https://portal.example/.+", "https://portal.example/(a)?"]);

        for stranger in ["https://portal.example/x", "https://portal.example/a"] {
            assert_eq!(match_registered(&uris, stranger), None, "{stranger:?}");
        }
        assert!(RedirectUri::parse("https://portal.example/.*").is_err());
    }

    #[test]
    fn rfc6749_3_1_2_the_registered_query_stays() {
        let with = |text: &str, pairs: &[(&str, &str)]| {
            match_registered(&registered(&[text]), text).unwrap().with_params(pairs)
        };

        assert_eq!(with("https://a.example", &[("code", "1")]), "https://a.example?code=1");
        assert_eq!(with("https://a.example/cb?", &[("code", "1")]), "https://a.example/cb?code=1");
        assert_eq!(
            with("https://a.example/cb?x=%2F", &[("state", "a+/=& ä#"), ("iss", "https://i")]),
            "https://a.example/cb?x=%2F&state=a%2B%2F%3D%26+%C3%A4%23&iss=https%3A%2F%2Fi"
        );
        assert_eq!(with("com.example.app:/cb", &[("code", "1")]), "com.example.app:/cb?code=1");
        assert_eq!(with("https://a.example/cb", &[]), "https://a.example/cb");
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let origin = |text: &str| RedirectUri::parse(text).unwrap().origin();

        assert_eq!(origin("https://a.example:443/cb").as_deref(), Some("https://a.example"));
        assert_eq!(origin("http://localhost:8787").as_deref(), Some("http://localhost:8787"));
        assert_eq!(origin("com.example.app:/cb"), None);
    }

    /// Pieces of URLs, good and bad, which random text would hardly ever put together.
    fn url_like() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("http://"),
            Just("https://"),
            Just("127.0.0.1"),
            Just("[::1]"),
            Just("localhost"),
            Just(":80"),
            Just(":3000"),
            Just("/cb"),
            Just("?x=1"),
            Just("@"),
            Just("\\"),
            Just("#"),
            Just("%2e"),
            Just("."),
            Just(".."),
            Just("/"),
            Just("a.example"),
            Just("javascript:"),
            Just("com.example.app:"),
            Just("\0"),
            Just("ä"),
            Just(";"),
            Just("%"),
            Just(":"),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in prop_oneof![".*", url_like()]) {
            if let Ok(uri) = RedirectUri::parse(&text) {
                prop_assert_eq!(uri.as_str(), &text);
                let parsed = Url::parse(&text).unwrap();
                prop_assert!(parsed.username().is_empty() && parsed.password().is_none());
                prop_assert!(parsed.fragment().is_none());
                prop_assert!(parsed.scheme() == "https"
                    || parsed.scheme().contains('.')
                    || matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")));
            }
        }

        #[test]
        fn a_match_is_the_registered_url_up_to_a_loopback_port(
            known in proptest::collection::vec(url_like(), 1..5),
            requested in prop_oneof![url_like(), Just("http://127.0.0.1:81/cb".to_owned())],
        ) {
            let uris: Vec<_> = known.iter().filter_map(|text| RedirectUri::parse(text).ok()).collect();
            if match_registered(&uris, &requested).is_some() && !known.contains(&requested) {
                let without_port = |text: &str| {
                    let mut url = Url::parse(text).unwrap();
                    url.set_port(None).unwrap();
                    url
                };
                let asked = without_port(&requested);
                prop_assert!(matches!(asked.host(), Some(Host::Ipv4(ip)) if ip.is_loopback())
                    || matches!(asked.host(), Some(Host::Ipv6(ip)) if ip.is_loopback()));
                prop_assert!(uris.iter().any(|uri| without_port(uri.as_str()) == asked));
            }
        }
    }
}
