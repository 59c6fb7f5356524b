//! Apps that sign a statement of who they are, with keys of their own.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer, attacks, bent, hs256, strange_headers};

both!(
    an_app_signs_who_it_is,
    an_app_signs_with_its_secret,
    case_28_an_app_that_signs_uses_no_other_method,
    case_29_a_statement_is_for_us_and_short,
    case_29_a_statement_is_good_for_one_request,
    case_29_an_app_with_a_profile_names_the_issuer_alone,
    case_29_the_algorithm_is_the_one_that_was_registered,
    case_35_no_header_talks_us_out_of_the_signature,
    case_40_published_keys_are_fetched_once_and_again_when_they_change,
    case_40_no_private_address_is_asked_for_keys,
);

/// The metadata of an app that signs, in a declaration.
fn declared(id: &str, metadata: &Value) -> String {
    format!(
        "apps:
  - id: {id}
    account: acme
    title: Signs
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [https://signs.example/callback]
    grant_types: [authorization_code, refresh_token, client_credentials]
    client_metadata: {metadata}"
    )
}

async fn declare(server: &TestServer, id: &str, more: &[(&str, Value)]) {
    let metadata = bent(&json!({"token_endpoint_auth_method": "private_key_jwt"}), more);
    server.apply(&declared(id, &metadata)).await;
}

/// A good statement, never the same.
fn statement(server: &TestServer, id: &str) -> Value {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let (now, url) = (server.now(), &server.url);
    json!({"iss": id, "sub": id, "aud": url, "iat": now, "exp": now + 60, "jti": format!("j{number}")})
}

async fn present(server: &TestServer, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    server.browser().post("/token", &[&fields[..], more].concat()).await
}

async fn an_app_signs_who_it_is(db: Kind) {
    let server = TestServer::start(db).await;

    for alg in ["ES256", "EdDSA", "PS256", "RS256"] {
        let key = Signer::new(alg);
        declare(&server, alg, &[("jwks", key.jwks())]).await;
        let answer = present(&server, &key.sign("JWT", &statement(&server, alg)), &[]).await;
        answer.expect(200);
        let (id, assertion) = (("client_id", alg), key.sign("", &statement(&server, alg)));
        present(&server, &assertion, &[id]).await.expect(200);
    }
    let metadata = server.browser().get("/.well-known/openid-configuration").await.json();
    let list = |name: &str| metadata[name].as_array().cloned().unwrap_or_default();
    assert!(list("token_endpoint_auth_methods_supported").contains(&json!("private_key_jwt")));
    let algorithms = list("token_endpoint_auth_signing_alg_values_supported");
    assert!(algorithms.contains(&json!("ES256")) && !algorithms.contains(&json!("none")));
}

async fn an_app_signs_with_its_secret(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let secret = "signing-secret-0123456789-abcdefghijklmnop";
    let metadata = json!({"token_endpoint_auth_method": "client_secret_jwt", "jwks": key.jwks()});
    let declared = declared("signs", &metadata);
    server.apply(&format!("{declared}\n    secrets: [{secret}]")).await;
    let sign = |secret: &str, alg: &str| {
        hs256(secret.as_bytes(), &json!({"alg": alg}), &statement(&server, "signs"))
    };

    present(&server, &sign(secret, "HS256"), &[]).await.expect(200);
    let once = sign(secret, "HS256");
    present(&server, &once, &[]).await.expect(200);
    let digest = crate::common::jwt::encode(narthex::base::secret::Digest::of(secret.as_bytes()).0);
    let by_key = key.sign("JWT", &statement(&server, "signs"));
    let wrong = [once, sign("wrong", "HS256"), sign("", "HS256"), sign(secret, "none"), by_key];
    for token in wrong.into_iter().chain([sign(&digest, "HS256"), sign(secret, "HS512")]) {
        assert_eq!(present(&server, &token, &[]).await.refusal(), "401 invalid_client", "{token}");
    }
    let fields = [("grant_type", "client_credentials"), ("client_id", "signs")];
    let plain = [&fields[..], &[("client_secret", secret)]].concat();
    assert_eq!(server.browser().post("/token", &plain).await.refusal(), "401 invalid_client");
    let id = "signs".parse().unwrap();
    let added = server.server.apps.add_secret(&id, 60).await.unwrap();
    present(&server, &sign(added.reveal(), "HS256"), &[]).await.expect(200);
    present(&server, &sign(secret, "HS256"), &[]).await.expect(200);
    let hash = format!("    secrets: [{{ hash: 'sha256:{}' }}]", "ab".repeat(32));
    assert!(server.try_apply(&format!("{declared}\n{hash}")).await.is_err());
}

async fn case_28_an_app_that_signs_uses_no_other_method(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let secret = "signing-secret-0123456789-abcdefghijklmnop";
    declare(&server, "signs", &[("jwks", key.jwks())]).await;
    let declared = declared(
        "signs",
        &json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": key.jwks()}),
    );
    server.apply(&format!("{declared}\n    secrets: [{secret}]")).await;
    let good = || key.sign("JWT", &statement(&server, "signs"));
    let id = ("client_id", "signs");

    let twice = present(&server, &good(), &[id, ("client_secret", secret)]).await;
    let other = present(&server, &good(), &[("client_id", "backend")]).await;
    let grant = ("grant_type", "client_credentials");
    let by_secret = server.browser().post("/token", &[grant, id, ("client_secret", secret)]).await;
    let by_name = server.browser().post("/token", &[grant, id]).await;
    let untyped = server.browser().post("/token", &[grant, ("client_assertion", &good())]).await;
    let typ = ("client_assertion_type", JWT_BEARER);
    let unsigned = server.browser().post("/token", &[grant, typ]).await;

    assert_eq!(twice.refusal(), "400 invalid_request");
    for answer in [other, by_secret, by_name, untyped, unsigned] {
        assert_eq!(answer.refusal(), "401 invalid_client", "{answer:?}");
    }
    // Nor does an app that shows a secret sign.
    let of_backend = key.sign("JWT", &statement(&server, "backend"));
    assert_eq!(present(&server, &of_backend, &[]).await.refusal(), "401 invalid_client");
    for (method, header) in [("client_secret_post", true), ("client_secret_basic", false)] {
        server.change_app("backend", "type: confidential", &format!(
            "type: confidential\n    client_metadata: {{ token_endpoint_auth_method: {method} }}"
        )).await;
        let secret = "backend-secret-0123456789-abcdefghijklmnop";
        let basic = crate::common::actors::basic("backend", secret);
        let (fields, headers) = if header {
            (vec![grant], vec![("authorization", basic.as_str())])
        } else {
            (vec![grant, ("client_id", "backend"), ("client_secret", secret)], vec![])
        };
        let answer = server.browser().post_with("/token", &headers, &fields).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{method}: {answer:?}");
    }
}

async fn case_29_a_statement_is_for_us_and_short(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    declare(&server, "signs", &[("jwks", key.jwks())]).await;
    let (url, now) = (server.url.clone(), server.now());
    let ask = async |changed: &[(&str, Value)]| {
        let claims = bent(&statement(&server, "signs"), changed);
        present(&server, &key.sign("JWT", &claims), &[]).await.refusal()
    };
    let token = format!("{url}/token");

    for good in [
        vec![("aud", json!(url))],
        vec![("aud", json!([url]))],
        vec![("aud", json!(token))],
        vec![("aud", json!([url, token]))],
        vec![("iat", Value::Null)],
        vec![("iat", json!(now + 8)), ("nbf", json!(now + 8))],
        vec![("iat", json!(now + 10)), ("nbf", json!(now + 10))],
        vec![("exp", json!(now + 300))],
        vec![("exp", json!(now - 9))],
        vec![("more", json!({"a": 1}))],
    ] {
        assert_eq!(ask(&good).await, "200 ", "{good:?}");
    }
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("aud", json!([url, "https://other.example"])),
        ("aud", json!(format!("{url}/"))),
        ("aud", json!(format!("{url}/introspect"))),
        ("aud", json!([])),
        ("aud", json!(5)),
        ("aud", Value::Null),
        ("iss", json!("backend")),
        ("iss", Value::Null),
        ("sub", json!("backend")),
        ("sub", json!("nobody")),
        ("sub", json!(7)),
        ("sub", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(5)),
        ("exp", Value::Null),
        ("exp", json!(now - 300)),
        ("exp", json!(now - 11)),
        ("exp", json!(now + 3_600)),
        ("exp", json!(format!("{}", now + 60))),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!(now + 61)),
        ("nbf", json!("now")),
        ("iat", json!(now + 61)),
    ] {
        assert_eq!(ask(&[(name, value.clone())]).await, "401 invalid_client", "{name} {value}");
    }
}

async fn case_29_a_statement_is_good_for_one_request(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    declare(&server, "signs", &[("jwks", key.jwks())]).await;

    let one = key.sign("JWT", &statement(&server, "signs"));
    present(&server, &one, &[]).await.expect(200);
    assert_eq!(present(&server, &one, &[]).await.refusal(), "401 invalid_client", "once");
    let one = key.sign("JWT", &statement(&server, "signs"));
    let (first, second) = tokio::join!(present(&server, &one, &[]), present(&server, &one, &[]));
    assert_eq!([first.status, second.status].iter().filter(|status| **status == 200).count(), 1);
}

async fn case_29_an_app_with_a_profile_names_the_issuer_alone(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let profile = ("profile", json!("fapi2_security"));
    declare(&server, "signs", &[("jwks", key.jwks()), profile]).await;
    let url = server.url.clone();
    let ask = async |aud: Value| {
        let claims = bent(&statement(&server, "signs"), &[("aud", aud)]);
        present(&server, &key.sign("JWT", &claims), &[]).await.status
    };

    for bad in [json!([url]), json!(format!("{url}/token")), json!(format!("{url}/par"))] {
        assert_eq!(ask(bad.clone()).await, 401, "{bad}");
    }
    assert_ne!(ask(json!(url)).await, 401);
}

async fn case_29_the_algorithm_is_the_one_that_was_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let rsa = Signer::new("RS256");
    let mut jwk = rsa.bare_jwk();
    jwk["kid"] = json!(rsa.kid);
    let only = ("token_endpoint_auth_signing_alg", json!("PS256"));
    declare(&server, "signs", &[("jwks", json!({"keys": [jwk]})), only]).await;
    let ask = async |alg: &str| {
        let head = json!({"alg": alg, "kid": rsa.kid});
        let token = rsa.sign_with(&head, &statement(&server, "signs"));
        present(&server, &token, &[]).await.status
    };

    assert_eq!((ask("PS256").await, ask("RS256").await, ask("none").await), (200, 401, 401));
    let secret = "signing-secret-0123456789-abcdefghijklmnop";
    let head = json!({"alg": "HS256"});
    let hmac = hs256(secret.as_bytes(), &head, &statement(&server, "signs"));
    assert_eq!(present(&server, &hmac, &[]).await.refusal(), "401 invalid_client");
}

async fn case_35_no_header_talks_us_out_of_the_signature(db: Kind) {
    let server = TestServer::start(db).await;
    let (key, thief) = (Signer::new("ES256"), Signer::new("ES256"));
    declare(&server, "signs", &[("jwks", key.jwks())]).await;
    let claims = statement(&server, "signs");

    let mut all = attacks(&thief, &key.jwk(), "JWT", &claims);
    all.extend(strange_headers(&key, "JWT", &claims));
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt"] {
        all.push((typ.to_owned(), key.sign(typ, &claims)));
    }
    all.push(("signed by the server".to_owned(), server.sign("JWT", &claims)));
    for (attack, token) in all {
        let answer = present(&server, &token, &[]).await;
        assert!([400, 401].contains(&answer.status), "{attack}: {answer:?}");
    }
    present(&server, &key.sign("JWT", &claims), &[]).await.expect(200);
}

async fn case_40_published_keys_are_fetched_once_and_again_when_they_change(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let host = Host::start().await;
    let (old, new) = (Signer::new("ES256"), Signer::new("ES256"));
    let same_name = Signer::new("ES256").named(&new.kid);
    host.put("/jwks", "application/json", old.jwks().to_string());
    declare(&server, "signs", &[("jwks_uri", json!(host.at("/jwks")))]).await;
    let ask = async |key: &Signer| {
        present(&server, &key.sign("JWT", &statement(&server, "signs")), &[]).await.status
    };
    let visits = || host.visits("/jwks").len();

    let (one, two, three) = tokio::join!(ask(&old), ask(&old), ask(&old));
    assert_eq!(([one, two, three], visits()), ([200; 3], 1), "fetched once for all who wait");
    host.put("/jwks", "application/json", new.jwks().to_string());
    assert_eq!((ask(&new).await, visits()), (200, 2), "a key rotation is found at once");
    assert_eq!((ask(&old).await, visits()), (401, 2), "but nobody makes us ask again and again");
    host.put("/jwks", "application/json", same_name.jwks().to_string());
    server.advance(TimeDelta::seconds(61));
    assert_eq!((ask(&same_name).await, visits()), (200, 3), "another key of the same name, too");
    host.answer_with("/jwks", 500, "text/plain", "");
    server.advance(TimeDelta::minutes(16));
    assert_eq!((ask(&same_name).await, ask(&same_name).await), (200, 200));
    assert_eq!(visits(), 4, "what fails is left alone for a while");
    server.advance(TimeDelta::hours(2));
    assert_eq!((ask(&same_name).await, ask(&same_name).await, visits()), (401, 401, 5));
    for (status, text) in [(302, host.at("/jwks2")), (200, "[]".into()), (200, " ".repeat(200_000))]
    {
        host.put("/jwks2", "application/json", same_name.jwks().to_string());
        host.answer_with("/jwks", status, "application/json", text);
        server.advance(TimeDelta::minutes(2));
        assert_eq!(ask(&same_name).await, 401, "{status}");
    }
    assert_eq!(host.visits("/jwks2").len(), 0, "no redirects");
}

async fn case_40_no_private_address_is_asked_for_keys(db: Kind) {
    let server = TestServer::start(db).await;
    let host = Host::start().await;
    let key = Signer::new("ES256");
    host.put("/jwks", "application/json", key.jwks().to_string());
    declare(&server, "signs", &[("jwks_uri", json!(host.at("/jwks")))]).await;

    let answer = present(&server, &key.sign("JWT", &statement(&server, "signs")), &[]).await;

    assert_eq!((answer.refusal().as_str(), host.visits("/jwks").len()), ("401 invalid_client", 0));
}
