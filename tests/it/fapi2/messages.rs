//! Message Signing: signed requests, signed answers.

use serde_json::{Value, json};

use crate::common::fapi::{Case, Changed, Fapi, Site, by_key_and_certificate};
use crate::common::jwt;
use crate::common::signer::{Signer, bent};
use crate::common::world::ben;

by_key_and_certificate!(
    happy_flow,
    user_rejects_authentication,
    ensure_server_accepts_request_object_with_multiple_aud,
    ensure_request_object_without_exp_fails,
    ensure_request_object_without_nbf_fails,
    ensure_expired_request_object_fails,
    ensure_request_object_with_bad_aud_fails,
    ensure_request_object_with_exp_over_60_fails,
    ensure_request_object_with_nbf_over_60_fails,
    ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted,
    ensure_signed_request_object_with_rs256_fails,
    ensure_request_object_signature_algorithm_is_not_none,
    ensure_request_object_with_invalid_signature_fails,
    ensure_matching_key_in_authorization_request,
    ensure_unsigned_request_at_par_endpoint_fails,
    par_reject_request_uri_in_par_authorization_request,
    ensure_request_object_without_redirect_uri_fails,
    answers_are_signed,
);

const TYPE: &str = "oauth-authz-req+jwt";
const REFUSED: &str = "400 invalid_request_object";

/// What pushing a changed request object ends with; numbers are seconds from now.
async fn pushing(case: Case, changed: &[(&str, Value)], moments: &[(&str, i64)]) -> String {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let mut claims = bent(&client.object(), changed);
    for (name, offset) in moments {
        claims[*name] = json!(server.now() + offset);
    }
    client.push_object(&client.key.sign(TYPE, &claims)).await.refusal()
}

async fn happy_flow(case: Case) {
    let server = Site::start(case).await;

    for (id, alg) in [("one", "PS256"), ("two", "ES256")] {
        let client = Fapi::register(&server, id, Signer::new(alg), true).await;
        let answer = client.ask(&ben(&server), &[]).await;
        let response = answer.location_param("response").expect("a signed answer");
        assert_eq!(answer.location_param("code"), None);
        assert_eq!(jwt::header(&response)["alg"], "ES256");
        let claims = jwt::claims(&response);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.url), &json!(id)));
        assert!(claims["exp"].as_i64().unwrap() > server.now());
        assert_eq!(claims["state"], "st");
        let code = client.told(&answer, "code").expect("a code");
        let tokens = client.exchange(&code, &[]).await.expect(200);
        client.resource(&tokens.text("access_token")).await.expect(200);
    }
}

async fn user_rejects_authentication(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let ben = ben(&server);
    let uri = client.push(&[]).await.expect(201).text("request_uri");
    let first = ben.browser.get(&client.url(&uri)).await;
    let sign_in = ben.browser.follow(first).await;
    let consent = ben.answer_page(&server, &sign_in).await;

    let denied = ben.decide(&consent, false).await;

    assert!(denied.location_param("error").is_none(), "{denied:?}");
    assert_eq!(client.told(&denied, "error").as_deref(), Some("access_denied"));
}

async fn ensure_server_accepts_request_object_with_multiple_aud(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let aud = json!([server.url, "https://other1.example.com", "invalid"]);
    client.push(&[("aud", aud)]).await.expect(201);
}

async fn ensure_request_object_without_exp_fails(case: Case) {
    assert_eq!(pushing(case, &[("exp", Value::Null)], &[]).await, REFUSED);
}

async fn ensure_request_object_without_nbf_fails(case: Case) {
    assert_eq!(pushing(case, &[("nbf", Value::Null)], &[]).await, REFUSED);
}

async fn ensure_expired_request_object_fails(case: Case) {
    assert_eq!(pushing(case, &[], &[("exp", -300)]).await, REFUSED);
}

async fn ensure_request_object_with_bad_aud_fails(case: Case) {
    let other = json!("https://www.other1.example.com/");
    assert_eq!(pushing(case, &[("aud", other)], &[]).await, REFUSED);
}

async fn ensure_request_object_with_exp_over_60_fails(case: Case) {
    assert_eq!(pushing(case, &[], &[("exp", 70 * 60)]).await, REFUSED);
}

async fn ensure_request_object_with_nbf_over_60_fails(case: Case) {
    assert_eq!(pushing(case, &[], &[("nbf", -70 * 60)]).await, REFUSED);
}

async fn ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(case: Case) {
    assert_eq!(pushing(case, &[], &[("nbf", 8)]).await, "201 ");
}

async fn ensure_signed_request_object_with_rs256_fails(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::register(&server, "one", Signer::new("PS256"), true).await;
    let head = json!({"alg": "RS256", "kid": client.key.kid});

    let refused = client.push_object(&client.key.sign_with(&head, &client.object())).await;

    assert_eq!(refused.refusal(), REFUSED);
}

async fn ensure_request_object_signature_algorithm_is_not_none(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let parts = [json!({"alg": "none"}).to_string(), client.object().to_string()];

    let refused = client.push_object(&format!("{}.", parts.map(jwt::encode).join("."))).await;

    assert_eq!(refused.refusal(), REFUSED);
}

async fn ensure_request_object_with_invalid_signature_fails(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let good = client.key.sign(TYPE, &client.object());
    let bent =
        jwt::forged(&good, &jwt::header(&good), &bent(&client.object(), &[("state", json!("x"))]));

    assert_eq!(client.push_object(&bent).await.refusal(), REFUSED);
}

async fn ensure_matching_key_in_authorization_request(case: Case) {
    let server = Site::start(case).await;
    let (one, two) = (Fapi::signing(&server, "one").await, Fapi::signing(&server, "two").await);

    let foreign = one.push_object(&two.key.sign(TYPE, &one.object())).await;
    let of_the_other = one.push_object(&two.key.sign(TYPE, &two.object())).await;

    assert_eq!((foreign.refusal().as_str(), of_the_other.refusal().as_str()), (REFUSED, REFUSED));
}

async fn ensure_unsigned_request_at_par_endpoint_fails(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;

    assert_eq!(client.push_proven(&[], None).await.refusal(), "400 invalid_request");
}

async fn par_reject_request_uri_in_par_authorization_request(case: Case) {
    let uri = json!("urn:ietf:params:oauth:request_uri:1.x");
    assert_eq!(pushing(case, &[("request_uri", uri)], &[]).await, REFUSED);
}

async fn ensure_request_object_without_redirect_uri_fails(case: Case) {
    let refused = pushing(case, &[("redirect_uri", Value::Null)], &[]).await;
    assert_eq!(refused, "400 invalid_request");
}

async fn answers_are_signed(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::signing(&server, "one").await;
    let ask = async |changed: Changed<'_>| client.push(changed).await.refusal();

    assert_eq!(ask(&[("response_mode", json!("query"))]).await, "400 invalid_request");
    assert_eq!(ask(&[("response_mode", Value::Null)]).await, "400 invalid_request");
    for mode in ["jwt", "query.jwt", "form_post.jwt"] {
        assert_eq!(ask(&[("response_mode", json!(mode))]).await, "201 ", "{mode}");
    }
}
