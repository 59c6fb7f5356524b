//! Proofs, good and bent.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_000_000;
const URL: &str = "https://id.example/token";

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A good proof, bent by `bend`, must be read or refused.
#[track_caller]
fn check(bend: impl FnOnce(&mut Value, &mut Value), expected: Result<(), &str>) {
    let key = Key::new();
    let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk()});
    let mut claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});
    bend(&mut header, &mut claims);
    let target = Target { method: "POST", url: URL, alias: None, token: None };
    let read = Proof::read(&key.sign(&header, &claims), &target, &Algorithm::ALL);
    assert_eq!(read.as_ref().map(drop).map_err(|why| *why), expected, "{header} {claims}");
    if let Ok(proof) = read {
        assert_eq!(proof.key, PublicKey::from_jwk(&key.jwk()).unwrap().thumbprint());
    }
}

fn without(part: &mut Value, name: &str) {
    part.as_object_mut().unwrap().remove(name);
}

#[test]
fn case_31_the_header_of_a_proof_is_read_strictly() {
    check(|_, _| (), Ok(()));
    check(|header, _| header["x"] = json!(1), Ok(()));
    check(|header, _| header["typ"] = json!("application/DPoP+jwt"), Ok(()));
    for typ in [json!("JWT"), json!("at+jwt"), json!(1), Value::Null] {
        check(|header, _| header["typ"] = typ, Err("typ must be dpop+jwt"));
    }
    check(|header, _| without(header, "typ"), Err("typ must be dpop+jwt"));
    check(|header, _| without(header, "alg"), Err("alg is not allowed"));
    for alg in ["none", "None", "", "HS256", "ES384", "es256"] {
        check(|header, _| header["alg"] = json!(alg), Err("alg is not allowed"));
    }
    check(|header, _| header["alg"] = json!("RS256"), Err("its key does not verify it"));
    check(|header, _| without(header, "jwk"), Err("jwk is missing"));
    let stranger = Key::new().jwk();
    check(|header, _| header["jwk"] = stranger, Err("its key does not verify it"));
    check(|header, _| header["jwk"]["d"] = json!("AA"), Err("must not hold a private key"));
    for name in ["crit", "b64", "zip"] {
        check(|header, _| header[name] = json!(["x"]), Err("it is not a compact JWS"));
    }
}

#[test]
fn case_31_a_proof_is_for_one_request() {
    let text = Err("htm, htu, jti, ath or nonce is missing or not text");
    for name in ["htm", "htu", "jti"] {
        check(|_, claims| without(claims, name), text);
        check(|_, claims| claims[name] = json!(1), text);
    }
    check(|_, claims| claims["nonce"] = json!(1), text);
    check(|_, claims| claims["jti"] = json!(""), Err("jti is empty or too long"));
    check(|_, claims| claims["htm"] = json!("post"), Err("htm is another method"));
    check(|_, claims| without(claims, "iat"), Err("iat is missing"));
    for bad in [json!("1000000"), json!(1e6), json!(-1), json!(u64::MAX), json!(i64::MAX)] {
        check(|_, claims| claims["iat"] = bad, Err("iat, nbf or exp is not a time"));
    }
}

#[test]
fn rfc9449_4_3_urls_are_compared_normalized_and_without_query() {
    for same in [
        "https://id.example/token?a=b#c",
        "HTTPS://ID.Example/token",
        "https://id.example:443/token",
        "https://id.example/x/../token",
    ] {
        assert!(is_same_resource(same, URL), "{same}");
    }
    assert!(is_same_resource("https://id.example/token", "https://id.example/token?a=b"));
    for other in [
        "",
        "/token",
        "http://id.example/token",
        "https://id.example:8443/token",
        "https://id.example/token/",
        "https://id.example/Token",
        "https://id.example.evil/token",
        "https://id.example@evil/token",
        "https://u:p@id.example/token",
    ] {
        assert!(!is_same_resource(other, URL), "{other}");
    }
}

#[test]
fn case_31_a_proof_at_a_resource_holds_the_hash_of_its_token() {
    let key = Key::new();
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk()});
    let read = |claims: &Value| {
        let target = Target { method: "POST", url: URL, alias: None, token: Some("token") };
        Proof::read(&key.sign(&header, claims), &target, &Algorithm::ALL).map(drop)
    };
    let mut claims = json!({"jti": "1", "htm": "POST", "htu": URL, "iat": NOW});

    assert!(read(&claims).is_err());
    claims["ath"] = json!(token_hash("token"));
    assert_eq!(read(&claims), Ok(()));
    claims["ath"] = json!(token_hash("other"));
    assert_eq!(read(&claims), Err("ath is the hash of another access token"));
}

#[test]
fn case_31_a_proof_is_fresh_for_a_minute_either_way() {
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
    let proof = Proof {
        key: String::new(),
        name: String::new(),
        nonce: None,
        issued_at: at(NOW),
        not_before: None,
        expires_at: None,
    };
    let until = |now: i64, ours| proof.memorable_until(at(now), ours);

    for now in [NOW - 60, NOW - 10, NOW, NOW + 10, NOW + 60] {
        assert!(until(now, false).unwrap() > at(now));
    }
    for now in [NOW - 3600, NOW - 61, NOW + 61, NOW + 3600] {
        assert!(until(now, false).is_err(), "{now}");
        assert!(until(now, true).is_ok(), "a nonce of ours says when it was made");
    }
    let early = Proof { not_before: Some(at(NOW + 61)), ..proof.clone() };
    assert!(early.memorable_until(at(NOW), false).is_err());
    let late = Proof { expires_at: Some(at(NOW - 60)), ..proof };
    assert!(late.memorable_until(at(NOW), true).is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_proof_or_is_refused(text in "[A-Za-z0-9_.-]{0,200}|\\PC{0,80}") {
        let target = Target { method: "POST", url: URL, alias: None, token: None };
        prop_assert!(Proof::read(&text, &target, &Algorithm::ALL).is_err());
    }

    #[test]
    fn any_url_is_compared_without_a_panic(text in "(https?:)?[/@:.a-z0-9?#%\\[\\]]{0,60}|\\PC{0,40}") {
        let _ = is_same_resource(&text, URL);
    }
}
