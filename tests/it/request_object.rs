//! Authorization requests inside a JWT: in the browser, at a URL, and pushed. Source: RFC 9101.

use serde_json::{Value, json};

use crate::common::actors::CHALLENGE;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks, bent, hs256, strange_headers};
use crate::common::world::ben;

both!(
    a_request_comes_signed,
    unsigned_request_object_is_read_for_apps_that_registered_no_algorithm,
    request_uri_is_read_where_the_app_registered_it,
    what_stands_inside_wins,
    case_11_a_bad_request_object_is_refused,
    case_11_only_registered_urls_are_asked,
    case_11_an_app_that_must_sign_is_believed_nothing_else,
    case_35_no_header_talks_us_out_of_the_signature_of_a_request,
);

const CALLBACK: &str = "https://jar.example/callback";
const TYPE: &str = "oauth-authz-req+jwt";

async fn declare(server: &TestServer, metadata: &Value) {
    server
        .apply(&format!(
            "apps:
  - id: jar
    account: acme
    title: Signs requests
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [{CALLBACK}, https://jar.example/other]
    client_metadata: {metadata}"
        ))
        .await;
}

fn request(server: &TestServer) -> Value {
    let now = server.now();
    json!({
        "iss": "jar", "aud": server.url, "iat": now, "nbf": now, "exp": now + 300,
        "client_id": "jar", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid",
        "state": "inside", "nonce": "n", "max_age": 10_000, "code_challenge": CHALLENGE,
        "code_challenge_method": "S256", "claims": {"userinfo": {}},
    })
}

fn unsigned(claims: &Value) -> String {
    let parts = [json!({"alg": "none"}).to_string(), claims.to_string()];
    format!("{}.", parts.map(crate::common::jwt::encode).join("."))
}

/// The outcome of a request with `extra` in its query: `code STATE`, or the refusal.
async fn ask(server: &TestServer, extra: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", "jar").append_pair("response_type", "code");
    query.append_pair("scope", "openid").extend_pairs(extra);
    let answer = ben(server).authorize(server, &format!("/authorize?{}", query.finish())).await;
    match answer.location_param("code") {
        Some(_) => {
            let to = answer.location().split('?').next().unwrap_or_default();
            assert!(to == CALLBACK, "{answer:?}");
            format!("code {}", answer.location_param("state").unwrap_or_default())
        }
        None => answer.refusal(),
    }
}

async fn a_request_comes_signed(db: Kind) {
    let server = TestServer::start(db).await;

    for alg in ["ES256", "PS256"] {
        let key = Signer::new(alg);
        declare(&server, &json!({"jwks": key.jwks(), "request_object_signing_alg": alg})).await;
        for typ in [TYPE, "", "JWT", "application/oauth-authz-req+jwt"] {
            let object = key.sign(typ, &request(&server));
            assert_eq!(ask(&server, &[("request", &object)]).await, "code inside", "{typ}");
        }
        let object = key.sign(TYPE, &request(&server));
        let fields = [("client_id", "jar"), ("request", &*object)];
        let pushed = server.browser().post("/par", &fields).await.expect(201);
        let uri = pushed.text("request_uri");
        assert_eq!(ask(&server, &[("request_uri", &uri)]).await, "code inside");
    }
    let metadata = server.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["request_parameter_supported"], true);
    assert_eq!(metadata["request_uri_parameter_supported"], true);
    assert_eq!(metadata["require_request_uri_registration"], true);
}

async fn unsigned_request_object_is_read_for_apps_that_registered_no_algorithm(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let object = unsigned(&bent(
        &request(&server),
        &["iss", "aud", "exp", "nbf"].map(|name| (name, Value::Null)),
    ));

    declare(&server, &json!({})).await;
    assert_eq!(ask(&server, &[("request", &object)]).await, "code inside");
    declare(&server, &json!({"request_object_signing_alg": "none"})).await;
    assert_eq!(ask(&server, &[("request", &object)]).await, "code inside");
    let signed = json!({"jwks": key.jwks(), "request_object_signing_alg": "ES256"});
    declare(&server, &signed).await;
    assert_eq!(ask(&server, &[("request", &object)]).await, "400 page");
}

async fn request_uri_is_read_where_the_app_registered_it(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let (host, key) = (Host::start().await, Signer::new("RS256"));
    let uri = format!("{}#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM", host.at("/request"));
    let metadata = json!({"jwks": key.jwks(), "request_uris": [uri]});

    declare(&server, &metadata).await;
    host.put("/request", "application/jwt", unsigned(&request(&server)));
    assert_eq!(ask(&server, &[("request_uri", &uri)]).await, "code inside");
    host.put("/request", "application/jwt", key.sign(TYPE, &request(&server)));
    assert_eq!(ask(&server, &[("request_uri", &uri)]).await, "code inside");
    declare(&server, &bent(&metadata, &[("request_object_signing_alg", json!("RS256"))])).await;
    assert_eq!(ask(&server, &[("request_uri", &uri)]).await, "code inside");
    host.put("/request", "application/jwt", unsigned(&request(&server)));
    assert_eq!(ask(&server, &[("request_uri", &uri)]).await, "400 page");
}

async fn what_stands_inside_wins(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    declare(&server, &json!({"jwks": key.jwks()})).await;
    let object = key.sign(TYPE, &request(&server));
    let with = async |changed: &[(&str, Value)], extra: (&str, &str)| {
        let object = key.sign(TYPE, &bent(&request(&server), changed));
        ask(&server, &[("request", &object), extra]).await
    };

    for extra in [
        ("state", "outside"),
        ("redirect_uri", "https://jar.example/other"),
        ("redirect_uri", "https://evil.example/"),
    ] {
        assert_eq!(ask(&server, &[("request", &object), extra]).await, "code inside", "{extra:?}");
    }
    // By OpenID Connect Core section 6.1 the rest may stand beside it.
    let outcome = with(&[("state", Value::Null)], ("state", "outside")).await;
    assert_eq!(outcome, "code outside");
    let other = with(&[("response_type", json!("token"))], ("state", "x")).await;
    assert_eq!(other, "400 page", "response_type differs");
}

async fn case_11_a_bad_request_object_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let (key, thief) = (Signer::new("ES256"), Signer::new("ES256"));
    declare(&server, &json!({"jwks": key.jwks(), "request_object_signing_alg": "ES256"})).await;
    let now = server.now();
    let mut bad = vec![("of another key", thief.sign(TYPE, &request(&server)))];
    for (what, changed) in [
        ("expired", ("exp", json!(now - 60))),
        ("not yet", ("nbf", json!(now + 120))),
        ("aud", ("aud", json!("https://other.example"))),
        ("iss", ("iss", json!("portal"))),
        ("client_id", ("client_id", json!("portal"))),
        ("nested", ("request", json!("x"))),
        ("nested by reference", ("request_uri", json!("https://jar.example/r"))),
        ("odd", ("exp", json!("soon"))),
        ("an assertion", ("sub", json!("jar"))),
        ("control", ("state", json!("a\u{0}b"))),
    ] {
        bad.push((what, key.sign(TYPE, &bent(&request(&server), &[changed]))));
    }
    bad.push(("another type", key.sign("at+jwt", &request(&server))));
    bad.push(("encrypted", "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".to_owned()));

    for (what, object) in &bad {
        assert_eq!(ask(&server, &[("request", object)]).await, "400 page", "{what}");
        let open = [("request", object.as_str()), ("redirect_uri", CALLBACK), ("state", "s")];
        assert_eq!(ask(&server, &open).await, "303 invalid_request_object", "{what}");
        let fields = [("client_id", "jar"), ("request", object.as_str())];
        let pushed = server.browser().post("/par", &fields).await;
        assert_eq!(pushed.refusal(), "400 invalid_request_object", "{what}");
    }
    let both = [("request", "x"), ("request_uri", "https://x.example"), ("redirect_uri", CALLBACK)];
    assert_eq!(ask(&server, &both).await, "303 invalid_request");
}

async fn case_11_only_registered_urls_are_asked(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let host = Host::start().await;
    let inner = Host::start().await;
    let registered = json!([
        host.at("/moved"),
        host.at("/large"),
        host.at("/gone"),
        host.at("/text"),
        "https://10.0.0.1/request",
    ]);
    declare(&server, &json!({"request_uris": registered})).await;
    for path in ["/free", "/moved"] {
        host.put(path, "application/jwt", unsigned(&request(&server)));
    }
    inner.put("/inner", "application/jwt", unsigned(&request(&server)));
    host.answer_with("/moved", 302, "text/plain", inner.at("/inner"));
    host.put("/large", "application/jwt", "x".repeat(1 << 20));
    host.put("/text", "text/plain", "no JWT");
    let free = host.at("/free");
    let longer = format!("{}?x", host.at("/text"));

    for (uri, expected) in [
        (free.as_str(), "303 invalid_request_uri"),
        (&longer, "303 invalid_request_uri"),
        (&host.at("/moved"), "303 invalid_request_uri"),
        (&host.at("/large"), "303 invalid_request_uri"),
        (&host.at("/gone"), "303 invalid_request_uri"),
        (&host.at("/text"), "303 invalid_request_object"),
        ("https://10.0.0.1/request", "303 invalid_request_uri"),
        ("file:///etc/passwd", "303 invalid_request_uri"),
        ("urn:x", "303 invalid_request_uri"),
    ] {
        let open = [("request_uri", uri), ("redirect_uri", CALLBACK)];
        assert_eq!(ask(&server, &open).await, expected, "{uri}");
    }
    assert_eq!((host.visits("/free").len(), inner.visits("/inner").len()), (0, 0));
}

async fn case_11_an_app_that_must_sign_is_believed_nothing_else(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    let must = json!({"jwks": key.jwks(), "require_signed_request_object": true});
    declare(&server, &must).await;
    let object = key.sign(TYPE, &bent(&request(&server), &[("state", Value::Null)]));
    let plain = [
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];

    assert_eq!(ask(&server, &plain).await, "303 invalid_request");
    assert_eq!(ask(&server, &[("request", &object), ("state", "outside")]).await, "code ");
    let none = unsigned(&request(&server));
    assert_eq!(ask(&server, &[("request", &none)]).await, "400 page");
    let fields =
        [&[("client_id", "jar"), ("response_type", "code"), ("scope", "openid")], &plain[..]];
    let pushed = server.browser().post("/par", &fields.concat()).await;
    assert_eq!(pushed.refusal(), "400 invalid_request");
    for name in ["exp", "nbf", "aud", "iss", "client_id"] {
        let object = key.sign(TYPE, &bent(&request(&server), &[(name, Value::Null)]));
        assert_eq!(ask(&server, &[("request", &object)]).await, "400 page", "{name}");
    }
}

async fn case_35_no_header_talks_us_out_of_the_signature_of_a_request(db: Kind) {
    let server = TestServer::start(db).await;
    let (key, thief) = (Signer::new("ES256"), Signer::new("ES256"));
    declare(&server, &json!({"jwks": key.jwks(), "request_object_signing_alg": "ES256"})).await;
    let claims = request(&server);

    let mut all = attacks(&thief, &key.jwk(), TYPE, &claims);
    all.extend(strange_headers(&key, TYPE, &claims));
    all.push(("signed by the server".into(), server.sign(TYPE, &claims)));
    all.push(("HS256".into(), hs256(b"x", &json!({"alg": "HS256"}), &claims)));
    for (attack, object) in all.iter().filter(|(_, object)| !object.is_empty()) {
        let fields = [("client_id", "jar"), ("request", object.as_str())];
        let pushed = server.browser().post("/par", &fields).await;
        assert!([400, 413].contains(&pushed.status), "{attack}: {pushed:?}");
        if object.len() < 4_000 {
            let outcome = ask(&server, &[("request", object)]).await;
            assert_eq!(outcome, "400 page", "{attack}");
        }
    }
}
