//! Who the client is: its assertions, at the token endpoint and where it pushes.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::fapi::{By, Case, Changed, Fapi, Site, borrowed, by_key_and_certificate};
use crate::common::server::TestServer;
use crate::common::signer::{Signer, bent};
use crate::common::world::ben;

by_key_and_certificate!(
    discovery_end_point_verification,
    happy_flow,
    ensure_client_id_in_token_endpoint,
);

both!(
    ensure_client_assertion_in_token_endpoint,
    ensure_client_assertion_with_exp_is_5_minutes_in_past_fails,
    ensure_client_assertion_with_wrong_aud_fails,
    ensure_client_assertion_with_no_sub_fails,
    ensure_signed_client_assertion_with_rs256_fails,
    par_ensure_jwt_client_assertion_with_iat_nbf_8_seconds_in_the_future_is_accepted,
    par_ensure_jwt_client_assertion_with_iat_nbf_over_60_seconds_in_the_future_fails,
    par_endpoint_as_array_audience_fails,
    par_endpoint_as_audience_fails,
    par_token_endpoint_as_audience_fails,
    what_breaks_the_profile_is_not_registered,
);

fn by_key(db: Kind) -> Case {
    Case { db, by: By::Key }
}

/// Pushes, and exchanges a good code, with a bent assertion.
async fn with_assertion(
    db: Kind,
    changed: impl Fn(&TestServer) -> Vec<(&'static str, Value)>,
) -> [String; 2] {
    let server = Site::start(by_key(db)).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let assertion = || client.key.sign("", &bent(&client.statement(), &changed(&server)));
    let mut fields = client.request();
    fields["state"] = json!("x");
    let pushed: Vec<_> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let pushed = client.post_as(&assertion(), "/par", None, &borrowed(&pushed)).await;
    let redeeming = client.redeeming(&code, &[]);
    let proof = client.at_token();
    let redeemed =
        client.post_as(&assertion(), "/token", Some(&proof), &borrowed(&redeeming)).await;
    [pushed.refusal(), redeemed.refusal()]
}

const REFUSED: [&str; 2] = ["401 invalid_client", "401 invalid_client"];
const TAKEN: [&str; 2] = ["201 ", "200 "];

async fn discovery_end_point_verification(case: Case) {
    let server = Site::start(case).await;
    let metadata = server.browser().get("/.well-known/openid-configuration").await.json();
    let has = |name: &str, value: &str| {
        let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name}: {metadata}"));
        assert!(list.contains(&json!(value)), "{name} has no {value}");
    };

    assert_eq!(metadata["issuer"], server.url);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert!(metadata["pushed_authorization_request_endpoint"].is_string());
    has("response_types_supported", "code");
    has("code_challenge_methods_supported", "S256");
    has("token_endpoint_auth_methods_supported", "private_key_jwt");
    if case.by == By::Certificate {
        has("token_endpoint_auth_methods_supported", "tls_client_auth");
        assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
        let aliases = metadata["mtls_endpoint_aliases"].as_object().expect("aliases");
        for (name, alias) in aliases {
            let (alias, own) = (alias.as_str().unwrap(), metadata[name].as_str().unwrap());
            assert!(alias.starts_with("https://"), "{name}");
            assert_eq!(own.rsplit('/').next(), alias.rsplit('/').next(), "{name}");
        }
    }
    for alg in ["PS256", "ES256", "EdDSA"] {
        has("token_endpoint_auth_signing_alg_values_supported", alg);
        has("dpop_signing_alg_values_supported", alg);
        has("request_object_signing_alg_values_supported", alg);
        has("authorization_signing_alg_values_supported", alg);
    }
    has("response_modes_supported", "jwt");
    has("grant_types_supported", "authorization_code");
}

async fn happy_flow(case: Case) {
    let server = Site::start(case).await;

    for (id, alg) in [("one", "PS256"), ("two", "EdDSA")] {
        let client = Fapi::register(&server, id, Signer::new(alg), false).await;
        let answer = client.ask(&ben(&server), &[]).await;
        assert_eq!(client.told(&answer, "iss").as_deref(), Some(&*server.url));
        assert_eq!(client.told(&answer, "state").as_deref(), Some("st"));
        let code = client.told(&answer, "code").unwrap();
        let tokens = client.exchange(&code, &[]).await.expect(200);
        assert_eq!(tokens.text("token_type"), client.scheme());
        let id_token = tokens.text("id_token");
        assert_eq!(crate::common::jwt::header(&id_token)["alg"], "ES256");
        assert_eq!(crate::common::jwt::claims(&id_token)["nonce"], "no");
        client.resource(&tokens.text("access_token")).await.expect(200);
    }
}

async fn ensure_client_id_in_token_endpoint(case: Case) {
    let server = Site::start(case).await;
    let (one, _two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let code = one.code(&ben(&server)).await;

    // The second client by name, by the key or the certificate of the first.
    let fields = one.redeeming(&code, &[("client_id", json!("two"))]);
    let named = one.post("/token", Some(&one.at_token()), &borrowed(&fields)).await;
    assert_eq!(named.refusal(), "401 invalid_client");
    if case.by == By::Key {
        let statement = bent(&one.statement(), &[("iss", json!("two")), ("sub", json!("two"))]);
        let (assertion, proof) = (one.key.sign("", &statement), one.at_token());
        let foreign = one.post_as(&assertion, "/token", Some(&proof), &borrowed(&fields)).await;
        assert_eq!(foreign.refusal(), "401 invalid_client");
    }
}

async fn ensure_client_assertion_in_token_endpoint(db: Kind) {
    let server = Site::start(by_key(db)).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let fields = client.redeeming(&code, &[("client_id", json!("one"))]);
    let proof = client.at_token();
    let bare = client.http.post_with("/token", &[("dpop", &proof)], &borrowed(&fields)).await;

    assert_eq!(bare.refusal(), "401 invalid_client");
}

async fn ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(db: Kind) {
    let past = |server: &TestServer| vec![("exp", json!(server.now() - 300))];
    assert_eq!(with_assertion(db, past).await, REFUSED);
}

async fn ensure_client_assertion_with_wrong_aud_fails(db: Kind) {
    let wrong = |_: &TestServer| vec![("aud", json!("https://www.other1.example.com/"))];
    assert_eq!(with_assertion(db, wrong).await, REFUSED);
}

async fn ensure_client_assertion_with_no_sub_fails(db: Kind) {
    assert_eq!(with_assertion(db, |_| vec![("sub", Value::Null)]).await, REFUSED);
}

async fn ensure_signed_client_assertion_with_rs256_fails(db: Kind) {
    let server = Site::start(by_key(db)).await;
    let key = Signer::new("RS256");
    let mut client = Fapi::register(&server, "one", Signer::new("PS256"), false).await;
    // The set names no algorithm for the key: the server alone stands against RS256.
    let mut jwk = key.bare_jwk();
    jwk["kid"] = json!(key.kid);
    let metadata = json!({"profile": "fapi2_security", "jwks": {"keys": [jwk]},
                          "token_endpoint_auth_method": "private_key_jwt"});
    let yaml = format!(
        "apps: [{{ id: one, account: acme, title: one, status: live, type: confidential, \
         allowed_accounts: all, allowed_scopes: [openid, project.read], \
         callback_urls: ['{}'], client_metadata: {metadata} }}]",
        client.callback
    );
    server.apply(&yaml).await;
    client.key = key;
    assert_eq!(client.push(&[]).await.refusal(), "401 invalid_client");
    let head = json!({"alg": "PS256", "kid": client.key.kid});
    let assertion = client.key.sign_with(&head, &client.statement());
    let fields = client.request();
    let fields: Vec<_> = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    client.post_as(&assertion, "/par", None, &fields).await.expect(201);
}

async fn par_ensure_jwt_client_assertion_with_iat_nbf_8_seconds_in_the_future_is_accepted(
    db: Kind,
) {
    let ahead = |server: &TestServer| {
        vec![("iat", json!(server.now() + 8)), ("nbf", json!(server.now() + 8))]
    };
    assert_eq!(with_assertion(db, ahead).await, TAKEN);
}

async fn par_ensure_jwt_client_assertion_with_iat_nbf_over_60_seconds_in_the_future_fails(
    db: Kind,
) {
    let ahead = |server: &TestServer| {
        vec![("iat", json!(server.now() + 65)), ("nbf", json!(server.now() + 65))]
    };
    assert_eq!(with_assertion(db, ahead).await, REFUSED);
}

async fn par_endpoint_as_array_audience_fails(db: Kind) {
    let list =
        |server: &TestServer| vec![("aud", json!([server.url, format!("{}/par", server.url)]))];
    assert_eq!(with_assertion(db, list).await, REFUSED);
}

async fn par_endpoint_as_audience_fails(db: Kind) {
    let par = |server: &TestServer| vec![("aud", json!(format!("{}/par", server.url)))];
    assert_eq!(with_assertion(db, par).await, REFUSED);
}

async fn par_token_endpoint_as_audience_fails(db: Kind) {
    let token = |server: &TestServer| vec![("aud", json!(format!("{}/token", server.url)))];
    assert_eq!(with_assertion(db, token).await, REFUSED);
}

async fn what_breaks_the_profile_is_not_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let good = json!({"profile": "fapi2_message_signing", "jwks": key.jwks(),
                      "token_endpoint_auth_method": "private_key_jwt"});
    let declare = async |lines: &str, changed: Changed<'_>| {
        let yaml = format!(
            "apps:\n  - id: one\n    account: acme\n    title: one\n    type: confidential\n    \
             allowed_scopes: [openid]\n    callback_urls: [https://one.example/cb]\n    {lines}\n    \
             client_metadata: {}",
            bent(&good, changed)
        );
        server.try_apply(&yaml).await.err().map(|error| error.to_string())
    };

    assert_eq!(declare("status: live", &[]).await, None);
    for (lines, changed, field) in [
        ("require_pkce: false", vec![], "require_pkce"),
        ("id_token_algorithm: RS256", vec![], "id_token_algorithm"),
        ("access_token_algorithm: RS256", vec![], "access_token_algorithm"),
        (
            "status: live",
            vec![("token_endpoint_auth_method", json!("client_secret_basic"))],
            "token_endpoint_auth_method",
        ),
        (
            "status: live",
            vec![("request_object_signing_alg", json!("RS256"))],
            "request_object_signing_alg",
        ),
        ("status: live", vec![("jwks", Value::Null)], "profile"),
    ] {
        let told = declare(lines, &changed).await.unwrap_or_default();
        assert!(told.contains(field), "{field}: {told}");
    }
}
