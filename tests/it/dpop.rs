//! Tokens that are bound to a key: DPoP at the token endpoint. Source: RFC 9449 sections 4 to 10.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Tokens, VERIFIER};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::fapi::{By, Case, Fapi, Site};
use crate::common::proof::{ProofKey, claims};
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, portal};
use crate::common::{both, jwt};

both!(
    case_31_a_proof_binds_the_tokens_of_every_grant,
    case_31_a_bad_proof_at_the_token_endpoint_gives_nothing,
    case_31_a_proof_is_good_once,
    case_31_the_host_of_the_request_does_not_matter,
    dpop_jkt_binds_the_code,
    case_31_refresh_tokens_of_public_apps_stay_with_their_key,
    refresh_tokens_of_confidential_apps_may_change_the_key,
    an_app_that_asked_for_bound_tokens_gets_no_others,
    a_nonce_is_asked_for_where_the_app_says_so,
    proofs_of_fapi_apps_are_not_signed_with_rs256,
);

const OWN: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// Changes the header and the claims of a proof.
type Bend<'a> = &'a dyn Fn(&mut Value, &mut Value);

/// Exchanges a code with proofs.
async fn exchange(app: &ClientApp, proofs: &[&str], code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    app.prove(proofs, &fields).await
}

async fn refresh(app: &ClientApp, proofs: &[&str], token: &str) -> Answer {
    app.prove(proofs, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

fn at_token(server: &TestServer, key: &ProofKey) -> String {
    key.proof(server, "POST", "/token")
}

async fn case_31_a_proof_binds_the_tokens_of_every_grant(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, key) = (backend(&server), ProofKey::new());
    let code = app.code(&server, &ada(&server)).await;

    let first = exchange(&app, &[&at_token(&server, &key)], &code).await;
    let tokens = Tokens::of(&first);
    let second = refresh(&app, &[&at_token(&server, &key)], &tokens.refresh).await;
    let fields = [&OWN[..], &[("scope", "project.read")]].concat();
    let own = app.prove(&[&at_token(&server, &key)], &fields).await;

    for answer in [first, second, own] {
        assert_eq!((answer.status, &*answer.text("token_type")), (200, "DPoP"), "{answer:?}");
        let token = answer.text("access_token");
        assert_eq!(jwt::claims(&token)["cnf"], json!({"jkt": key.thumbprint()}));
        let told = app.introspect(&token).await.json();
        assert_eq!(told["cnf"], json!({"jkt": key.thumbprint()}));
        assert_eq!(told["token_type"], "DPoP");
    }
    let plain = app.client_credentials("project.read").await;
    assert_eq!(plain.text("token_type"), "Bearer");
    assert!(jwt::claims(&plain.text("access_token")).get("cnf").is_none());
}

async fn case_31_a_bad_proof_at_the_token_endpoint_gives_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, key) = (backend(&server), ProofKey::new());
    let fields = [&OWN[..], &[("scope", "project.read")]].concat();
    let bent = async |bend: Bend<'_>| {
        let (mut header, mut claims) = (key.header(), claims(&server, "POST", "/token"));
        bend(&mut header, &mut claims);
        app.prove(&[&key.sign(&header, &claims)], &fields).await
    };

    assert_eq!(bent(&|_, _| ()).await.status, 200);
    let cases: [(&str, Bend<'_>); 14] = [
        ("typ", &|header, _| header["typ"] = json!("JWT")),
        ("alg none", &|header, _| header["alg"] = json!("none")),
        ("alg HS256", &|header, _| header["alg"] = json!("HS256")),
        ("jwk of another", &|header, _| header["jwk"] = ProofKey::new().jwk),
        ("private jwk", &|header, _| header["jwk"]["d"] = json!("AAAA")),
        ("crit", &|header, _| header["crit"] = json!(["b64"])),
        ("b64", &|header, _| header["b64"] = json!(false)),
        ("htm", &|_, claims| claims["htm"] = json!("GET")),
        ("htu", &|_, claims| claims["htu"] = json!("https://other.example/token")),
        ("jti", &|_, claims| claims["jti"] = Value::Null),
        ("old", &|_, claims| claims["iat"] = json!(server.now() - 61)),
        ("future", &|_, claims| claims["iat"] = json!(server.now() + 61)),
        ("nbf", &|_, claims| claims["nbf"] = json!(server.now() + 3_600)),
        ("exp", &|_, claims| claims["exp"] = json!(server.now() - 3_600)),
    ];
    for (what, bend) in cases {
        let answer = bent(bend).await;
        assert_eq!(answer.refusal(), "400 invalid_dpop_proof", "{what}: {answer:?}");
    }
    for seconds in [-10, 10] {
        let skewed = bent(&|_, claims| claims["iat"] = json!(server.now() + seconds)).await;
        assert_eq!(skewed.status, 200, "{seconds}");
    }
    let (one, two) = (at_token(&server, &key), at_token(&server, &key));
    let access = app.client_credentials("project.read").await.text("access_token");
    let long = "x".repeat(9_000);
    for proofs in [&[&*one, &*two][..], &[""], &["x"], &["a.b.c"], &[&access], &[&long]] {
        let answer = app.prove(proofs, &fields).await;
        assert_eq!(answer.refusal(), "400 invalid_dpop_proof", "{proofs:?}");
    }
}

async fn case_31_a_proof_is_good_once(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, key) = (backend(&server), ProofKey::new());
    let fields = [&OWN[..], &[("scope", "project.read")]].concat();
    let proof = at_token(&server, &key);

    let same = [&*proof];
    let (one, two) = tokio::join!(app.prove(&same, &fields), app.prove(&same, &fields));
    let mut seen = [one.refusal(), two.refusal()];
    seen.sort();
    assert_eq!(seen, ["200 ", "400 invalid_dpop_proof"]);
    server.advance(TimeDelta::seconds(60));
    assert_eq!(app.prove(&[&proof], &fields).await.refusal(), "400 invalid_dpop_proof");
    // The name belongs to the key: another key may use it, too.
    let other = ProofKey::new();
    let mut claims = jwt::claims(&proof);
    claims["iat"] = json!(server.now());
    let same_name = other.sign(&other.header(), &claims);
    assert_eq!(app.prove(&[&same_name], &fields).await.status, 200);
}

async fn case_31_the_host_of_the_request_does_not_matter(db: Kind) {
    let server = TestServer::start(db).await;
    let key = ProofKey::new();
    let send = async |htu: &str| {
        let mut claims = claims(&server, "POST", "/token");
        claims["htu"] = json!(htu);
        let proof = key.sign(&key.header(), &claims);
        let body = "grant_type=client_credentials&scope=project.read&client_id=backend&client_secret=backend-secret-0123456789-abcdefghijklmnop";
        let request = format!(
            "POST /token HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\ndpop: {proof}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        server.raw(request.as_bytes()).await.split(' ').nth(1).map(str::to_owned)
    };

    assert_eq!(send(&format!("{}/token", server.url)).await.as_deref(), Some("200"));
    assert_eq!(send(&format!("{}/token?a=b#c", server.url)).await.as_deref(), Some("200"));
    assert_eq!(send("http://evil.example/token").await.as_deref(), Some("400"));
}

async fn dpop_jkt_binds_the_code(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada, key) = (portal(&server), ada(&server), ProofKey::new());
    let url = app.authorize_url_with(&[("dpop_jkt", &key.thumbprint())]);

    let code = app.code_for(&server, &ada, &url).await;
    let other = ProofKey::new();
    let stolen = exchange(&app, &[&at_token(&server, &other)], &code).await;
    let bare = exchange(&app, &[], &code).await;
    let own = exchange(&app, &[&at_token(&server, &key)], &code).await;

    assert_eq!(stolen.refusal(), "400 invalid_grant");
    assert_eq!(bare.refusal(), "400 invalid_grant");
    assert_eq!(own.text("token_type"), "DPoP");
    for bad in ["x", "AAAA", &format!("{}=", key.thumbprint()), &"A".repeat(100)] {
        let url = app.authorize_url_with(&[("dpop_jkt", bad)]);
        assert_eq!(ada.browser.get(&url).await.refusal(), "303 invalid_request", "{bad}");
    }
}

async fn case_31_refresh_tokens_of_public_apps_stay_with_their_key(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada, key) = (portal(&server), ada(&server), ProofKey::new());
    let code = app.code(&server, &ada).await;
    let tokens = Tokens::of(&exchange(&app, &[&at_token(&server, &key)], &code).await);

    let other = ProofKey::new();
    let stolen = refresh(&app, &[&at_token(&server, &other)], &tokens.refresh).await;
    let bare = refresh(&app, &[], &tokens.refresh).await;
    let own = refresh(&app, &[&at_token(&server, &key)], &tokens.refresh).await;

    assert_eq!(stolen.refusal(), "400 invalid_grant");
    assert_eq!(bare.refusal(), "400 invalid_grant");
    assert_eq!((own.status, &*own.text("token_type")), (200, "DPoP"), "{own:?}");
}

async fn refresh_tokens_of_confidential_apps_may_change_the_key(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada, key) = (backend(&server), ada(&server), ProofKey::new());
    let code = app.code(&server, &ada).await;
    let tokens = Tokens::of(&exchange(&app, &[&at_token(&server, &key)], &code).await);

    let other = ProofKey::new();
    let moved = refresh(&app, &[&at_token(&server, &other)], &tokens.refresh).await;
    let bare = refresh(&app, &[], &moved.text("refresh_token")).await;

    let token = moved.text("access_token");
    assert_eq!(jwt::claims(&token)["cnf"], json!({"jkt": other.thumbprint()}));
    assert_eq!(bare.refusal(), "400 invalid_grant", "bound tokens do not turn into others");
}

async fn an_app_that_asked_for_bound_tokens_gets_no_others(db: Kind) {
    let server = TestServer::start(db).await;
    let lines = "type: public\n    client_metadata: { dpop_bound_access_tokens: true }";
    server.change_app("portal", "type: public", lines).await;
    let (app, key) = (portal(&server), ProofKey::new());
    let code = app.code(&server, &ada(&server)).await;

    let bare = exchange(&app, &[], &code).await;
    let own = exchange(&app, &[&at_token(&server, &key)], &code).await;

    assert_eq!(bare.refusal(), "400 invalid_dpop_proof");
    assert_eq!(own.status, 200, "{own:?}");
}

async fn a_nonce_is_asked_for_where_the_app_says_so(db: Kind) {
    let server = TestServer::start(db).await;
    let lines = "type: confidential\n    client_metadata: { require_dpop_nonce: true }";
    server.change_app("backend", "type: confidential", lines).await;
    let (app, key) = (backend(&server), ProofKey::new());
    let fields = [&OWN[..], &[("scope", "project.read")]].concat();
    let ask = async |nonce: &str, skew: i64| {
        let mut claims = claims(&server, "POST", "/token");
        claims["nonce"] = json!(nonce);
        claims["iat"] = json!(server.now() + skew);
        app.prove(&[&key.sign(&key.header(), &claims)], &fields).await
    };

    let first = app.prove(&[&at_token(&server, &key)], &fields).await;
    assert_eq!(first.refusal(), "400 use_dpop_nonce");
    let nonce = first.header("dpop-nonce").to_owned();
    assert!(!nonce.is_empty());
    assert_eq!(ask("invented", 0).await.refusal(), "400 use_dpop_nonce");
    let good = ask(&nonce, 0).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert_eq!(good.header("dpop-nonce"), nonce);
    assert_eq!(ask(&nonce, -3_600).await.status, 200, "the nonce says when it was made");

    server.advance(TimeDelta::seconds(300));
    let later = ask(&nonce, 0).await;
    assert_eq!(later.status, 200, "{later:?}");
    assert_ne!(later.header("dpop-nonce"), nonce, "the next one comes with the answer");
    server.advance(TimeDelta::seconds(300));
    assert_eq!(ask(&nonce, 0).await.refusal(), "400 use_dpop_nonce");
    // An app without the setting may use a nonce, too; then it must be a good one.
    let (portal, ada) = (portal(&server), ada(&server));
    let code = portal.code(&server, &ada).await;
    let mut claims = claims(&server, "POST", "/token");
    claims["nonce"] = json!("invented");
    let refused = exchange(&portal, &[&key.sign(&key.header(), &claims)], &code).await;
    assert_eq!(refused.refusal(), "400 use_dpop_nonce");
}

async fn proofs_of_fapi_apps_are_not_signed_with_rs256(db: Kind) {
    let server = Site::start(Case { db, by: By::Key }).await;
    let document = server.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(
        document["dpop_signing_alg_values_supported"],
        json!(["RS256", "PS256", "ES256", "EdDSA"])
    );
    let (app, rsa) = (backend(&server), crate::common::proof::RsaKey::new());
    let fields = [&OWN[..], &[("scope", "project.read")]].concat();
    let proof = || rsa.sign_rs256(&claims(&server, "POST", "/token"));

    assert_eq!(app.prove(&[&proof()], &fields).await.status, 200);
    let client = Fapi::security(&server, "one").await;
    let refused = client.post("/token", Some(&proof()), &fields).await;
    assert_eq!(refused.refusal(), "400 invalid_dpop_proof");
    let es256 = at_token(&server, &ProofKey::new());
    assert_eq!(client.post("/token", Some(&es256), &fields).await.status, 200);
}
