//! Proofs of possession where requests are pushed and codes redeemed; those at the resource have
//! a file of their own.

use serde_json::json;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::fapi::{By, Case, Fapi, Site, borrowed};
use crate::common::proof::{ProofKey, claims};
use crate::common::world::ben;

both!(
    check_dpop_proof_nbf_exp,
    ensure_dpop_proof_with_iat_10_seconds_before_succeeds,
    ensure_dpop_proof_with_iat_10_seconds_after_succeeds,
    ensure_mismatched_dpop_jkt_fails,
    ensure_token_endpoint_fails_with_mismatched_dpop_jkt,
    ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt,
    ensure_dpop_proof_at_par_endpoint_binding_success,
    ensure_dpop_auth_code_binding_success,
);

/// Exchanges a good code with a proof whose claims are changed.
async fn with_claims(db: Kind, changed: &[(&str, i64)]) -> String {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;
    let code = client.code(&ben(&server)).await;
    let mut claims = claims(&server, "POST", "/token");
    for (name, offset) in changed {
        claims[*name] = json!(server.now() + offset);
    }
    let proof = client.proof.sign(&client.proof.header(), &claims);
    let fields = client.redeeming(&code, &[]);
    client.post("/token", Some(&proof), &borrowed(&fields)).await.refusal()
}

async fn check_dpop_proof_nbf_exp(db: Kind) {
    assert_eq!(with_claims(db, &[("nbf", 0), ("exp", 60)]).await, "200 ");
}

async fn ensure_dpop_proof_with_iat_10_seconds_before_succeeds(db: Kind) {
    assert_eq!(with_claims(db, &[("iat", -10)]).await, "200 ");
}

async fn ensure_dpop_proof_with_iat_10_seconds_after_succeeds(db: Kind) {
    assert_eq!(with_claims(db, &[("iat", 10)]).await, "200 ");
}

async fn ensure_mismatched_dpop_jkt_fails(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;
    let proof = client.proof.proof(&server, "POST", "/par");

    let other = [("dpop_jkt", json!(ProofKey::new().thumbprint()))];
    let refused = client.push_proven(&other, Some(&proof)).await;

    assert_eq!(refused.refusal(), "400 invalid_dpop_proof");
    let bad = client.push_proven(&[], Some(&client.at_token())).await;
    assert_eq!(bad.refusal(), "400 invalid_dpop_proof", "a proof for another endpoint");
}

/// Redeems the code of a pushed request with one's own key.
async fn redeem(client: &Fapi<'_>, pushed: &Answer) -> Answer {
    assert_eq!(pushed.status, 201, "{pushed:?}");
    let url = client.url(&pushed.text("request_uri"));
    let answer = ben(client.server).authorize(client.server, &url).await;
    client.exchange(&client.told(&answer, "code").expect("a code"), &[]).await
}

async fn ensure_token_endpoint_fails_with_mismatched_dpop_jkt(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;

    let pushed = client.push(&[("dpop_jkt", json!(ProofKey::new().thumbprint()))]).await;

    let refused = redeem(&client, &pushed).await.refusal();
    assert!(["400 invalid_grant", "400 invalid_dpop_proof"].contains(&&*refused), "{refused}");
}

async fn ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;
    let other = ProofKey::new().proof(&server, "POST", "/par");

    let pushed = client.push_proven(&[], Some(&other)).await;

    let refused = redeem(&client, &pushed).await.refusal();
    assert!(["400 invalid_grant", "400 invalid_dpop_proof"].contains(&&*refused), "{refused}");
}

async fn ensure_dpop_proof_at_par_endpoint_binding_success(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;
    let proof = client.proof.proof(&server, "POST", "/par");

    let pushed = client.push_proven(&[], Some(&proof)).await;

    assert_eq!(redeem(&client, &pushed).await.text("token_type"), "DPoP");
    let again = client.push_proven(&[], Some(&proof)).await;
    assert_eq!(again.refusal(), "400 invalid_dpop_proof", "a proof is good once");
}

async fn ensure_dpop_auth_code_binding_success(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let client = Fapi::security(&server, "one").await;

    let pushed = client.push(&[("dpop_jkt", json!(client.proof.thumbprint()))]).await;

    assert_eq!(redeem(&client, &pushed).await.text("token_type"), "DPoP");
}
