//! Attacks on tokens: forged, confused, oversized, of others.

use narthex::keys::service::Keys;
use narthex::server::ServerParts;
use serde_json::{Value, json};

use crate::common::actors::Tokens;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben, legacy, portal};
use crate::common::{both, jwt};

both!(
    case_35_a_token_without_our_signature_is_nothing,
    case_36_what_a_header_says_of_keys_is_not_followed,
    case_37_no_token_passes_for_another_kind,
    case_38_claims_of_odd_types_are_refused,
    case_39_oversized_and_encrypted_tokens_are_cut_off,
    case_42_keys_change_without_breaking_tokens,
    case_42_a_removed_key_ends_what_it_signed,
    case_69_a_token_of_another_server_is_nothing,
);

/// Every door that takes an access token must refuse this one.
async fn refused_everywhere(server: &TestServer, token: &str, what: &str) {
    let app = portal(server);
    let info = app.userinfo(token).await;
    assert_eq!(info.refusal(), "401 invalid_token", "{what}: {info:?}");
    let api = app.api("/v1/projects", token, "acme").await;
    assert_eq!(api.refusal(), "401 invalid_token", "{what}: {api:?}");
    let told = backend(server).introspect(token).await;
    assert_eq!((told.status, &*told.body), (200, r#"{"active":false}"#), "{what}");
}

async fn good(server: &TestServer) -> Tokens {
    portal(server).tokens(server, &ben(server)).await
}

async fn case_35_a_token_without_our_signature_is_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;
    let (header, claims) = (jwt::header(&tokens.access), jwt::claims(&tokens.access));
    let body = jwt::encode(claims.to_string());
    let kid = &header["kid"];

    for none in ["none", "None", "NONE", "nOnE", ""] {
        let head = jwt::encode(json!({"alg": none, "typ": "at+jwt", "kid": kid}).to_string());
        for signature in ["", ".", "x"] {
            let token = format!("{head}.{body}.{signature}");
            refused_everywhere(&server, &token, none).await;
        }
    }
    let parts: Vec<&str> = tokens.access.split('.').collect();
    refused_everywhere(&server, &format!("{}.{}.", parts[0], parts[1]), "no signature").await;
    refused_everywhere(&server, &format!("{}.{}", parts[0], parts[1]), "two parts").await;
    refused_everywhere(&server, &format!("{}.x", tokens.access), "four parts").await;
    // HMAC under the public key, in each form that a library might take for a secret.
    let jwks = server.browser().get("/jwks").await.json();
    for key in jwks["keys"].as_array().unwrap() {
        for secret in [key.to_string(), key["x"].to_string(), key["n"].to_string()] {
            for alg in ["HS256", "ES256", "RS256", "PS256", "EdDSA"] {
                let head = json!({"alg": alg, "typ": "at+jwt", "kid": key["kid"]});
                let signed = format!("{}.{body}", jwt::encode(head.to_string()));
                let secret = aws_lc_rs::hmac::Key::new(
                    aws_lc_rs::hmac::HMAC_SHA256,
                    secret.trim_matches('"').as_bytes(),
                );
                let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
                let token = format!("{signed}.{}", jwt::encode(tag));
                refused_everywhere(&server, &token, alg).await;
            }
        }
    }
    for (name, value) in [("crit", json!(["b64"])), ("crit", json!(["x"])), ("b64", json!(false))] {
        let mut bent = header.clone();
        bent[name] = value;
        refused_everywhere(&server, &jwt::forged(&tokens.access, &bent, &claims), name).await;
    }
    let mut raised = claims.clone();
    raised["sub"] = json!("ada");
    refused_everywhere(&server, &jwt::forged(&tokens.access, &header, &raised), "sub").await;
}

async fn case_36_what_a_header_says_of_keys_is_not_followed(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;
    let (header, claims) = (jwt::header(&tokens.access), jwt::claims(&tokens.access));
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", trap.local_addr().unwrap());
    let own = json!({"kty": "oct", "k": "AAAA"});
    let long = "k".repeat(5_000);
    let kids = ["../../../dev/null", "' OR 1=1 --", "", "\0", &long, &url, "nobody"];

    for kid in kids {
        let mut bent = header.clone();
        bent["kid"] = json!(kid);
        refused_everywhere(&server, &jwt::forged(&tokens.access, &bent, &claims), kid).await;
    }
    let extras = [("jwk", own), ("jku", json!(url)), ("x5u", json!(url)), ("x5c", json!(["MII"]))];
    for (name, value) in extras {
        let mut bent = header.clone();
        bent[name] = value;
        refused_everywhere(&server, &jwt::forged(&tokens.access, &bent, &claims), name).await;
        bent.as_object_mut().unwrap().remove("kid");
        refused_everywhere(&server, &jwt::forged(&tokens.access, &bent, &claims), name).await;
    }
    let knock = tokio::time::timeout(std::time::Duration::from_millis(100), trap.accept()).await;
    assert!(knock.is_err(), "nobody came to fetch a key");
}

async fn case_37_no_token_passes_for_another_kind(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;

    refused_everywhere(&server, &tokens.id, "an ID token").await;
    refused_everywhere(&server, &tokens.refresh, "a refresh token").await;
    let hint = format!("/logout?id_token_hint={}", tokens.access);
    let logout = server.browser().get(&hint).await;
    assert_eq!(logout.refusal(), "400 page", "an access token is no id_token_hint: {logout:?}");
    // Ours, signed by our own key, but of no kind that we issue.
    let claims = jwt::claims(&tokens.access);
    for typ in ["JWT", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "at+jwtx", "application/x"]
    {
        let token = server.sign(typ, &claims);
        refused_everywhere(&server, &token, typ).await;
    }
    portal(&server).userinfo(&server.sign("at+jwt", &claims)).await.expect(200);
    portal(&server).userinfo(&server.sign("application/at+jwt", &claims)).await.expect(200);
}

async fn case_38_claims_of_odd_types_are_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;
    let claims = jwt::claims(&tokens.access);
    let missing = Value::Null;
    let bent = [
        ("exp", json!("9999999999")),
        ("exp", json!(9_999_999_999.5)),
        ("exp", json!(-1)),
        ("exp", json!(9_223_372_036_854_775_807_i64)),
        ("exp", json!(18_446_744_073_709_551_615_u64)),
        ("exp", json!(1e300)),
        ("exp", json!([9_999_999_999_i64])),
        ("exp", missing.clone()),
        ("iat", json!("0")),
        ("iat", json!(server.now() + 3_600)),
        ("iat", missing.clone()),
        ("nbf", json!(server.now() + 3_600)),
        ("nbf", json!("x")),
        ("aud", json!(5)),
        ("aud", json!("https://other.example")),
        ("aud", json!(["https://other.example"])),
        ("aud", missing.clone()),
        ("iss", json!("https://other.example")),
        ("iss", json!(format!("{}/", server.url))),
        ("iss", json!([server.url])),
        ("iss", missing.clone()),
        ("sub", json!(7)),
        ("sub", missing.clone()),
        ("client_id", json!(7)),
        ("client_id", json!("nobody")),
        ("client_id", missing.clone()),
        ("scope", json!(["openid"])),
        ("jti", missing.clone()),
        ("token_use", json!("id")),
    ];

    for (name, value) in bent {
        let mut claims = claims.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        let token = server.sign("at+jwt", &claims);
        refused_everywhere(&server, &token, &format!("{name}: {value}")).await;
    }
}

async fn case_39_oversized_and_encrypted_tokens_are_cut_off(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;
    let app = backend(&server);
    let padded = {
        let mut claims = jwt::claims(&tokens.access);
        claims["pad"] = json!("x".repeat(9_000));
        server.sign("at+jwt", &claims)
    };
    let bomb =
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_647, "zip": "DEF"});
    let bomb = format!("{}.a.b.c.d", jwt::encode(bomb.to_string()));
    let rsa15 = json!({"alg": "RSA1_5", "enc": "A128CBC-HS256"});
    let rsa15 = format!("{}.a.b.c.d", jwt::encode(rsa15.to_string()));
    let huge = format!("eyJhbGciOiJFUzI1NiJ9.{}.x", "A".repeat(500_000));

    for token in [&bomb, &rsa15] {
        refused_everywhere(&server, token, "encrypted").await;
    }
    // Signed by us, and good but for its length.
    assert_eq!(app.userinfo(&padded).await.refusal(), "401 invalid_token");
    let told = app.introspect(&padded).await;
    assert!(told.status == 400 || told.body == r#"{"active":false}"#, "{told:?}");
    let begun = std::time::Instant::now();
    let answer = app.introspect(&huge).await;
    assert!([200, 400, 413].contains(&answer.status), "{}", answer.status);
    assert!(begun.elapsed() < std::time::Duration::from_secs(2));
}

async fn case_42_keys_change_without_breaking_tokens(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let before = app.tokens(&server, &ben).await;
    let kids = async || -> Vec<String> {
        let jwks = server.browser().get("/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap();
        assert!(keys.iter().all(|key| key.get("d").is_none() && key.get("p").is_none()));
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let published = kids().await;

    server.server.keys.rotate(None).await.unwrap();
    let after = app.tokens(&server, &ben).await;

    let old = jwt::header(&before.access)["kid"].as_str().unwrap().to_owned();
    let new = jwt::header(&after.access)["kid"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    assert!(published.contains(&new), "the new key was announced before it signed");
    assert!(kids().await.contains(&old), "the old one is kept as long as its tokens live");
    app.userinfo(&before.access).await.expect(200);
    app.userinfo(&after.access).await.expect(200);
    backend(&server).introspect(&before.access).await.expect(200);
}

async fn case_42_a_removed_key_ends_what_it_signed(db: Kind) {
    let server = TestServer::start(db).await;
    let tokens = good(&server).await;
    let ServerParts { ctx, vault, config, keys, .. } = &*server.server;
    let operator = Keys::load(ctx, vault, &config.keys).await.unwrap();

    operator.rotate(None).await.unwrap();
    operator.remove_retired().await.unwrap();
    // The server may not know yet, but then it must not remember what it answers.
    portal(&server).userinfo(&tokens.access).await;
    keys.reload_if_changed().await.unwrap();

    refused_everywhere(&server, &tokens.access, "signed by a key that was removed").await;
}

async fn case_69_a_token_of_another_server_is_nothing(db: Kind) {
    let (server, other) = (TestServer::start(db).await, TestServer::start(db).await);
    let foreign = legacy(&other).tokens(&other, &ben(&other)).await;

    // The copies of the template share their keys, so only `iss` and `aud` tell them apart.
    refused_everywhere(&server, &foreign.access, "of another server").await;
    let refresh = legacy(&server).refresh(&foreign.refresh).await;
    assert_eq!(refresh.refusal(), "400 invalid_grant");
    legacy(&other).userinfo(&foreign.access).await.expect(200);
}
