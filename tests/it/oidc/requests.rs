//! What may stand in a request, and what is ignored or refused.

use serde_json::json;

use crate::common::actors::Tokens;
use crate::common::jwt::encode;
use crate::oidc::Plan;

pub async fn oidcc_response_type_missing(plan: Plan) {
    let answer = plan.user.browser.get(&plan.url(&[("response_type", "")])).await;

    let error = plan.response(&answer)["error"].as_str().unwrap().to_owned();
    assert!(["invalid_request", "unsupported_response_type"].contains(&&*error), "{error}");
}

pub async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(plan: Plan) {
    let tokens = plan.tokens(&[("nonce", "")]).await;

    assert_eq!(plan.id_token(&tokens).get("nonce"), None);
}

/// These change nothing that a client could see, and stop nothing.
async fn succeeds(plan: &Plan, name: &str, value: &str) {
    let tokens = plan.tokens(&[(name, value)]).await;
    assert_eq!(plan.id_token(&tokens)["nonce"], "n-1");
}

pub async fn oidcc_display_page(plan: Plan) {
    succeeds(&plan, "display", "page").await;
}

pub async fn oidcc_display_popup(plan: Plan) {
    succeeds(&plan, "display", "popup").await;
}

pub async fn oidcc_ensure_request_with_unknown_parameter_succeeds(plan: Plan) {
    succeeds(&plan, "extra", "foobar").await;
}

pub async fn oidcc_ui_locales(plan: Plan) {
    succeeds(&plan, "ui_locales", "se").await;
}

pub async fn oidcc_claims_locales(plan: Plan) {
    succeeds(&plan, "claims_locales", "se").await;
}

/// An `acr` comes, and it is one that was asked for if that is true.
pub async fn oidcc_ensure_request_with_acr_values_succeeds(plan: Plan) {
    let discovery = plan.server.browser().get("/.well-known/openid-configuration").await.json();
    let values = discovery["acr_values_supported"].as_array().unwrap();
    let all: Vec<&str> = values.iter().map(|value| value.as_str().unwrap()).collect();

    let unknown = plan.tokens(&[("acr_values", "1 2")]).await;
    assert!(all.contains(&plan.id_token(&unknown)["acr"].as_str().unwrap()));
    let known = plan.tokens(&[("acr_values", &all.join(" "))]).await;
    assert!(all.contains(&plan.id_token(&known)["acr"].as_str().unwrap()));
}

/// A page, and no redirect.
pub async fn oidcc_ensure_registered_redirect_uri(plan: Plan) {
    let url = plan.url(&[("redirect_uri", "https://rp.example/callback/unregistered")]);
    let answer = plan.user.browser.get(&url).await;

    assert_eq!((answer.refusal(), answer.location()), ("400 page".to_owned(), ""));
    assert!(!answer.body.contains("<form"), "{answer:?}");
}

pub async fn oidcc_ensure_post_request_succeeds(plan: Plan) {
    let url = plan.url(&[]);
    let query = url.split_once('?').unwrap().1;
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();

    let first = plan.user.browser.post("/authorize", &fields).await;
    assert_eq!(first.status, 303);
    let mut page = plan.user.browser.follow(first).await;
    for _ in 0..2 {
        page = plan.user.answer_page(&plan.server, &page).await;
    }
    let code = plan.response(&page)["code"].as_str().expect("a code").to_owned();

    plan.id_token(&Tokens::of(&plan.exchange(&code).await));
}

/// A request object without a signature, as a client that registered no algorithm may send it.
fn object(plan: &Plan, nonce: &str) -> String {
    let claims = json!({
        "iss": "rp", "aud": plan.server.url, "client_id": "rp", "response_type": "code",
        "scope": "openid", "redirect_uri": plan.app.redirect_uri, "state": "st-1", "nonce": nonce,
    });
    format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims.to_string()))
}

/// An unsigned request object is obeyed where it says something else: never passed over.
pub async fn oidcc_unsigned_request_object(plan: Plan) {
    let tokens = plan.tokens(&[("request", &object(&plan, "inside"))]).await;

    assert_eq!(plan.id_token(&tokens)["nonce"], "inside");
}

/// The object's `redirect_uri` counts, not the one beside it.
pub async fn oidcc_ensure_request_object_with_redirect_uri(plan: Plan) {
    let beside = "https://rp.example/callback/unregistered";
    let changed = [("request", &*object(&plan, "n-1")), ("redirect_uri", beside)];
    let tokens = plan.tokens(&changed).await;

    assert_eq!(plan.id_token(&tokens)["nonce"], "n-1");
}

/// A `request_uri` that nobody registered is refused by the right error, and never fetched.
pub async fn oidcc_request_uri_unsigned(plan: Plan) {
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/request.jwt", trap.local_addr().unwrap());

    let answer = plan.user.browser.get(&plan.url(&[("request_uri", &target)])).await;

    let error = plan.response(&answer)["error"].as_str().expect("an error").to_owned();
    let right = ["request_uri_not_supported", "invalid_request_uri", "invalid_request"];
    assert!(right.contains(&&*error), "{error}");
    let knock = tokio::time::timeout(std::time::Duration::from_millis(100), trap.accept()).await;
    assert!(knock.is_err(), "nobody came to fetch it");
}
