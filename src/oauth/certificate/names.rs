//! What a certificate says, without any I/O. Source: RFC 5280, RFC 8705 section 2.

use std::net::IpAddr;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use x509_cert::Certificate as Parsed;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::RdnSequence;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use crate::apps::metadata::ClientMetadata;
use crate::keys::foreign::PublicKey;
use crate::oauth::certificate::Certificate;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Whether a certificate has the one name that the app registered. Source: RFC 8705
/// section 2.1.2.
pub(in crate::oauth) fn has_name_of(certificate: &Certificate, metadata: &ClientMetadata) -> bool {
    let Ok(parsed) = Parsed::from_der(certificate.der()) else { return false };
    if let Some(wanted) = &metadata.tls_client_auth_subject_dn {
        return is_same_name(wanted, &parsed.tbs_certificate.subject);
    }
    let names = match parsed.tbs_certificate.get::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0,
        Ok(None) | Err(_) => return false,
    };
    let any = |fits: &dyn Fn(&GeneralName) -> bool| names.iter().any(fits);
    if let Some(wanted) = &metadata.tls_client_auth_san_dns {
        return any(&|name| match name {
            GeneralName::DnsName(held) => held.as_str().eq_ignore_ascii_case(wanted),
            _ => false,
        });
    }
    if let Some(wanted) = &metadata.tls_client_auth_san_uri {
        return any(&|name| match name {
            GeneralName::UniformResourceIdentifier(held) => held.as_str() == wanted,
            _ => false,
        });
    }
    if let Some(wanted) = &metadata.tls_client_auth_san_email {
        return any(&|name| match name {
            GeneralName::Rfc822Name(held) => held.as_str() == wanted,
            _ => false,
        });
    }
    let wanted = metadata.tls_client_auth_san_ip.as_deref().and_then(|text| text.parse().ok());
    wanted.is_some_and(|wanted: IpAddr| {
        any(&|name| match name {
            GeneralName::IpAddress(held) => address(held.as_bytes()) == Some(wanted),
            _ => false,
        })
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Whether a text is this name. Both are compared as RFC 4514 writes names, so that spaces after
/// commas and other ways to escape do not matter.
fn is_same_name(text: &str, name: &RdnSequence) -> bool {
    let own = name.to_string();
    own == text
        || RdnSequence::from_str(&without_spaces(text)).is_ok_and(|read| read.to_string() == own)
}

/// The text without the spaces that many write after a comma. Source: RFC 4514 section 4 (names
/// of RFC 2253's forerunners).
fn without_spaces(text: &str) -> String {
    let (mut out, mut after_comma, mut escaped) = (String::new(), true, false);
    for letter in text.chars() {
        if after_comma && letter == ' ' {
            continue;
        }
        after_comma = letter == ',' && !escaped;
        escaped = letter == '\\' && !escaped;
        out.push(letter);
    }
    out
}

/// Whether a JWK of an app is for this certificate: it holds the certificate itself, or its key.
/// Source: RFC 8705 section 2.2.
pub(in crate::oauth) fn is_of_key(certificate: &Certificate, jwk: &Value) -> bool {
    let first = jwk.get("x5c").and_then(|chain| chain.get(0)).and_then(Value::as_str);
    if let Some(first) = first {
        return STANDARD.decode(first).is_ok_and(|der| der == certificate.der());
    }
    let Ok(parsed) = Parsed::from_der(certificate.der()) else { return false };
    let held = public_jwk(&parsed.tbs_certificate.subject_public_key_info);
    let held = held.and_then(|jwk| PublicKey::from_jwk(&jwk).ok());
    let registered = PublicKey::from_jwk(jwk).ok();
    match (held, registered) {
        (Some(held), Some(registered)) => held.thumbprint() == registered.thumbprint(),
        _ => false,
    }
}

/// The public key of a certificate as JWK, if it is of a type that we know. Source: RFC 3279
/// section 2.3.1, RFC 5480 section 2, RFC 8410 section 4.
fn public_jwk(key: &SubjectPublicKeyInfoOwned) -> Option<Value> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let bytes = key.subject_public_key.as_bytes()?;
    if key.algorithm.oid == RSA {
        let mut reader = SliceReader::new(bytes).ok()?;
        let (n, e) = reader
            .sequence(|inner| {
                let n = UintRef::decode(inner)?;
                Ok((n, UintRef::decode(inner)?))
            })
            .ok()?;
        return Some(json!({"kty": "RSA", "n": encode(n.as_bytes()), "e": encode(e.as_bytes())}));
    }
    if key.algorithm.oid == EC {
        let curve: ObjectIdentifier = key.algorithm.parameters.as_ref()?.decode_as().ok()?;
        let [4, point @ ..] = bytes else { return None };
        let (x, y) = point.split_at_checked(32).filter(|(_, y)| y.len() == 32 && curve == P256)?;
        return Some(json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}));
    }
    let is_ed = key.algorithm.oid == ED25519;
    is_ed.then(|| json!({"kty": "OKP", "crv": "Ed25519", "x": encode(bytes)}))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn certificate() -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "DE");
        params.distinguished_name.push(DnType::OrganizationName, "Acme, Inc.");
        params.distinguished_name.push(DnType::CommonName, "back end");
        params.subject_alt_names = vec![
            SanType::DnsName("client.acme.example".try_into().unwrap()),
            SanType::URI("https://acme.example/client".try_into().unwrap()),
            SanType::Rfc822Name("client@acme.example".try_into().unwrap()),
            SanType::IpAddress("192.0.2.7".parse().unwrap()),
        ];
        (Certificate::from_der(params.self_signed(&key).unwrap().der()), key)
    }

    #[test]
    fn rfc8705_2_1_2_exactly_the_registered_name_is_good() {
        let (certificate, _) = certificate();
        let check = |bend: &dyn Fn(&mut ClientMetadata, String), good: &[&str], bad: &[&str]| {
            let has = |text: &str| {
                let mut metadata = ClientMetadata::default();
                bend(&mut metadata, text.to_owned());
                has_name_of(&certificate, &metadata)
            };
            assert!(good.iter().all(|text| has(text)), "{good:?}");
            for text in bad {
                assert!(!has(text), "{text}");
            }
        };
        check(
            &|metadata, text| metadata.tls_client_auth_subject_dn = Some(text),
            &[
                "CN=back end,O=Acme\\, Inc.,C=DE",
                "CN=back end, O=Acme\\, Inc., C=DE",
                "cn=back end,o=Acme\\, Inc.,c=DE",
                "CN=back end,O=Acme\\2C Inc.,C=DE",
            ],
            &[
                "",
                "CN=back end",
                "C=DE,O=Acme\\, Inc.,CN=back end",
                "CN=Back End,O=Acme\\, Inc.,C=DE",
                "CN=back end,O=Acme,C=DE",
                "client.acme.example",
            ],
        );
        check(
            &|metadata, text| metadata.tls_client_auth_san_dns = Some(text),
            &["client.acme.example", "CLIENT.acme.example"],
            &["", "acme.example", "*.acme.example", "https://acme.example/client"],
        );
        check(
            &|metadata, text| metadata.tls_client_auth_san_uri = Some(text),
            &["https://acme.example/client"],
            &["", "https://acme.example/Client", "client.acme.example"],
        );
        check(
            &|metadata, text| metadata.tls_client_auth_san_email = Some(text),
            &["client@acme.example"],
            &["", "other@acme.example"],
        );
        check(
            &|metadata, text| metadata.tls_client_auth_san_ip = Some(text),
            &["192.0.2.7"],
            &["", "192.0.2.8", "::ffff:192.0.2.8", "client"],
        );
        assert!(!has_name_of(&certificate, &ClientMetadata::default()));
        assert!(!has_name_of(&Certificate::from_der(b"x"), &ClientMetadata::default()));
    }

    #[test]
    fn rfc8705_2_2_a_certificate_is_of_its_own_key() {
        let (own, key) = certificate();
        let (other, _) = certificate();
        let point = key.public_key_raw();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        let with = |chain: &Certificate| json!({"x5c": [STANDARD.encode(chain.der())]});

        assert!(is_of_key(&own, &jwk) && !is_of_key(&other, &jwk));
        assert!(is_of_key(&own, &with(&own)) && !is_of_key(&own, &with(&other)));
        for bad in [json!({}), json!(1), json!({"x5c": []}), json!({"x5c": ["%"]})] {
            assert!(!is_of_key(&own, &bad), "{bad}");
        }
        assert!(!is_of_key(&Certificate::from_der(b""), &jwk));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_certificate_or_are_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let metadata = ClientMetadata {
                tls_client_auth_subject_dn: Some("CN=x".to_owned()),
                ..ClientMetadata::default()
            };
            let certificate = Certificate::from_der(&bytes);
            prop_assert!(!has_name_of(&certificate, &metadata));
            let jwk = json!({"kty": "EC"});
            prop_assert!(!is_of_key(&certificate, &jwk));
        }

        #[test]
        fn any_text_is_a_name_or_is_not(text in "(CN|O|C|x)?=?[ -~]{0,40}(,[A-Z]{1,2}=\\PC{0,20})?|\\PC{0,60}") {
            let (certificate, _) = certificate();
            let metadata = ClientMetadata {
                tls_client_auth_subject_dn: Some(text),
                ..ClientMetadata::default()
            };
            prop_assert!(!has_name_of(&certificate, &metadata));
        }
    }
}
