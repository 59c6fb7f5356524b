//! Rules that hold wherever an app shows who it is: asked of every endpoint that discovery names,
//! so that none is forgotten.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::basic;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer};
use crate::common::world::{backend, ben};

both!(
    case_28_one_method_and_the_right_one_at_every_endpoint,
    case_09_no_parameter_twice_at_any_endpoint,
    case_37_no_token_of_ours_says_who_an_app_is,
    case_36_no_header_says_whose_key_an_assertion_is_signed_by,
    case_75_no_endpoint_reads_a_body_without_end,
);

/// The endpoints at which apps show who they are.
const ENDPOINTS: [&str; 6] = [
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
];

/// Those that are there.
async fn endpoints(server: &TestServer) -> Vec<String> {
    let says = server.browser().get("/.well-known/openid-configuration").await.json();
    let found = ENDPOINTS.iter().filter_map(|name| says[*name].as_str().map(str::to_owned));
    let found: Vec<String> = found.collect();
    assert!(found.len() >= 4, "{found:?}");
    found
}

/// What makes sense at each of them, apart from who asks.
const FIELDS: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("token", "x"), ("scope", "openid")];

async fn case_28_one_method_and_the_right_one_at_every_endpoint(db: Kind) {
    let server = TestServer::start(db).await;
    let http = server.browser();
    let secret = backend(&server).secret.expect("a secret");
    let good = basic("backend", secret);
    for url in endpoints(&server).await {
        let ask = async |header: &str, more: &[(&str, &str)]| {
            let headers = [("authorization", header)];
            let headers = if header.is_empty() { &[][..] } else { &headers[..] };
            http.post_with(&url, headers, &[&FIELDS[..], more].concat()).await
        };
        let both = ask(&good, &[("client_id", "backend"), ("client_secret", secret)]).await;
        assert_eq!(both.refusal(), "400 invalid_request", "{url}");
        let assertion = [("client_assertion_type", JWT_BEARER), ("client_assertion", "a.b.c")];
        let both = ask(&good, &assertion).await;
        assert_eq!(both.status / 100, 4, "{url}: {both:?}");
        let other = ask(&good, &[("client_id", "portal")]).await;
        assert_eq!(other.status, 400, "{url}: {other:?}");
        let wrong = [
            (basic("backend", "wrong"), vec![]),
            (basic("nobody", secret), vec![]),
            (basic("portal", "x"), vec![]),
            (format!("Bearer {secret}"), vec![]),
            (String::new(), vec![("client_id", "backend")]),
            (String::new(), vec![("client_id", "backend"), ("client_secret", "wrong")]),
            (String::new(), vec![("client_id", "nobody")]),
            (String::new(), vec![]),
        ];
        for (header, more) in wrong {
            let answer = ask(&header, &more).await;
            assert_eq!(answer.refusal(), "401 invalid_client", "{url} {header} {more:?}");
        }
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = http.send(method.clone(), &url, &[("authorization", &good)], "").await;
            assert_eq!(answer.status, 405, "{method} {url}");
        }
    }
}

async fn case_09_no_parameter_twice_at_any_endpoint(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);
    for url in endpoints(&server).await {
        for (name, value) in FIELDS {
            let fields = [&FIELDS[..], &[(name, value)]].concat();
            let answer = app.authenticated(&url, &fields).await;
            assert_eq!(answer.refusal(), "400 invalid_request", "{url} {name}");
        }
        let kind = ("content-type", "application/json");
        let json = server.browser().send(Method::POST, &url, &[kind], "{}").await;
        assert_eq!(json.status / 100, 4, "{url}: {json:?}");
    }
}

/// An app that signs who it is with this key.
async fn declare_signing(server: &TestServer, key: &Signer) {
    let metadata = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key.jwks(),
    });
    let yaml = format!(
        "apps:
  - {{ id: signs, account: acme, title: Signs, status: live, type: confidential,
      allowed_accounts: all, allowed_scopes: [openid, project.read],
      callback_urls: ['https://signs.example/callback'],
      grant_types: [authorization_code, refresh_token, client_credentials],
      client_metadata: {metadata} }}"
    );
    server.apply(&yaml).await;
}

fn statement(server: &TestServer, name: &str) -> Value {
    let now = server.now();
    json!({"iss": "signs", "sub": "signs", "aud": server.url, "iat": now, "exp": now + 60,
           "jti": name})
}

/// Whether an assertion is refused at every endpoint.
async fn refused_everywhere(server: &TestServer, assertion: &str, what: &str) {
    for url in endpoints(server).await {
        let own = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        let answer = server.browser().post(&url, &[&FIELDS[..], &own].concat()).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{url}: {what}");
    }
}

async fn case_37_no_token_of_ours_says_who_an_app_is(db: Kind) {
    let server = TestServer::start(db).await;
    let key = Signer::new("ES256");
    declare_signing(&server, &key).await;
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;

    for (what, token) in
        [("access token", &tokens.access), ("ID token", &tokens.id), ("refresh", &tokens.refresh)]
    {
        refused_everywhere(&server, token, what).await;
    }
    // Our own key is not the app's, whatever it signs.
    for typ in ["JWT", "at+jwt", "logout+jwt", "oauth-authz-req+jwt"] {
        let token = server.sign(typ, &statement(&server, typ));
        refused_everywhere(&server, &token, typ).await;
    }
    // What the app signed for another purpose is no statement of who it is.
    for typ in ["dpop+jwt", "oauth-authz-req+jwt", "logout+jwt", "at+jwt"] {
        let token = key.sign(typ, &statement(&server, &format!("own {typ}")));
        refused_everywhere(&server, &token, typ).await;
    }
    // And a statement opens nothing as a token.
    let good = key.sign("JWT", &statement(&server, "good"));
    assert_eq!(backend(&server).userinfo(&good).await.status, 401);
    assert_eq!(backend(&server).introspect(&good).await.json()["active"], false);
    let hint = server.browser().get(&format!("/logout?id_token_hint={good}")).await;
    assert_eq!(hint.refusal(), "400 page");
}

async fn case_36_no_header_says_whose_key_an_assertion_is_signed_by(db: Kind) {
    let server = TestServer::start(db).await;
    let (key, thief) = (Signer::new("ES256"), Signer::new("ES256"));
    declare_signing(&server, &key).await;
    let claims = statement(&server, "stolen");
    for (name, value) in [
        ("jwk", thief.bare_jwk()),
        ("jku", json!("http://127.0.0.1:1/jwks")),
        ("x5u", json!("http://127.0.0.1:1/cert")),
        ("kid", json!("../../../etc/passwd")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("k".repeat(3_000))),
    ] {
        let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": key.kid});
        header[name] = value;
        refused_everywhere(&server, &thief.sign_with(&header, &claims), name).await;
    }
    let body = jwt::encode(claims.to_string());
    for none in ["none", "None", "NONE"] {
        let header = jwt::encode(json!({"alg": none}).to_string());
        refused_everywhere(&server, &format!("{header}.{body}."), none).await;
    }
}

async fn case_75_no_endpoint_reads_a_body_without_end(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);
    let large = "x".repeat(400_000);
    for url in endpoints(&server).await {
        let answer = app.authenticated(&url, &[("token", &large)]).await;
        assert_eq!(answer.status, 413, "{url}");
        let many: Vec<String> = (0..2_000).map(|number| format!("p{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (&**name, "")).collect();
        let answer = app.authenticated(&url, &many).await;
        assert_eq!(answer.status / 100, 4, "{url}: {answer:?}");
    }
}
