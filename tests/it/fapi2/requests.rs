//! Pushed requests, and what the authorization endpoint makes of them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::fapi::{Case, Changed, Fapi, Site, by_key_and_certificate};
use crate::common::jwt;
use crate::common::world::ben;

by_key_and_certificate!(
    user_rejects_authentication,
    ensure_authorization_request_without_state_success,
    ensure_authorization_request_without_nonce_success,
    ensure_authorization_request_with_64_char_nonce_success,
    ensure_authorization_request_with_long_nonce,
    ensure_authorization_request_with_long_state,
    ensure_other_scope_order_succeeds,
    ensure_different_nonce_inside_and_outside_request_object,
    ensure_different_state_inside_and_outside_request_object,
    state_only_outside_request_object_not_used,
    ensure_redirect_uri_in_authorization_request,
    ensure_registered_redirect_uri,
    ensure_unsigned_authorization_request_without_using_par_fails,
    ensure_response_type_code_id_token_fails,
    ensure_response_type_token_fails,
    par_attempt_reuse_request_uri,
    par_attempt_to_use_expired_request_uri,
    par_ensure_server_accepts_reused_request_uri_before_authentication_completion,
    par_ensure_request_uri_is_bound_to_client,
    par_reject_request_uri_in_par_authorization_form_params,
    par_reject_invalid_http_verb,
    par_ensure_pkce_required,
    par_ensure_plain_pkce_rejected,
    par_without_duplicate_parameters,
);

/// What pushing a changed request ends with.
async fn pushing(case: Case, changed: Changed<'_>) -> String {
    let server = Site::start(case).await;
    Fapi::security(&server, "one").await.push(changed).await.refusal()
}

/// A whole flow with a changed request: the state that comes back, and the ID token.
async fn flow(case: Case, changed: Changed<'_>, outside: &str) -> (Option<String>, Value) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let pushed = client.push(changed).await.expect(201);
    let url = format!("{}{outside}", client.url(&pushed.text("request_uri")));
    let answer = ben(&server).authorize(&server, &url).await;
    let code = client.told(&answer, "code").unwrap_or_else(|| panic!("{answer:?}"));
    let tokens = client.exchange(&code, &[]).await.expect(200);
    (client.told(&answer, "state"), jwt::claims(&tokens.text("id_token")))
}

async fn user_rejects_authentication(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let ben = ben(&server);
    let uri = client.push(&[]).await.expect(201).text("request_uri");
    let first = ben.browser.get(&client.url(&uri)).await;
    let sign_in = ben.browser.follow(first).await;
    let consent = ben.answer_page(&server, &sign_in).await;

    let denied = ben.decide(&consent, false).await;

    assert_eq!(client.told(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(client.told(&denied, "state").as_deref(), Some("st"));
    assert_eq!(client.told(&denied, "iss").as_deref(), Some(&*server.url));
    let again = ben.browser.get(&client.url(&uri)).await;
    assert_eq!(again.refusal(), "303 invalid_request_uri");
}

async fn ensure_authorization_request_without_state_success(case: Case) {
    assert_eq!(flow(case, &[("state", Value::Null)], "").await.0, None);
}

async fn ensure_authorization_request_without_nonce_success(case: Case) {
    assert_eq!(flow(case, &[("nonce", Value::Null)], "").await.1.get("nonce"), None);
}

async fn ensure_authorization_request_with_64_char_nonce_success(case: Case) {
    let nonce = json!("n".repeat(64));
    assert_eq!(flow(case, &[("nonce", nonce.clone())], "").await.1["nonce"], nonce);
}

async fn ensure_authorization_request_with_long_nonce(case: Case) {
    let nonce = json!("n".repeat(384));
    assert_eq!(flow(case, &[("nonce", nonce.clone())], "").await.1["nonce"], nonce);
}

async fn ensure_authorization_request_with_long_state(case: Case) {
    let state = "s".repeat(1_000);
    assert_eq!(flow(case, &[("state", json!(state))], "").await.0, Some(state));
}

async fn ensure_other_scope_order_succeeds(case: Case) {
    let other = [("scope", json!("project.read openid"))];
    assert_eq!(flow(case, &other, "").await.1["aud"], "one");
}

async fn ensure_different_nonce_inside_and_outside_request_object(case: Case) {
    assert_eq!(flow(case, &[], "&nonce=outside").await.1["nonce"], "no");
}

async fn ensure_different_state_inside_and_outside_request_object(case: Case) {
    assert_eq!(flow(case, &[], "&state=outside").await.0.as_deref(), Some("st"));
}

async fn state_only_outside_request_object_not_used(case: Case) {
    assert_eq!(flow(case, &[("state", Value::Null)], "&state=outside").await.0, None);
}

async fn ensure_redirect_uri_in_authorization_request(case: Case) {
    let without = [("redirect_uri", Value::Null)];
    assert_eq!(pushing(case, &without).await, "400 invalid_request");
    let without = [("redirect_uri", Value::Null), ("scope", json!("project.read"))];
    assert_eq!(pushing(case, &without).await, "400 invalid_request");
}

async fn ensure_registered_redirect_uri(case: Case) {
    let other = [("redirect_uri", json!("https://one.example/callback/random"))];
    assert_eq!(pushing(case, &other).await, "400 invalid_request");
}

async fn ensure_unsigned_authorization_request_without_using_par_fails(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let request = client.request();
    let pairs = request.as_object().unwrap();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.iter().map(|(name, value)| (name, value.as_str().unwrap())))
        .finish();

    let answer = ben(&server).browser.get(&format!("/authorize?{query}")).await;

    assert_eq!(answer.refusal(), "303 invalid_request");
    assert_eq!(answer.location_param("state").as_deref(), Some("st"));
}

async fn ensure_response_type_code_id_token_fails(case: Case) {
    let other = [("response_type", json!("code id_token"))];
    assert_eq!(pushing(case, &other).await, "400 unsupported_response_type");
}

async fn ensure_response_type_token_fails(case: Case) {
    let other = [("response_type", json!("token"))];
    assert_eq!(pushing(case, &other).await, "400 unsupported_response_type");
}

async fn par_attempt_reuse_request_uri(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let url = client.url(&client.push(&[]).await.expect(201).text("request_uri"));
    let ben = ben(&server);
    assert!(client.told(&ben.authorize(&server, &url).await, "code").is_some());

    assert_eq!(ben.authorize(&server, &url).await.refusal(), "303 invalid_request_uri");
}

async fn par_attempt_to_use_expired_request_uri(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let pushed = client.push(&[]).await.expect(201);
    let seconds = pushed.json()["expires_in"].as_i64().unwrap();
    server.advance(TimeDelta::seconds(seconds));

    let late = ben(&server).browser.get(&client.url(&pushed.text("request_uri"))).await;

    assert_eq!(late.refusal(), "303 invalid_request_uri");
}

async fn par_ensure_server_accepts_reused_request_uri_before_authentication_completion(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let url = client.url(&client.push(&[]).await.expect(201).text("request_uri"));
    let ben = ben(&server);

    let first = ben.browser.get(&url).await;
    ben.browser.follow(first).await.expect(200);
    let answer = ben.authorize(&server, &url).await;

    assert!(client.told(&answer, "code").is_some(), "{answer:?}");
}

async fn par_ensure_request_uri_is_bound_to_client(case: Case) {
    let server = Site::start(case).await;
    let (one, two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let uri = one.push(&[]).await.expect(201).text("request_uri");

    assert_eq!(ben(&server).browser.get(&two.url(&uri)).await.refusal(), "400 page");
}

async fn par_reject_request_uri_in_par_authorization_form_params(case: Case) {
    let uri = [("request_uri", json!("urn:ietf:params:oauth:request_uri:1.x"))];
    assert_eq!(pushing(case, &uri).await, "400 invalid_request");
}

async fn par_reject_invalid_http_verb(case: Case) {
    let server = Site::start(case).await;
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = server.browser().send(method.clone(), "/par", &[], "").await;
        assert_eq!(answer.status, 405, "{method}");
    }
}

async fn par_ensure_pkce_required(case: Case) {
    let without = [("code_challenge", Value::Null), ("code_challenge_method", Value::Null)];
    assert_eq!(pushing(case, &without).await, "400 invalid_request");
}

async fn par_ensure_plain_pkce_rejected(case: Case) {
    let plain = [("code_challenge_method", json!("plain"))];
    assert_eq!(pushing(case, &plain).await, "400 invalid_request");
}

async fn par_without_duplicate_parameters(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let fields = [("client_id", "one"), ("client_id", "one"), ("response_type", "code")];

    assert_eq!(client.post("/par", None, &fields).await.refusal(), "400 invalid_request");
}
