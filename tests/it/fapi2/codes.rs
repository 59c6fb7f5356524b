//! Codes and refresh tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::fapi::{Fapi, borrowed};
use crate::common::proof::ProofKey;
use crate::common::server::TestServer;
use crate::common::world::ben;

both!(
    ensure_authorization_code_is_bound_to_client,
    attempt_reuse_authorization_code_after_one_second,
    attempt_to_use_expired_auth_code,
    ensure_holder_of_key_required,
    refresh_token,
    par_ensure_pkce_code_verifier_required,
    par_incorrect_pkce_code_verifier_rejected,
    access_token_type_header_case_sensitivity,
);

async fn ensure_authorization_code_is_bound_to_client(db: Kind) {
    let server = TestServer::start(db).await;
    let (one, two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let code = one.code(&ben(&server)).await;

    let stolen = two.exchange(&code, &[("redirect_uri", json!(one.callback))]).await;

    assert_eq!(stolen.refusal(), "400 invalid_grant");
}

async fn attempt_reuse_authorization_code_after_one_second(db: Kind) {
    let server = TestServer::start(db).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let tokens = client.exchange(&code, &[]).await.expect(200);
    server.advance(TimeDelta::seconds(1));

    let again = client.exchange(&code, &[]).await;

    assert_eq!(again.refusal(), "400 invalid_grant");
    let dead = client.resource("DPoP", &tokens.text("access_token")).await;
    assert_eq!(dead.status, 401, "the tokens of a replayed code die");
}

async fn attempt_to_use_expired_auth_code(db: Kind) {
    let server = TestServer::start(db).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    server.advance(TimeDelta::seconds(61));

    assert_eq!(client.exchange(&code, &[]).await.refusal(), "400 invalid_grant");
}

async fn ensure_holder_of_key_required(db: Kind) {
    let server = TestServer::start(db).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let fields = client.redeeming(&code, &[]);
    let bare = client.post("/token", None, &borrowed(&fields)).await;
    let own = [("grant_type", "client_credentials"), ("scope", "project.read")];
    let own = client.post("/token", None, &own).await;

    assert_eq!(bare.refusal(), "400 invalid_dpop_proof");
    assert_eq!(own.refusal(), "400 invalid_dpop_proof");
}

async fn refresh_token(db: Kind) {
    let server = TestServer::start(db).await;
    let (one, two) = (Fapi::security(&server, "one").await, Fapi::security(&server, "two").await);
    let code = one.code(&ben(&server)).await;
    let tokens = one.exchange(&code, &[]).await.expect(200);
    let refresh = tokens.text("refresh_token");
    assert!(!refresh.is_empty());

    let bare = one.refresh(&refresh, None).await;
    let stolen = two.refresh(&refresh, Some(&two.at_token())).await;
    for _ in 0..2 {
        // Not rotated: a lost answer locks nobody out.
        let fresh = one.refresh(&refresh, Some(&one.at_token())).await.expect(200);
        assert_eq!(fresh.text("refresh_token"), refresh);
        one.resource("DPoP", &fresh.text("access_token")).await.expect(200);
    }

    assert_eq!(bare.refusal(), "400 invalid_dpop_proof");
    assert_eq!(stolen.refusal(), "400 invalid_grant");
}

async fn par_ensure_pkce_code_verifier_required(db: Kind) {
    let server = TestServer::start(db).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let bare = client.exchange(&code, &[("code_verifier", Value::Null)]).await;

    assert!(["400 invalid_grant", "400 invalid_request"].contains(&&*bare.refusal()), "{bare:?}");
}

async fn par_incorrect_pkce_code_verifier_rejected(db: Kind) {
    let server = TestServer::start(db).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;

    let wrong = client.exchange(&code, &[("code_verifier", json!("x".repeat(43)))]).await;

    assert_eq!(wrong.refusal(), "400 invalid_grant");
}

async fn access_token_type_header_case_sensitivity(db: Kind) {
    let server = TestServer::start(db).await;
    let mut client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let token = client.exchange(&code, &[]).await.expect(200).text("access_token");

    for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
        client.resource(scheme, &token).await.expect(200);
    }
    assert_eq!(client.resource("Bearer", &token).await.status, 401, "no downgrade");
    client.proof = ProofKey::new();
    assert_eq!(client.resource("DPoP", &token).await.status, 401, "another key");
}
