//! What may be registered as a URL: an allow-list of characters and schemes, then a parser.
//!
//! The text is kept as it was written and compared so. Whatever two parsers could read
//! differently is refused here, so that nobody has to compare anything but text later.

use url::{Host, Url};

/// Longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 2000;

/// A rule that a URL breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(pub &'static str);

/// Which schemes are good, apart from https and http on a loopback address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// No others.
    Web,
    /// Schemes of native apps: a domain name backwards. Source: RFC 8252 section 7.1.
    WebAndNative,
}

const SCHEME: BadUrl = BadUrl("must begin with https://, or http:// and a loopback address");
const NATIVE_SCHEME: BadUrl = BadUrl(
    "must begin with https://, http:// and a loopback address, or an app's own scheme, which is a \
     domain name backwards: com.example.app:/",
);
const HOST: BadUrl = BadUrl(
    "the host must be written in its plain form: small letters, punycode, an IP address in full",
);

/// Checks a URL that is to be registered. Source: RFC 6749 section 3.1.2, RFC 9700 section 2.1.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(text: &str, schemes: Schemes) -> Result<(), BadUrl> {
    check_characters(text)?;
    let (scheme, rest) = text.split_once(':').ok_or(BadUrl("must be an absolute URL"))?;
    let own = if schemes == Schemes::Web { SCHEME } else { NATIVE_SCHEME };
    match scheme {
        "https" | "http" => {
            let rest = rest.strip_prefix("//").ok_or(own)?;
            let (authority, path) = split_authority(rest);
            check_authority(scheme, authority)?;
            check_path(path)?;
        }
        _ if schemes == Schemes::WebAndNative && is_native(scheme) => check_native(rest)?,
        _ => return Err(own),
    }
    let parsed = Url::parse(text).map_err(|_| BadUrl("must be a URL"))?;
    match (scheme, parsed.host()) {
        ("http", Some(host)) if !is_loopback(&host) => Err(own),
        _ => Ok(()),
    }
}

/// The origin of a URL that [`check`] let pass, as browsers write it. Source: RFC 6454 section 6.1.
pub fn origin(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The host of a URL that [`check`] let pass; none for the scheme of a native app.
pub fn host(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.host_str().map(str::to_owned))?
}

fn check_characters(text: &str) -> Result<(), BadUrl> {
    if text.len() > URL_BYTES_MAX {
        return Err(BadUrl("must have at most 2000 bytes"));
    }
    // Source: RFC 3986 section 2. What is missing: white space, control characters, backslashes,
    // quotes, brackets other than those of an IPv6 address, and everything beyond ASCII.
    let is_good =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if !text.bytes().all(is_good) {
        return Err(BadUrl("must not contain spaces, backslashes or other unusual characters"));
    }
    if text.contains('#') {
        return Err(BadUrl("must not have a fragment"));
    }
    if text.contains('*') {
        return Err(BadUrl("must not contain *: it would be no wildcard"));
    }
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once('%') {
        let code = tail.get(..2).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match byte {
            None => return Err(BadUrl("must not have a % without two hexadecimal digits")),
            Some(byte) if byte.is_ascii_control() => {
                return Err(BadUrl("must not contain control characters"));
            }
            Some(_) => rest = tail,
        }
    }
    Ok(())
}

/// What stands before the path, and the path with the query.
fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
}

fn check_authority(scheme: &str, authority: &str) -> Result<(), BadUrl> {
    if authority.contains('@') {
        return Err(BadUrl("must not have a user name before the host"));
    }
    let after_host = authority.rfind(']').unwrap_or_default();
    let colon = authority.get(after_host..).and_then(|tail| tail.find(':'));
    let (host, port) = match colon {
        Some(at) => authority.split_at(after_host + at),
        None => (authority, ""),
    };
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return Err(BadUrl("the port must be a number from 1 to 65535"));
    }
    let parsed = Url::parse(&format!("{scheme}://{host}/")).map_err(|_| HOST)?;
    if parsed.host_str() == Some(host) && !host.ends_with('.') { Ok(()) } else { Err(HOST) }
}

/// Whether `text` is a port in its one spelling.
pub(in crate::apps) fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text)
}

fn check_path(path_and_query: &str) -> Result<(), BadUrl> {
    let path = path_and_query.split('?').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c"].iter().any(|code| lower.contains(code)) {
        return Err(BadUrl("must not have an encoded dot, slash or backslash in its path"));
    }
    if path_and_query.contains(['[', ']']) {
        return Err(BadUrl("must not have brackets after the host"));
    }
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(is_dots) {
        return Err(BadUrl("must not have the segments . and .. in its path"));
    }
    Ok(())
}

/// Whether the scheme is a domain name backwards, in small letters. No scheme that a browser runs
/// or reads locally has a dot in it.
fn is_native(scheme: &str) -> bool {
    let is_label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_alphanumeric())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.split('.').all(is_label)
}

fn check_native(rest: &str) -> Result<(), BadUrl> {
    let path = match rest.strip_prefix("//") {
        None if rest.starts_with('/') => rest,
        None => return Err(NATIVE_SCHEME),
        Some(rest) => {
            let (host, path) = split_authority(rest);
            let is_plain =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
            if host.is_empty() || !host.bytes().all(is_plain) {
                return Err(HOST);
            }
            path
        }
    };
    check_path(path)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => *address == std::net::Ipv4Addr::LOCALHOST,
        Host::Ipv6(address) => *address == std::net::Ipv6Addr::LOCALHOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(texts: &[&str], reason: &str) {
        for text in texts {
            match check(text, Schemes::WebAndNative) {
                Ok(()) => panic!("{text} was let pass"),
                Err(error) => assert!(error.0.contains(reason), "{text}: {error}"),
            }
        }
    }

    #[test]
    fn what_apps_register_is_let_pass() {
        for text in [
            "https://portal.example",
            "https://portal.example/",
            "https://portal.example:8443/cb;v=1/a..b/.well?next=%2Fhome&x=../y",
            "https://xn--bcher-kva.example/cb",
            "https://192.0.2.1/cb",
            "https://[2001:db8::1]:444/cb",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:3000/cb",
            "http://[::1]:3000/cb",
            "http://localhost:8787",
            "http://localhost:8787/",
        ] {
            assert_eq!(check(text, Schemes::Web), Ok(()), "{text}");
            assert_eq!(check(text, Schemes::WebAndNative), Ok(()), "{text}");
        }
        for text in ["com.example.app:/cb", "com.example.my-app://oauth/cb?x=1"] {
            assert_eq!(check(text, Schemes::WebAndNative), Ok(()), "{text}");
            assert_eq!(check(text, Schemes::Web), Err(SCHEME), "{text}");
        }
    }

    #[test]
    fn case_04_schemes_that_run_or_read_are_refused() {
        let texts = [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "javascript://portal.example/%0aalert(1)",
            "java.script:alert(1)",
            "data:text/html,x",
            "DATA:text/html;base64,eA==",
            "vbscript:x",
            "VbScript:x",
            "blob:https://portal.example/1",
            "file:///etc/passwd",
            "filesystem:https://portal.example/x",
            "view-source:https://portal.example/",
            "about:blank",
            "intent://x",
            "ftp://portal.example/",
            "myapp:/cb",
            "HTTPS://portal.example/",
            "Com.example.app:/cb",
            "com..app:/cb",
            ".com.app:/cb",
            "com.app.:/cb",
            "com.example.app:cb",
            "https:portal.example",
            "https:/portal.example",
            "http://portal.example/",
            "http://127.0.0.2/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://0.0.0.0/",
        ];
        for text in texts {
            for schemes in [Schemes::Web, Schemes::WebAndNative] {
                let error = check(text, schemes).expect_err(text);
                let known =
                    error == SCHEME || error == NATIVE_SCHEME || error.0.contains("control");
                assert!(known, "{text}: {error}");
            }
        }
    }

    #[test]
    fn case_01_what_parsers_read_differently_is_refused() {
        refused(&["", "/cb", "portal.example/cb", "//portal.example"], "must ");
        refused(&["https://a.example/#", "https://a.example/cb#x"], "fragment");
        refused(&["https://*.example/", "https://a.example/*"], "wildcard");
        refused(
            &["https://a@b.example/", "https://a:b@c.example/", "https://a@b@c.example/"],
            "user name",
        );
        refused(
            &[
                "https://a.example\\@b.example/",
                "https://a.example/a b",
                " https://a.example/",
                "https://a.example/\n",
                "https://a.example/\0",
                "https://bücher.example/",
                "https://a.example/\u{202e}",
                "https://a.example/<x>",
                "https://a.example/\"",
                "https://a.example/{x}",
            ],
            "unusual",
        );
        refused(&["https://a.example/%00", "https://a.example/?x=%0d%0ay"], "control");
        refused(&["https://a.example/%", "https://a.example/%2", "https://a.example/%+1"], "%");
        refused(
            &["https://a.example/%2e%2E/x", "https://a.example/a%2fb", "https://a.example/%5Cx"],
            "encoded",
        );
        refused(
            &[
                "https://a.example/../x",
                "https://a.example/./x",
                "https://a.example/x/..",
                "https://a.example/..;/x",
                "https://a.example/.;a=b/x",
                "com.example.app:/../x",
            ],
            "segments",
        );
        refused(
            &[
                "https:///cb",
                "https://A.example/",
                "https://a.example./",
                "https://0x7f.1/",
                "https://127.1/",
                "https://2130706433/",
                "https://[0:0::1]/",
                "https://a%2eexample/",
                "com.example.app://A/",
                "com.example.app:///x",
            ],
            "plain form",
        );
        refused(&["https://a.example:/", "https://a.example:0/", "https://a.example:080/"], "port");
        refused(&["https://[::1/", "https://[::1]x/"], "must be");
        refused(&["https://a.example/[a-z]", "https://a.example/?x[]=1"], "brackets");
        refused(&["https://a.example:65536/", "https://a.example:+1/"], "port");
        refused(&[&format!("https://a.example/{}", "a".repeat(URL_BYTES_MAX))], "2000 bytes");
    }
}
