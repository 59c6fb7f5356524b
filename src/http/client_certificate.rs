//! The certificate that a client showed: to our own TLS, or to a proxy that tells of it.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Extensions, HeaderMap};
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::model::Config;
use crate::oauth::certificate::Certificate;

/// Longest header field that is looked at, in bytes.
const FIELD_BYTES_MAX: usize = 24 * 1024;
/// Most certificates of a chain.
const CHAIN_MAX: usize = 8;

/// The certificate of the client, if it showed one.
///
/// The header is believed from a trusted proxy alone, and then it alone: the certificate of the
/// connection would be the proxy's own. From everybody else it is not even looked at.
pub fn client_certificate(
    headers: &HeaderMap,
    extensions: &Extensions,
    config: &Config,
) -> Option<Certificate> {
    if let Some(name) = &config.tls.client_certificate_header
        && let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>()
        && config.trusted_proxies.contains(&peer.ip().to_canonical())
    {
        return told(headers, name);
    }
    extensions.get::<Certificate>().cloned()
}

/// What the proxy says. Two fields are none: one of them may be the client's own.
fn told(headers: &HeaderMap, name: &str) -> Option<Certificate> {
    let field = once(headers, name)?;
    match bytes(field) {
        Some(der) => {
            let chain = once(headers, &format!("{name}-chain")).unwrap_or_default();
            let chain = chain.split(',').filter_map(|item| bytes(item.trim())).take(CHAIN_MAX);
            Some(Certificate::from_chain(&der, chain.collect()))
        }
        None => pem(field),
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut fields = headers.get_all(name).iter();
    let only = fields.next().filter(|_| fields.next().is_none())?;
    only.to_str().ok().filter(|text| text.len() <= FIELD_BYTES_MAX)
}

/// A byte sequence between colons. Source: RFC 9440 section 2.1.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix(':')?.strip_suffix(':')?).ok()
}

/// PEM, encoded as in a URL: `$ssl_client_escaped_cert` of nginx.
fn pem(text: &str) -> Option<Certificate> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(text.as_bytes()).take(CHAIN_MAX).collect();
    let all = all.ok()?;
    let (first, rest) = all.split_first()?;
    Some(Certificate::from_chain(first, rest.iter().map(|one| one.to_vec()).collect()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use http::{HeaderName, HeaderValue};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    const DER: &[u8] = b"certificate";

    fn found(peer: &str, fields: &[(&'static str, &str)]) -> Option<Vec<u8>> {
        let mut config = Config::for_test(Path::new("/nowhere"));
        config.trusted_proxies = vec!["10.0.0.1".parse().unwrap()];
        config.tls.client_certificate_header = Some("client-cert".to_owned());
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        extensions.insert(Certificate::from_der(b"of the connection"));
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        client_certificate(&headers, &extensions, &config).map(|found| found.der().to_vec())
    }

    #[test]
    fn case_30_a_header_is_believed_from_a_trusted_proxy_only() {
        let own = Some(b"of the connection".to_vec());
        let field = format!(":{}:", STANDARD.encode(DER));
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(DER)
        );
        let escaped = utf8_percent_encode(&pem, NON_ALPHANUMERIC).to_string();

        for field in [&*field, &escaped] {
            assert_eq!(found("10.0.0.1", &[("client-cert", field)]), Some(DER.to_vec()));
            assert_eq!(found("::ffff:10.0.0.1", &[("client-cert", field)]), Some(DER.to_vec()));
            assert_eq!(found("10.0.0.2", &[("client-cert", field)]), own, "a stranger");
            let twice = [("client-cert", field), ("client-cert", field)];
            assert_eq!(found("10.0.0.1", &twice), None, "twice");
            assert_eq!(found("10.0.0.1", &[("x-client-cert", field)]), None, "another name");
        }
        for bad in ["", "x", ":%%:", "::x", "-----BEGIN CERTIFICATE-----"] {
            assert_eq!(found("10.0.0.1", &[("client-cert", bad)]), None, "{bad}");
        }
        assert_eq!(found("10.0.0.1", &[]), None, "the proxy's own certificate is not the client's");
    }

    proptest! {
        #[test]
        fn any_field_is_a_certificate_or_is_not(text in "[ -~]{0,200}|:[A-Za-z0-9+/=]{0,60}:") {
            let _ = found("10.0.0.1", &[("client-cert", &text)]);
        }
    }
}
