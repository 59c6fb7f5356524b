//! What comes out: tokens, claims, and what becomes of codes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::{CHALLENGE, ClientApp, Tokens, VERIFIER};
use crate::common::jwt;
use crate::oidc::Plan;

pub async fn oidcc_server(plan: Plan) {
    let tokens = plan.tokens(&[]).await;

    assert_eq!(plan.id_token(&tokens)["nonce"], "n-1");
    assert_eq!(plan.userinfo(&tokens).await["sub"], "foo");
}

pub async fn oidcc_idtoken_signature(plan: Plan) {
    let tokens = plan.tokens(&[]).await;

    let header = jwt::header(&tokens.id);
    let jwks = plan.server.browser().get("/jwks").await.json();
    let keys = jwks["keys"].as_array().unwrap();
    let named: Vec<_> = keys.iter().filter(|key| key["kid"] == header["kid"]).collect();
    assert_eq!((header["alg"].as_str(), named.len()), (Some("RS256"), 1), "{header}");
    assert_eq!((&named[0]["kty"], &named[0]["use"]), (&"RSA".into(), &"sig".into()));
}

/// Nothing is unsigned: `none` is neither offered nor taken.
pub async fn oidcc_idtoken_unsigned(plan: Plan) {
    let discovery = plan.server.browser().get("/.well-known/openid-configuration").await.json();
    let yaml = "apps: [{ id: bare, account: suite, title: Bare, id_token_algorithm: none }]";

    let offered = discovery["id_token_signing_alg_values_supported"].as_array().unwrap();
    assert!(!offered.contains(&"none".into()), "{offered:?}");
    plan.server.try_apply(yaml).await.unwrap_err();
}

pub async fn oidcc_userinfo_get(plan: Plan) {
    let tokens = plan.tokens(&[]).await;

    assert_eq!(plan.userinfo(&tokens).await, json!({ "sub": "foo" }));
}

pub async fn oidcc_userinfo_post_header(plan: Plan) {
    let tokens = plan.tokens(&[]).await;

    let bearer = format!("Bearer {}", tokens.access);
    let answer = plan.app.http.post_with("/userinfo", &[("authorization", &bearer)], &[]).await;
    assert_eq!(answer.expect(200).json(), json!({ "sub": "foo" }));
}

pub async fn oidcc_userinfo_post_body(plan: Plan) {
    let tokens = plan.tokens(&[]).await;

    let answer = plan.app.http.post("/userinfo", &[("access_token", &tokens.access)]).await;
    assert_eq!(answer.expect(200).json(), json!({ "sub": "foo" }));
}

const PROFILE: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
const EMAIL: [&str; 2] = ["email", "email_verified"];
const ADDRESS: [&str; 1] = ["address"];
const PHONE: [&str; 2] = ["phone_number", "phone_number_verified"];

/// Exactly these claims, each of the type that section 5.1 says.
async fn scope(plan: &Plan, scope: &str, expected: &[&str]) {
    let tokens = plan.tokens(&[("scope", scope)]).await;
    let userinfo = plan.userinfo(&tokens).await;
    let mut names: Vec<&str> = userinfo.as_object().unwrap().keys().map(|name| &**name).collect();
    let mut expected = [&["sub"], expected].concat();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected, "{scope}");
    for (name, value) in userinfo.as_object().unwrap() {
        let fits = match name.as_str() {
            "updated_at" => value.is_i64(),
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "address" => value.is_object(),
            _ => value.as_str().is_some_and(|text| !text.is_empty()),
        };
        assert!(fits, "{name}: {value}");
    }
    // With a code the claims come from userinfo, not in the ID token. Source: section 5.4.
    let id = plan.id_token(&tokens);
    for name in names.iter().filter(|name| **name != "sub") {
        assert!(id.get(name).is_none(), "{name}");
    }
}

pub async fn oidcc_scope_profile(plan: Plan) {
    scope(&plan, "openid profile", &PROFILE).await;
}

pub async fn oidcc_scope_email(plan: Plan) {
    scope(&plan, "openid email", &EMAIL).await;
}

pub async fn oidcc_scope_address(plan: Plan) {
    scope(&plan, "openid address", &ADDRESS).await;
}

pub async fn oidcc_scope_phone(plan: Plan) {
    scope(&plan, "openid phone", &PHONE).await;
}

pub async fn oidcc_scope_all(plan: Plan) {
    let all = [&PROFILE[..], &EMAIL, &ADDRESS, &PHONE].concat();
    scope(&plan, "openid profile email address phone", &all).await;
}

pub async fn oidcc_ensure_other_scope_order_succeeds(plan: Plan) {
    scope(&plan, "email openid", &EMAIL).await;
}

/// The code again at once: refused, and what it gave is dead.
pub async fn oidcc_codereuse(plan: Plan) {
    reuse(plan, TimeDelta::zero()).await;
}

pub async fn oidcc_codereuse_30seconds(plan: Plan) {
    reuse(plan, TimeDelta::seconds(30)).await;
}

async fn reuse(plan: Plan, after: TimeDelta) {
    let code = plan.code(&[]).await;
    let tokens = Tokens::of(&plan.exchange(&code).await);
    plan.userinfo(&tokens).await;
    plan.server.advance(after);

    let again = plan.exchange(&code).await;

    assert_eq!(again.refusal(), "400 invalid_grant");
    assert_eq!(plan.app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
}

pub async fn oidcc_server_client_secret_post(plan: Plan) {
    let code = plan.code(&[]).await;

    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", plan.app.redirect_uri),
        ("client_id", "rp"),
        ("client_secret", plan.app.secret.unwrap()),
    ];
    let tokens = Tokens::of(&plan.app.http.post("/token", &fields).await);

    assert_eq!(plan.id_token(&tokens)["nonce"], "n-1");
}

/// Refreshing works, keeps `sub`, `iss`, `aud` and `auth_time`, and is for this client alone.
pub async fn oidcc_refresh_token(plan: Plan) {
    let changed = [("scope", "openid offline_access"), ("prompt", "consent")];
    let tokens = plan.tokens(&changed).await;
    let second = ClientApp {
        id: "rp2",
        secret: Some("rp2-secret-0123456789-abcdefghijklmnopqrstuv"),
        redirect_uri: "https://rp2.example/callback",
        scope: "openid",
        http: plan.server.browser(),
    };
    plan.server.advance(TimeDelta::seconds(5));

    let foreign = second.refresh(&tokens.refresh).await;
    let refreshed = Tokens::of(&plan.app.refresh(&tokens.refresh).await);

    assert_eq!(foreign.refusal(), "400 invalid_grant");
    let (before, after) = (plan.id_token(&tokens), plan.id_token(&refreshed));
    for same in ["iss", "sub", "aud", "azp", "auth_time"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    assert_eq!(after.get("nonce"), None);
    assert_ne!(tokens.access, refreshed.access);
    assert_eq!(plan.userinfo(&refreshed).await["sub"], "foo");
}

pub async fn oidcc_ensure_request_with_valid_pkce_succeeds(plan: Plan) {
    let changed = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let code = plan.code(&changed).await;

    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", plan.app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let tokens = Tokens::of(&plan.app.token(&fields).await);

    plan.id_token(&tokens);
}

pub async fn oidcc_claims_essential(plan: Plan) {
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let tokens = plan.tokens(&[("claims", &claims)]).await;

    let expected: Value = json!({ "sub": "foo", "name": "Demo T. User" });
    assert_eq!(plan.userinfo(&tokens).await, expected);
}
