//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client: the peer's, or, if the peer is one of `trusted_proxies`, the last
/// address of `X-Forwarded-For` that is not one of them.
///
/// What stands further left is whatever the client likes to claim. `None` if a trusted proxy says
/// nothing that is an address: a guess would be worse.
pub fn client_ip(
    headers: &HeaderMap,
    extensions: &Extensions,
    trusted_proxies: &[IpAddr],
) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    if !trusted_proxies.contains(&peer) {
        return Some(peer);
    }
    let mut hops =
        headers.get_all(FORWARDED_FOR).iter().rev().flat_map(|value| {
            value.to_str().unwrap_or("?").rsplit(',').map(|hop| parse(hop.trim()))
        });
    hops.find(|hop| hop.is_none_or(|ip| !trusted_proxies.contains(&ip))).flatten()
}

/// An address, alone or with a port.
fn parse(hop: &str) -> Option<IpAddr> {
    hop.parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|addr| addr.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, forwarded: &[&'static str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, http::HeaderValue::from_static(value));
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];

        let ip = client_ip(&headers, &extensions, &trusted);

        assert_eq!(ip, expected.map(|text| text.parse().unwrap()), "{peer} {forwarded:?}");
    }

    #[test]
    fn case_79_only_trusted_proxies_are_believed() {
        check("192.0.2.1", &[], Some("192.0.2.1"));
        check("192.0.2.1", &["198.51.100.7"], Some("192.0.2.1"));
        check("10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
        check("::ffff:10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
        check("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], Some("198.51.100.7"));
        check("10.0.0.1", &["1.1.1.1", "198.51.100.7"], Some("198.51.100.7"));
        check("10.0.0.1", &["[2001:db8::1]:99"], Some("2001:db8::1"));
        check("10.0.0.1", &["1.1.1.1, nonsense"], None);
        check("10.0.0.1", &["10.0.0.2"], None);
        check("10.0.0.1", &[], None);
    }
}
