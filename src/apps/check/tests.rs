//! Client metadata, bent field by field.

use std::borrow::Borrow;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn jwk() -> Value {
    // Source: RFC 7515 appendix A.3.
    json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" })
}

fn private() -> Value {
    let mut jwk = jwk();
    jwk["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    jwk
}

fn fields(kind: Kind, metadata: &Value) -> Vec<String> {
    let metadata: ClientMetadata = serde_json::from_value(metadata.clone()).unwrap();
    let callback_urls = ["https://a.example/cb", "https://b.example/cb"]
        .map(|url| RedirectUri::parse(url).unwrap());
    let faults = metadata.check(Around { kind, callback_urls: &callback_urls });
    let fields = faults.err().unwrap_or_default();
    fields
        .into_iter()
        .map(|fault| fault.field.trim_start_matches("client_metadata.").to_owned())
        .collect()
}

#[track_caller]
fn good(metadata: impl Borrow<Value>) {
    let metadata = metadata.borrow();
    let faults = fields(Kind::Confidential, metadata);
    assert!(faults.is_empty(), "{metadata}: {faults:?}");
}

#[track_caller]
fn refused(metadata: impl Borrow<Value>, field: &str) {
    let metadata = metadata.borrow();
    assert_eq!(fields(Kind::Confidential, metadata), [field], "{metadata}");
}

#[test]
fn rfc7591_2_keys_come_one_way_and_are_public() {
    let keys = json!({ "keys": [jwk()] });
    good(json!({ "jwks": keys }));
    good(json!({ "jwks": { "keys": [] } }));
    good(json!({ "jwks_uri": "https://a.example/jwks" }));
    good(json!({ "jwks": keys, "token_endpoint_auth_method": "private_key_jwt",
                 "token_endpoint_auth_signing_alg": "ES256" }));
    refused(json!({ "jwks": keys, "jwks_uri": "https://a.example/jwks" }), "jwks");
    refused(json!({ "jwks": { "keys": [private()] } }), "jwks");
    let mut hidden = private();
    hidden["use"] = json!("enc");
    refused(json!({ "jwks": { "keys": [hidden] } }), "jwks");
    refused(json!({ "jwks": { "keys": [{ "kty": "oct", "k": "AAAA" }] } }), "jwks");
    for bad in [json!({}), json!([]), json!("x"), json!({ "keys": [1] })] {
        refused(json!({ "jwks": bad }), "jwks");
    }
    refused(json!({ "jwks": { "keys": [{ "kty": "RSA", "n": "A".repeat(40_000) }] } }), "jwks");
    refused(
        json!({ "jwks": { "keys": [] }, "token_endpoint_auth_method": "private_key_jwt" }),
        "jwks",
    );
}

#[test]
fn rfc7591_2_the_method_goes_with_the_kind_and_its_keys() {
    const METHOD: &str = "token_endpoint_auth_method";
    const ALG: &str = "token_endpoint_auth_signing_alg";
    assert!(fields(Kind::Public, &json!({ METHOD: "none" })).is_empty());
    assert_eq!(fields(Kind::Public, &json!({ METHOD: "client_secret_basic" })), [METHOD]);
    refused(json!({ METHOD: "none" }), METHOD);
    refused(json!({ METHOD: "private_key_jwt" }), METHOD);
    refused(json!({ METHOD: "self_signed_tls_client_auth" }), METHOD);
    refused(json!({ METHOD: "client_secret_basic", ALG: "ES256" }), ALG);
    refused(json!({ METHOD: "client_secret_jwt", ALG: "ES256" }), ALG);
    let keys = json!({ "keys": [jwk()] });
    for alg in ["HS256", "none"] {
        refused(json!({ METHOD: "private_key_jwt", "jwks": keys, ALG: alg }), ALG);
    }
    good(json!({ METHOD: "client_secret_jwt", ALG: "HS256" }));
}

#[test]
fn rfc8705_2_1_2_one_name_of_the_certificate() {
    let method = json!("tls_client_auth");
    let dn = "tls_client_auth_subject_dn";
    good(json!({ "token_endpoint_auth_method": method, dn: "CN=a" }));
    refused(json!({ "token_endpoint_auth_method": method }), "token_endpoint_auth_method");
    refused(
        json!({ "token_endpoint_auth_method": method, dn: "CN=a",
                "tls_client_auth_san_dns": "a.example" }),
        "token_endpoint_auth_method",
    );
    refused(
        json!({ "token_endpoint_auth_method": method, "tls_client_auth_san_ip": "a.example" }),
        "tls_client_auth_san_ip",
    );
    refused(json!({ dn: "CN=a" }), dn);
}

#[test]
fn encryption_and_signed_requests_need_keys_and_every_name() {
    let uri = "https://a.example/jwks";
    for of in ["id_token", "userinfo"] {
        let (alg, enc) =
            (format!("{of}_encrypted_response_alg"), format!("{of}_encrypted_response_enc"));
        good(json!({ &alg: "ECDH-ES", &enc: "A256GCM", "jwks_uri": uri }));
        refused(json!({ &alg: "ECDH-ES", "jwks_uri": uri }), &enc);
        refused(json!({ &enc: "A256GCM", "jwks_uri": uri }), &enc);
        refused(json!({ &alg: "ECDH-ES", &enc: "A256GCM" }), &alg);
    }
    good(json!({ "request_object_signing_alg": "none" }));
    refused(json!({ "request_object_signing_alg": "PS256" }), "request_object_signing_alg");
    refused(
        json!({ "request_object_signing_alg": "none", "jwks_uri": uri,
                "require_signed_request_object": true }),
        "request_object_signing_alg",
    );
    refused(json!({ "require_signed_request_object": true }), "require_signed_request_object");
    good(
        json!({ "request_uris": ["https://a.example/r#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"] }),
    );
    for bad in ["https://a.example/r#", "https://a.example/r#a#b", "http://a.example/r", "x"] {
        refused(json!({ "request_uris": [uri, bad] }), "request_uris[1]");
    }
    let many: Vec<&str> = vec![uri; ITEMS_MAX + 1];
    refused(json!({ "request_uris": many }), "request_uris");
}

#[test]
fn ping_needs_an_endpoint_and_public_keys_sign() {
    let (mode, endpoint) =
        ("backchannel_token_delivery_mode", "backchannel_client_notification_endpoint");
    good(json!({ mode: "ping", endpoint: "https://a.example/ping" }));
    good(json!({ mode: "poll" }));
    refused(json!({ mode: "ping" }), endpoint);
    let alg = "backchannel_authentication_request_signing_alg";
    refused(json!({ alg: "HS256" }), alg);
    refused(json!({ alg: "none" }), alg);
    refused(json!({ alg: "ES256" }), alg);
}

#[test]
fn case_04_no_registered_url_runs_code() {
    let fields = [
        "jwks_uri",
        "sector_identifier_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "initiate_login_uri",
        "policy_uri",
        "tos_uri",
        "backchannel_client_notification_endpoint",
    ];
    for field in fields {
        good(json!({ field: "https://a.example/x" }));
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "javascript://a.example/%0aalert(1)",
            "data:text/html,x",
            "DATA:text/html,x",
            "vbscript:x",
            "com.example.app:/x",
            "http://a.example/x",
            "https://user@a.example/x",
            "/x",
            "",
        ] {
            refused(json!({ field: bad }), field);
        }
    }
    for name in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        let name = format!("{name}#de");
        refused(json!({ "localized": { name: "JAVASCRIPT:alert(1)" } }), "localized[0]");
    }
}

#[test]
fn logout_and_sign_in_urls_keep_their_own_rules() {
    refused(json!({ "initiate_login_uri": "http://127.0.0.1/login" }), "initiate_login_uri");
    let front = "frontchannel_logout_uri";
    refused(json!({ front: "https://c.example/out" }), front);
    refused(json!({ front: "https://a.example:444/out" }), front);
    refused(
        json!({ "backchannel_logout_session_required": true }),
        "backchannel_logout_session_required",
    );
}

#[test]
fn core_8_1_a_sector_has_one_name() {
    let uri = "https://a.example/sector";
    good(json!({ "subject_type": "pairwise", "sector_identifier_uri": uri }));
    refused(json!({ "subject_type": "pairwise" }), "sector_identifier_uri");
}

#[test]
fn texts_and_lists_are_bounded() {
    refused(json!({ "application_type": "desktop" }), "application_type");
    refused(json!({ "contacts": ["a@a.example", "a\nb"] }), "contacts[1]");
    refused(json!({ "contacts": vec!["a"; ITEMS_MAX + 1] }), "contacts");
    refused(json!({ "software_id": "" }), "software_id");
    good(json!({ "localized": { "client_name#de-AT": "Ä" } }));
    refused(json!({ "localized": { "client_name": "A" } }), "localized[0]");
    refused(json!({ "localized": { "client_name#": "A" } }), "localized[0]");
    refused(json!({ "localized": { "client_name#d_e": "A" } }), "localized[0]");
    refused(json!({ "localized": { "client_name#de": 1 } }), "localized[0]");
    refused(json!({ "localized": { "status#de": "live" } }), "localized[0]");
}

proptest! {
    /// Whatever a registered URL is, it leads to https, or to this machine, and stays itself.
    #[test]
    fn what_is_let_pass_is_a_web_address(
        scheme in "(https|http|javascript|HTTPS|data|[a-z.]{1,8})",
        rest in "[ -~]{0,40}",
    ) {
        let text = format!("{scheme}:{rest}");
        let metadata = ClientMetadata { policy_uri: Some(text.clone()), ..Default::default() };
        let around = Around { kind: Kind::Public, callback_urls: &[] };
        if metadata.check(around).is_ok() {
            let parsed = ::url::Url::parse(&text).unwrap();
            prop_assert!(parsed.scheme() == "https" || text.starts_with("http://"));
            prop_assert!(parsed.fragment().is_none() && parsed.username().is_empty());
        }
    }

    /// No JSON makes the rules panic, and no private member gets through.
    #[test]
    fn no_set_with_a_private_member_is_registered(
        member in proptest::sample::select(&PRIVATE_MEMBERS[..]),
        usage in proptest::option::of("(sig|enc|x)"),
        value in "[A-Za-z0-9_-]{0,8}",
    ) {
        let mut key = jwk();
        key[member] = json!(value);
        if let Some(usage) = usage {
            key["use"] = json!(usage);
        }
        let jwks = Some(json!({ "keys": [jwk(), key] }));
        let metadata = ClientMetadata { jwks, ..Default::default() };
        let around = Around { kind: Kind::Public, callback_urls: &[] };
        prop_assert!(metadata.check(around).is_err());
    }
}
