//! Codes and refresh tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::fapi::{By, Case, Fapi, Site, borrowed, by_key_and_certificate};
use crate::common::world::ben;

by_key_and_certificate!(
    ensure_authorization_code_is_bound_to_client,
    attempt_reuse_authorization_code_after_one_second,
    attempt_to_use_expired_auth_code,
    ensure_holder_of_key_required,
    refresh_token,
    par_ensure_pkce_code_verifier_required,
    par_incorrect_pkce_code_verifier_rejected,
    access_token_type_header_case_sensitivity,
);

async fn ensure_authorization_code_is_bound_to_client(case: Case) {
    let server = Site::start(case).await;
    let (one, two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let code = one.code(&ben(&server)).await;

    let stolen = two.exchange(&code, &[("redirect_uri", json!(one.callback))]).await;

    assert_eq!(stolen.refusal(), "400 invalid_grant");
}

async fn attempt_reuse_authorization_code_after_one_second(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let tokens = client.exchange(&code, &[]).await.expect(200);
    server.advance(TimeDelta::seconds(1));

    let again = client.exchange(&code, &[]).await;

    assert_eq!(again.refusal(), "400 invalid_grant");
    let dead = client.resource(&tokens.text("access_token")).await;
    assert_eq!(dead.status, 401, "the tokens of a replayed code die");
}

async fn attempt_to_use_expired_auth_code(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    server.advance(TimeDelta::seconds(61));

    assert_eq!(client.exchange(&code, &[]).await.refusal(), "400 invalid_grant");
}

async fn ensure_holder_of_key_required(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let fields = client.redeeming(&code, &[]);
    let bare = client.post_unbound(&borrowed(&fields)).await;
    let own = [("grant_type", "client_credentials"), ("scope", "project.read")];
    let own = client.post_unbound(&own).await;

    assert_eq!(bare.refusal(), client.unbound());
    assert_eq!(own.refusal(), client.unbound());
    let tokens = client.exchange(&code, &[]).await.expect(200);
    let client = client.with_another_key();
    assert_eq!(client.resource(&tokens.text("access_token")).await.status, 401, "another key");
}

async fn refresh_token(case: Case) {
    let server = Site::start(case).await;
    let (one, two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let code = one.code(&ben(&server)).await;
    let tokens = one.exchange(&code, &[]).await.expect(200);
    let refresh = tokens.text("refresh_token");
    assert!(!refresh.is_empty());

    let bare = one.post_unbound(&Fapi::refreshing(&refresh)).await;
    let stolen = two.refresh(&refresh).await;
    for _ in 0..2 {
        // Not rotated: a lost answer locks nobody out.
        let fresh = one.refresh(&refresh).await.expect(200);
        assert_eq!(fresh.text("refresh_token"), refresh);
        one.resource(&fresh.text("access_token")).await.expect(200);
    }

    assert_eq!(bare.refusal(), one.unbound());
    assert_eq!(stolen.refusal(), "400 invalid_grant");
}

async fn par_ensure_pkce_code_verifier_required(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let bare = client.exchange(&code, &[("code_verifier", Value::Null)]).await;

    assert!(["400 invalid_grant", "400 invalid_request"].contains(&&*bare.refusal()), "{bare:?}");
}

async fn par_incorrect_pkce_code_verifier_rejected(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let wrong = client.exchange(&code, &[("code_verifier", json!("x".repeat(43)))]).await;

    assert_eq!(wrong.refusal(), "400 invalid_grant");
}

async fn access_token_type_header_case_sensitivity(case: Case) {
    let server = Site::start(case).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let token = client.exchange(&code, &[]).await.expect(200).text("access_token");

    let (own, other) = match case.by {
        By::Key => (["DPoP", "dpop", "DPOP", "dPoP"], "Bearer"),
        By::Certificate => (["Bearer", "bearer", "BEARER", "bEaRer"], "DPoP"),
    };
    for scheme in own {
        client.resource_as(scheme, &token).await.expect(200);
    }
    assert_eq!(client.resource_as(other, &token).await.status, 401, "no downgrade");
}
