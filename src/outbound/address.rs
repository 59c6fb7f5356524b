//! Which hosts and addresses may be asked. Without any I/O.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use url::Host;

/// What the operator allows beyond public addresses over https.
#[derive(Debug)]
pub(in crate::outbound) struct Allowed(Vec<String>);

impl Allowed {
    pub(in crate::outbound) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
    }

    /// Whether the operator named this host, with any port or with this one.
    fn names(&self, host: &str, port: Option<u16>) -> bool {
        let with_port = port.map(|port| format!("{host}:{port}"));
        self.0.iter().any(|known| known == host || Some(known) == with_port.as_ref())
    }

    /// Whether the operator named this host with some port or none: its addresses are trusted.
    pub(in crate::outbound) fn names_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|known| {
            known.strip_prefix(&host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    }

    /// # Errors
    /// Why the URL may not be asked.
    pub(in crate::outbound) fn check(&self, url: &Url) -> Result<(), &'static str> {
        let host = url.host().ok_or("it has no host")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name");
        }
        if self.names(&host.to_string(), url.port_or_known_default()) {
            return match url.scheme() {
                "https" | "http" => Ok(()),
                _ => Err("it is not https"),
            };
        }
        if url.scheme() != "https" {
            return Err("it is not https");
        }
        match host {
            Host::Ipv4(ip) if !is_public(IpAddr::V4(ip)) => Err("its address is not public"),
            Host::Ipv6(ip) if !is_public(IpAddr::V6(ip)) => Err("its address is not public"),
            // One word alone is a name of the local network.
            Host::Domain(name) if !name.trim_end_matches('.').contains('.') => {
                Err("its host is a local name")
            }
            _ => Ok(()),
        }
    }
}

/// Whether an address is one of the public network. Source: the IANA special-purpose registries
/// (RFC 6890).
pub(in crate::outbound) fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || matches!((a, b, c), (0, _, _) | (192, 0, 0) | (192, 88, 99))
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !is_special
}

/// Only global unicast, which begins with the bits 001, without what leads elsewhere.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    (first & 0xe000) == 0x2000
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict(allowed: &[&str], url: &str) -> Result<(), &'static str> {
        let allowed: Vec<String> = allowed.iter().map(|host| (*host).to_owned()).collect();
        Allowed::new(&allowed).check(&Url::parse(url).unwrap())
    }

    #[test]
    fn case_72_only_public_addresses_over_https() {
        assert!(verdict(&[], "https://app.example/jwks").is_ok());
        assert!(verdict(&[], "https://93.184.215.14/jwks").is_ok());
        for bad in [
            "http://app.example/jwks",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fc00::1]/",
            "https://[fe80::1]/",
            "https://[2001:db8::1]/",
            "https://[2002:7f00:1::]/",
            "https://localhost/",
            "https://intranet/",
            "https://user@app.example/",
            "file:///etc/passwd",
            "ftp://app.example/",
            "data:text/plain,x",
        ] {
            assert!(verdict(&[], bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_operator_names_may_be_asked_and_nothing_beside_it() {
        let allowed = ["127.0.0.1:9000", "suite.test"];
        assert!(verdict(&allowed, "http://127.0.0.1:9000/x").is_ok());
        assert!(verdict(&allowed, "https://suite.test:8443/x").is_ok());
        for bad in [
            "http://127.0.0.1:9001/x",
            "http://127.0.0.2:9000/x",
            "https://suite.test.evil.example:1/@127.0.0.1".replace("https", "http").as_str(),
            "http://user@127.0.0.1:9000/x",
            "file://suite.test/x",
        ] {
            assert!(verdict(&allowed, bad).is_err(), "{bad}");
        }
        let allowed = Allowed::new(&["suite.test:8443".to_owned()]);
        assert!(allowed.names_host("SUITE.test"));
        assert!(!allowed.names_host("suite.test.evil.example") && !allowed.names_host("suite"));
    }

    proptest! {
        #[test]
        fn no_private_address_is_public_in_any_spelling(a in any::<[u8; 4]>()) {
            let v4 = Ipv4Addr::from(a);
            let mapped = IpAddr::V6(v4.to_ipv6_mapped());
            prop_assert_eq!(is_public(IpAddr::V4(v4)), is_public(mapped));
            prop_assert!(!(v4.is_private() && is_public(mapped)));
        }
    }
}
