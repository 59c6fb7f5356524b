//! One test for each module of the plans "dynamic" and "third-party-initiated login" of the
//! OpenID Foundation, named after it, with apps that register themselves as the suite's do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::jwt::{claims, header};
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer};
use crate::common::world::dev;
use crate::registration::actor::{
    CALLBACK, client, good, manage, open_server, register, token, with,
};

both!(
    discovery_endpoint_verification,
    server_happy_path,
    idtoken_rs256,
    idtoken_unsigned,
    userinfo_rs256,
    redirect_uri_query_ok,
    redirect_uri_query_mismatch,
    redirect_uri_query_added,
    redirect_uri_regfrag,
    ensure_redirect_uri_in_authorization_request,
    registration_jwks_uri,
    registration_sector_uri,
    registration_sector_bad,
    pairwise_subjects_are_those_of_the_sector,
    request_uri_unsigned,
    request_uri_signed_rs256,
    server_rotate_keys,
    refresh_token_rp_key_rotation,
    ensure_client_assertion_with_iss_aud_succeeds,
    third_party_init_login_initiate_login_uri_is_stored_and_returned,
    third_party_init_login_is_https_only,
);

pub async fn registered(server: &TestServer, asked: &Value) -> (Value, ClientApp) {
    let told = register(server, asked).await.expect(201).json();
    let app = client(server, &told);
    (told, app)
}

async fn discovery_endpoint_verification(db: Kind) {
    let server = open_server(db).await;

    let told = server.browser().get("/.well-known/openid-configuration").await.expect(200).json();

    assert_eq!(told["issuer"], server.url);
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"] {
        assert!(told[name].as_str().unwrap().starts_with(&server.url), "{name}");
    }
    assert!(told["response_types_supported"].as_array().unwrap().contains(&json!("code")));
    assert!(
        told["grant_types_supported"].as_array().unwrap().contains(&json!("authorization_code"))
    );
}

async fn server_happy_path(db: Kind) {
    let server = open_server(db).await;
    let (_, app) = registered(&server, &good()).await;

    let tokens = app.tokens(&server, &dev(&server)).await;

    assert_eq!(claims(&tokens.id)["aud"], app.id);
    assert_eq!(claims(&tokens.id)["nonce"], "n-1");
}

async fn idtoken_rs256(db: Kind) {
    let server = open_server(db).await;
    for alg in ["RS256", "ES256"] {
        let asked = with("id_token_signed_response_alg", json!(alg));
        let (told, app) = registered(&server, &asked).await;

        let tokens = app.tokens(&server, &dev(&server)).await;

        assert_eq!(told["id_token_signed_response_alg"], alg);
        assert_eq!(header(&tokens.id)["alg"], alg);
        assert!(header(&tokens.id)["kid"].is_string());
    }
}

async fn idtoken_unsigned(db: Kind) {
    let server = open_server(db).await;

    let told = server.browser().get("/.well-known/openid-configuration").await.json();
    let answer = register(&server, &with("id_token_signed_response_alg", json!("none"))).await;

    let offered = &told["id_token_signing_alg_values_supported"];
    assert!(!offered.as_array().unwrap().contains(&json!("none")));
    assert_eq!(answer.refusal(), "400 invalid_client_metadata");
}

async fn userinfo_rs256(db: Kind) {
    let server = open_server(db).await;
    let asked = with("userinfo_signed_response_alg", json!("RS256"));
    let (told, app) = registered(&server, &asked).await;

    let tokens = app.tokens(&server, &dev(&server)).await;
    let answer = app.userinfo(&tokens.access).await.expect(200);

    assert_eq!(told["userinfo_signed_response_alg"], "RS256");
    assert!(answer.header("content-type").starts_with("application/jwt"), "{answer:?}");
    assert_eq!(header(&answer.body)["alg"], "RS256");
    let inside = claims(&answer.body);
    assert_eq!((&inside["iss"], &inside["aud"]), (&json!(server.url), &json!(app.id)));
    assert_eq!(inside["sub"], "dev");
}

const WITH_QUERY: &str = "https://app.example/callback?dummy1=lorem&dummy2=ipsum";

async fn redirect_uri_query_ok(db: Kind) {
    let server = open_server(db).await;
    let (_, app) = registered(&server, &with("redirect_uris", json!([WITH_QUERY]))).await;

    let answer = dev(&server).authorize(&server, &app.authorize_url()).await;

    assert!(answer.location().starts_with(&format!("{WITH_QUERY}&")), "{answer:?}");
    assert!(answer.location_param("code").is_some());
    assert_eq!(answer.location_param("dummy1").as_deref(), Some("lorem"));
}

async fn authorize_at(server: &TestServer, registered_uri: &str, asked_uri: &str) -> Answer {
    let (_, app) = registered(server, &with("redirect_uris", json!([registered_uri]))).await;
    app.http.get(&app.authorize_url_with(&[("redirect_uri", asked_uri)])).await
}

async fn redirect_uri_query_mismatch(db: Kind) {
    let server = open_server(db).await;

    let answer = authorize_at(&server, WITH_QUERY, "https://app.example/callback?dummy1=x").await;

    assert_eq!(answer.refusal(), "400 page");
    assert!(answer.location().is_empty());
}

async fn redirect_uri_query_added(db: Kind) {
    let server = open_server(db).await;

    let answer = authorize_at(&server, CALLBACK, &format!("{CALLBACK}?dummy1=lorem")).await;

    assert_eq!(answer.refusal(), "400 page");
    assert!(answer.location().is_empty());
}

async fn redirect_uri_regfrag(db: Kind) {
    let server = open_server(db).await;

    let uris = json!([format!("{CALLBACK}#foobar")]);
    let answer = register(&server, &with("redirect_uris", uris)).await;

    assert_eq!(answer.refusal(), "400 invalid_redirect_uri");
}

async fn ensure_redirect_uri_in_authorization_request(db: Kind) {
    let server = open_server(db).await;
    let two = json!([CALLBACK, "https://app.example/other"]);
    let (_, app) = registered(&server, &with("redirect_uris", two)).await;

    let answer = app.http.get(&app.authorize_url_with(&[("redirect_uri", "")])).await;

    assert_eq!(answer.refusal(), "400 page");
    assert!(answer.location().is_empty());
}

async fn sign_in_signed(server: &TestServer, app: &ClientApp, key: &Signer, jti: &str) -> Answer {
    let code = app.code(server, &dev(server)).await;
    let now = server.now();
    let own = json!({ "iss": app.id, "sub": app.id, "aud": server.url, "iat": now,
                      "exp": now + 60, "jti": jti });
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", crate::common::actors::VERIFIER),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &key.sign("JWT", &own)),
    ];
    app.http.post("/token", &fields).await
}

fn signing(jwks_uri: &str) -> Value {
    let mut asked = with("token_endpoint_auth_method", json!("private_key_jwt"));
    asked["token_endpoint_auth_signing_alg"] = json!("RS256");
    asked["jwks_uri"] = json!(jwks_uri);
    asked
}

async fn registration_jwks_uri(db: Kind) {
    let server = open_server(db).await;
    let (host, key) = (Host::start().await, Signer::new("RS256"));
    host.put("/jwks", "application/json", key.jwks().to_string());
    let (told, app) = registered(&server, &signing(&host.at("/jwks"))).await;

    let tokens = Tokens::of(&sign_in_signed(&server, &app, &key, "1").await);

    assert!(told.get("client_secret").is_none(), "it needs none");
    assert_eq!(app.userinfo(&tokens.access).await.expect(200).json()["sub"], "dev");
}

async fn ensure_client_assertion_with_iss_aud_succeeds(db: Kind) {
    let server = open_server(db).await;
    let key = Signer::new("RS256");
    let mut asked = signing("");
    asked.as_object_mut().unwrap().remove("jwks_uri");
    asked["jwks"] = key.jwks();
    let (_, app) = registered(&server, &asked).await;

    assert_eq!(sign_in_signed(&server, &app, &key, "1").await.status, 200);
}

async fn refresh_token_rp_key_rotation(db: Kind) {
    let server = open_server(db).await;
    let (host, first) = (Host::start().await, Signer::new("RS256").named("first"));
    host.put("/jwks", "application/json", first.jwks().to_string());
    let (_, app) = registered(&server, &signing(&host.at("/jwks"))).await;
    let tokens = Tokens::of(&sign_in_signed(&server, &app, &first, "1").await);

    let second = Signer::new("RS256").named("second");
    host.put("/jwks", "application/json", second.jwks().to_string());
    server.advance(chrono::TimeDelta::minutes(6));
    let now = server.now();
    let own = json!({ "iss": app.id, "sub": app.id, "aud": server.url, "iat": now,
                      "exp": now + 60, "jti": "2" });
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &tokens.refresh),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &second.sign("JWT", &own)),
    ];
    let refreshed = app.http.post("/token", &fields).await;

    assert_eq!(refreshed.status, 200, "{refreshed:?}");
}

fn pairwise(sector: &str) -> Value {
    let mut asked = with("redirect_uris", json!([CALLBACK, "https://other.example/cb"]));
    asked["sector_identifier_uri"] = json!(sector);
    asked
}

async fn registration_sector_uri(db: Kind) {
    let server = open_server(db).await;
    let host = Host::start().await;
    let listed = json!([CALLBACK, "https://other.example/cb", "https://third.example/cb"]);
    host.put("/sector", "application/json", listed.to_string());

    let (told, app) = registered(&server, &pairwise(&host.at("/sector"))).await;

    assert_eq!(told["sector_identifier_uri"], host.at("/sector"));
    app.tokens(&server, &dev(&server)).await;
}

async fn registration_sector_bad(db: Kind) {
    let server = open_server(db).await;
    let host = Host::start().await;
    let good = json!([CALLBACK, "https://other.example/cb"]).to_string();
    host.put("/good", "application/json", good.clone());
    host.put("/less", "application/json", json!([CALLBACK]).to_string());
    host.put("/object", "application/json", json!({ "uris": [CALLBACK] }).to_string());
    host.put("/text", "text/plain", "nonsense");
    host.put("/large", "application/json", format!("[\"{}\"]", "a".repeat(200_000)));
    host.answer_with("/away", 302, "text/plain", host.at("/good"));
    host.answer_with("/broken", 500, "application/json", good);
    let secret = "https://10.0.0.1/sector".to_owned();

    let mut texts = Vec::new();
    for path in ["/less", "/object", "/text", "/large", "/away", "/broken", "/nothing"] {
        texts.push(register(&server, &pairwise(&host.at(path))).await);
    }
    texts.push(register(&server, &pairwise(&secret)).await);

    for answer in &texts {
        assert_eq!(answer.refusal(), "400 invalid_client_metadata", "{answer:?}");
        assert_eq!(answer.body, texts[0].body, "nobody looks around in our network");
    }
    let (told, _) = registered(&server, &pairwise(&host.at("/good"))).await;
    let mut next = pairwise(&host.at("/less"));
    next["client_id"] = told["client_id"].clone();
    let moved = manage(Method::PUT, &told, token(&told), Some(&next)).await;
    assert_eq!(moved.refusal(), "400 invalid_client_metadata");
}

async fn pairwise_subjects_are_those_of_the_sector(db: Kind) {
    let server = open_server(db).await;
    let host = Host::start().await;
    let listed = json!([CALLBACK, "https://other.example/cb"]);
    host.put("/sector", "application/json", listed.to_string());
    let mut asked = pairwise(&host.at("/sector"));
    asked["subject_type"] = json!("pairwise");

    let mut subjects = Vec::new();
    for _ in 0..2 {
        let (_, app) = registered(&server, &asked).await;
        subjects.push(claims(&app.tokens(&server, &dev(&server)).await.id)["sub"].clone());
    }
    let (_, alone) = registered(&server, &with("subject_type", json!("pairwise"))).await;
    let elsewhere = claims(&alone.tokens(&server, &dev(&server)).await.id)["sub"].clone();

    assert_eq!(subjects[0], subjects[1]);
    assert!(subjects[0] != "dev" && subjects[0] != elsewhere && elsewhere != "dev");
    asked.as_object_mut().unwrap().remove("sector_identifier_uri");
    let nameless = register(&server, &asked).await;
    assert_eq!(nameless.refusal(), "400 invalid_client_metadata");
}

/// Signs in with a request that stands at a URL of the app.
async fn by_request_uri(server: &TestServer, alg: &str, key: &Signer) -> Answer {
    let host = Host::start().await;
    let uri = host.at("/request.jwt#qnzVwXd");
    let mut asked = with("request_uris", json!([uri]));
    asked["request_object_signing_alg"] = json!(alg);
    asked["jwks"] = key.jwks();
    let (_, app) = registered(server, &asked).await;
    let mut inside = json!({ "iss": app.id, "aud": server.url, "state": "inside" });
    for (name, value) in app.request().into_iter().filter(|(name, _)| *name != "state") {
        inside[name] = json!(value);
    }
    let object = match alg {
        "none" => {
            let part = |value: Value| crate::common::jwt::encode(value.to_string());
            format!("{}.{}.", part(json!({ "alg": "none" })), part(inside))
        }
        _ => key.sign("oauth-authz-req+jwt", &inside),
    };
    host.put("/request.jwt", "application/oauth-authz-req+jwt", object);
    let open = [("state", ""), ("request_uri", uri.as_str())];
    dev(server).authorize(server, &app.authorize_url_with(&open)).await
}

async fn request_uri_unsigned(db: Kind) {
    let server = open_server(db).await;

    let answer = by_request_uri(&server, "none", &Signer::new("RS256")).await;

    assert!(answer.location_param("code").is_some(), "{answer:?}");
    assert_eq!(answer.location_param("state").as_deref(), Some("inside"));
}

async fn request_uri_signed_rs256(db: Kind) {
    let server = open_server(db).await;

    let answer = by_request_uri(&server, "RS256", &Signer::new("RS256")).await;

    assert!(answer.location_param("code").is_some(), "{answer:?}");
    assert_eq!(answer.location_param("state").as_deref(), Some("inside"));
}

async fn server_rotate_keys(db: Kind) {
    let server = open_server(db).await;
    let (_, app) = registered(&server, &good()).await;
    let before = header(&app.tokens(&server, &dev(&server)).await.id)["kid"].clone();

    // As an operator does: the next key is published first, and signs from the next time on.
    for _ in 0..2 {
        server.server.keys.rotate(None).await.unwrap();
    }

    let after = header(&app.tokens(&server, &dev(&server)).await.id)["kid"].clone();
    let published = server.browser().get("/jwks").await.json();
    let names: Vec<&Value> =
        published["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_ne!(before, after);
    assert!(names.contains(&&after));
}

async fn third_party_init_login_initiate_login_uri_is_stored_and_returned(db: Kind) {
    let server = open_server(db).await;
    let uri = "https://app.example/initiate";

    let (told, app) = registered(&server, &with("initiate_login_uri", json!(uri))).await;

    assert_eq!(told["initiate_login_uri"], uri);
    let read = manage(Method::GET, &told, token(&told), None).await.expect(200).json();
    assert_eq!(read["initiate_login_uri"], uri);
    app.tokens(&server, &dev(&server)).await;
}

async fn third_party_init_login_is_https_only(db: Kind) {
    let server = open_server(db).await;

    for uri in ["http://app.example/initiate", "http://127.0.0.1/initiate", "app.example"] {
        let answer = register(&server, &with("initiate_login_uri", json!(uri))).await;
        assert_eq!(answer.refusal(), "400 invalid_client_metadata", "{uri}");
    }
}
