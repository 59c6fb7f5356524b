//! JWT bearer: apps that speak for users. Source: RFC 7523 section 2.1.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks, bent, strange_headers};
use crate::common::world::backend;

const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SECRET: &str = "robot-secret-0123456789-abcdefghijklmnopq";

both!(
    rfc7523_2_1_an_app_speaks_for_a_user,
    rfc7523_3_an_assertion_says_who_for_whom_and_how_long,
    rfc7523_3_an_assertion_is_good_once,
    rfc7523_only_apps_that_may_impersonate_speak_for_users,
    case_35_to_39_no_header_talks_its_way_in,
    case_38_claims_of_odd_types_are_refused,
);

fn yaml(signer: &Signer, metadata: &str) -> String {
    format!(
        "
apps:
  - id: robot
    account: acme
    title: Robot
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    default_scopes: [project.read]
    grant_types: ['{BEARER}']
    secrets: [{SECRET}]
    client_metadata: {{ {metadata} jwks: {} }}
",
        signer.jwks()
    )
}

fn robot(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "robot",
        secret: Some(SECRET),
        redirect_uri: "",
        scope: "project.read",
        http: server.browser(),
    }
}

async fn start(db: Kind) -> (TestServer, ClientApp, Signer) {
    let server = TestServer::start(db).await;
    let signer = Signer::new("ES256");
    server.apply(&yaml(&signer, "may_impersonate: true,")).await;
    let app = robot(&server);
    (server, app, signer)
}

fn claims(server: &TestServer, jti: &str) -> Value {
    json!({
        "iss": "robot", "sub": "ben", "aud": server.url, "jti": jti,
        "iat": server.now(), "exp": server.now() + 60,
    })
}

async fn bear(app: &ClientApp, assertion: &str) -> Answer {
    app.token(&[("grant_type", BEARER), ("assertion", assertion)]).await
}

async fn rfc7523_2_1_an_app_speaks_for_a_user(db: Kind) {
    let (server, app, signer) = start(db).await;

    let answer = bear(&app, &signer.sign("JWT", &claims(&server, "1"))).await.expect(200);

    assert_eq!((answer.text("refresh_token"), answer.text("id_token")), Default::default());
    let access = Tokens::of(&answer).access;
    let told = jwt::claims(&access);
    assert_eq!((&told["sub"], &told["client_id"]), (&json!("ben"), &json!("robot")));
    assert!(told.get("auth_time").is_none() && told.get("amr").is_none(), "nobody signed in");
    app.api("/v1/projects", &access, "acme").await.expect(200);
    let at_token = bent(&claims(&server, "2"), &[("aud", json!(format!("{}/token", server.url)))]);
    bear(&app, &signer.sign("", &at_token)).await.expect(200);
    app.revoke(&access).await.expect(200);
    assert_eq!(app.api("/v1/projects", &access, "acme").await.status, 401);
}

async fn rfc7523_3_an_assertion_says_who_for_whom_and_how_long(db: Kind) {
    let (server, app, signer) = start(db).await;
    let now = server.now();
    for (name, value) in [
        ("iss", json!("backend")),
        ("iss", json!("ben")),
        ("sub", json!("nobody")),
        ("sub", json!("eve")),
        ("sub", json!("robot")),
        ("aud", json!("https://other.example")),
        ("aud", json!([server.url, "https://other.example"])),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 3_600)),
        ("nbf", json!(now + 600)),
        ("iat", json!(now + 600)),
        ("jti", json!("")),
    ] {
        let assertion = signer.sign("JWT", &bent(&claims(&server, "x"), &[(name, value.clone())]));
        assert_eq!(bear(&app, &assertion).await.refusal(), "400 invalid_grant", "{name} {value}");
    }
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let assertion = signer.sign("JWT", &bent(&claims(&server, "x"), &[(name, Value::Null)]));
        assert_eq!(bear(&app, &assertion).await.refusal(), "400 invalid_grant", "{name}");
    }
    let missing = app.token(&[("grant_type", BEARER)]).await;
    assert_eq!(missing.refusal(), "400 invalid_request");
    let good = signer.sign("JWT", &claims(&server, "s"));
    let more = [("grant_type", BEARER), ("assertion", &*good), ("scope", "project.write")];
    assert_eq!(app.token(&more).await.refusal(), "400 invalid_scope");
}

async fn rfc7523_3_an_assertion_is_good_once(db: Kind) {
    let (server, app, signer) = start(db).await;
    let assertion = signer.sign("JWT", &claims(&server, "1"));

    let (one, two) = tokio::join!(bear(&app, &assertion), bear(&app, &assertion));

    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 400]);
    assert_eq!(bear(&app, &assertion).await.refusal(), "400 invalid_grant");
    server.advance(TimeDelta::minutes(10));
    assert_eq!(bear(&app, &assertion).await.refusal(), "400 invalid_grant");
}

async fn rfc7523_only_apps_that_may_impersonate_speak_for_users(db: Kind) {
    let (server, app, signer) = start(db).await;
    let assertion = signer.sign("JWT", &claims(&server, "1"));

    assert_eq!(bear(&backend(&server), &assertion).await.refusal(), "400 unauthorized_client");
    let public = ClientApp { secret: None, ..app };
    assert_eq!(bear(&public, &assertion).await.refusal(), "401 invalid_client");
    assert!(server.try_apply(&yaml(&signer, "")).await.is_err(), "it must be said");
}

async fn case_35_to_39_no_header_talks_its_way_in(db: Kind) {
    let (server, app, signer) = start(db).await;
    let thief = Signer::new("ES256");
    let claims = claims(&server, "x");
    let mut all = attacks(&thief, &signer.jwk(), "JWT", &claims);
    all.extend(strange_headers(&signer, "JWT", &claims));
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt", "client-authentication+jwt"] {
        all.push((typ.to_owned(), signer.sign(typ, &claims)));
    }
    all.push(("ours".to_owned(), server.sign("JWT", &claims)));
    for (attack, token) in all {
        let expected = if token.is_empty() || token.len() > 16_384 {
            "400 invalid_request"
        } else {
            "400 invalid_grant"
        };
        assert_eq!(bear(&app, &token).await.refusal(), expected, "{attack}");
    }
    bear(&app, &signer.sign("JWT", &claims)).await.expect(200);
}

async fn case_38_claims_of_odd_types_are_refused(db: Kind) {
    let (server, app, signer) = start(db).await;
    for name in ["iss", "sub", "aud", "exp", "iat", "nbf", "jti"] {
        for odd in
            [json!("x y"), json!(-1), json!(1.5), json!({}), json!([]), json!([1]), json!(true)]
        {
            if name == "jti" && odd.is_string() {
                continue;
            }
            let claims = bent(&claims(&server, "o"), &[(name, odd.clone())]);
            let answer = bear(&app, &signer.sign("JWT", &claims)).await;
            assert_eq!(answer.refusal(), "400 invalid_grant", "{name} {odd}");
        }
    }
}
