//! Rules that hold for whatever ground tokens are given on, asked of the grants that begin without
//! a page: token exchange, JWT bearer, device.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks};
use crate::common::world::{backend, ben, betaware, eve};
use crate::common::{both, jwt};

both!(
    case_25_an_exchange_asks_who_may_use_the_app,
    case_25_an_app_speaks_only_for_those_who_may_use_it,
    case_27_a_token_is_exchanged_only_for_less,
    case_27_what_cannot_be_exchanged,
    case_27_what_was_exchanged_dies_with_the_session,
    case_32_no_grant_gives_more_than_was_registered,
    case_35_no_header_talks_us_out_of_the_signature_of_an_assertion_for_a_user,
);

const SECRET: &str = "broker-secret-0123456789-abcdefghijklmnop";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A confidential app of acme.
fn app(server: &TestServer, id: &'static str) -> ClientApp {
    let redirect_uri = "https://broker.example/callback";
    ClientApp { id, secret: Some(SECRET), redirect_uri, scope: "openid", http: server.browser() }
}

/// Declares one with `status` and `accounts`, and what else its metadata say.
async fn declare(server: &TestServer, id: &str, (status, accounts): (&str, &str), more: &Value) {
    let ground = if id == "robot" { BEARER } else { EXCHANGE };
    let yaml = format!(
        "apps:
  - {{ id: {id}, account: acme, title: Broker, status: {status}, type: confidential,
      allowed_accounts: {accounts}, allowed_scopes: [openid, profile, project.read],
      callback_urls: ['https://broker.example/callback'],
      grant_types: [authorization_code, refresh_token, '{ground}', '{DEVICE}'],
      secrets: [{SECRET}], client_metadata: {more} }}"
    );
    server.apply(&yaml).await;
}

async fn exchange(app: &ClientApp, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields =
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
    app.token(&[&fields[..], more].concat()).await
}

async fn set_status(server: &TestServer, status: &str) {
    server.apply(&format!("users: [{{ id: ben, username: ben, status: {status} }}]")).await;
}

async fn case_25_an_exchange_asks_who_may_use_the_app(db: Kind) {
    let server = TestServer::start(db).await;
    declare(&server, "broker", ("live", "all"), &json!({})).await;
    let broker = app(&server, "broker");
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;
    let done = exchange(&broker, &tokens.access, &[]).await.expect(200);
    assert_eq!(jwt::claims(&done.text("access_token"))["sub"], "ben");

    for (status, accounts) in [("developing", "all"), ("live", "[beta]")] {
        declare(&server, "broker", (status, accounts), &json!({})).await;
        let refused = exchange(&broker, &tokens.access, &[]).await;
        assert_eq!(refused.refusal(), "400 invalid_grant", "{status} {accounts}");
    }
    declare(&server, "broker", ("live", "all"), &json!({})).await;
    set_status(&server, "disabled").await;
    assert_eq!(exchange(&broker, &tokens.access, &[]).await.status, 400);
}

/// An app that speaks for users, and its key.
async fn speaker(server: &TestServer) -> Signer {
    let key = Signer::new("ES256");
    let metadata = json!({"may_impersonate": true, "jwks": key.jwks()});
    declare(server, "robot", ("live", "[acme]"), &metadata).await;
    key
}

fn statement(server: &TestServer, user: &str, name: &str) -> Value {
    let now = server.now();
    json!({"iss": "robot", "sub": user, "aud": server.url, "iat": now, "exp": now + 60,
           "jti": format!("{user} {name}")})
}

async fn speak(server: &TestServer, assertion: &str, scope: &str) -> Answer {
    let fields = [("grant_type", BEARER), ("assertion", assertion), ("scope", scope)];
    app(server, "robot").token(&fields).await
}

async fn case_25_an_app_speaks_only_for_those_who_may_use_it(db: Kind) {
    let server = TestServer::start(db).await;
    let key = speaker(&server).await;
    let ask = async |user: &str, name: &str| {
        speak(&server, &key.sign("JWT", &statement(&server, user, name)), "openid").await
    };

    let done = ask("ben", "1").await.expect(200);
    assert_eq!(jwt::claims(&done.text("access_token"))["sub"], "ben");
    assert_eq!(ask("ben", "1").await.refusal(), "400 invalid_grant", "it is good once");
    for user in ["eve", "nobody", "robot", ""] {
        assert_eq!(ask(user, "2").await.refusal(), "400 invalid_grant", "{user}");
    }
    set_status(&server, "disabled").await;
    assert_eq!(ask("ben", "3").await.refusal(), "400 invalid_grant");
    let alive = app(&server, "robot").introspect(&done.text("access_token")).await.json();
    assert_eq!(alive["active"], false);
    set_status(&server, "active").await;
    let metadata = json!({"may_impersonate": true, "jwks": key.jwks()});
    declare(&server, "robot", ("developing", "[acme]"), &metadata).await;
    assert_eq!(ask("ben", "4").await.refusal(), "400 invalid_grant");
}

async fn case_27_a_token_is_exchanged_only_for_less(db: Kind) {
    let server = TestServer::start(db).await;
    declare(&server, "broker", ("live", "all"), &json!({})).await;
    let broker = app(&server, "broker");
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;
    server.advance(TimeDelta::minutes(50));

    let same = exchange(&broker, &tokens.access, &[]).await.expect(200);
    let less = exchange(&broker, &tokens.access, &[("scope", "openid")]).await.expect(200);

    let before = jwt::claims(&tokens.access);
    for answer in [&same, &less] {
        let after = jwt::claims(&answer.text("access_token"));
        assert_eq!(after["sub"], before["sub"]);
        assert_eq!(after["client_id"], "broker");
        assert_eq!(after["act"]["client_id"], "broker", "who acts is said: {after}");
        assert!(after["exp"].as_i64() <= before["exp"].as_i64(), "it ends no later");
        assert_eq!(answer.text("issued_token_type"), ACCESS);
        assert_eq!(answer.text("refresh_token"), "");
    }
    assert_eq!(less.text("scope"), "openid");
    for scope in ["openid profile", "account.read", "project.read profile", "group.read"] {
        let more = exchange(&broker, &tokens.access, &[("scope", scope)]).await;
        assert_eq!(more.refusal(), "400 invalid_scope", "{scope}");
    }
}

async fn case_27_what_cannot_be_exchanged(db: Kind) {
    let server = TestServer::start(db).await;
    declare(&server, "broker", ("live", "all"), &json!({})).await;
    let broker = app(&server, "broker");
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;
    let strange = betaware(&server).tokens(&server, &eve(&server)).await;

    let missing = broker.token(&[("grant_type", EXCHANGE)]).await;
    assert_eq!(missing.refusal(), "400 invalid_request", "it is no client_credentials");
    for token in [&tokens.id, &tokens.refresh, &strange.access, "", "x", "a.b.c"] {
        let refused = exchange(&broker, token, &[]).await;
        assert_eq!(refused.refusal(), "400 invalid_request", "{token}");
    }
    let own = backend(&server).client_credentials("project.read").await.text("access_token");
    assert_eq!(exchange(&broker, &own, &[]).await.refusal(), "400 invalid_request");
    let of_id = [
        ("grant_type", EXCHANGE),
        ("subject_token", &*tokens.id),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    assert_eq!(broker.token(&of_id).await.refusal(), "400 invalid_request");
    let other = exchange(&backend(&server), &tokens.access, &[]).await;
    assert_eq!(other.refusal(), "400 unauthorized_client");
    let actor = [("actor_token", &*tokens.access), ("actor_token_type", ACCESS)];
    let actor = exchange(&broker, &tokens.access, &actor).await;
    assert_eq!(actor.refusal(), "400 invalid_request", "the actor is another app's");
    server.advance(TimeDelta::hours(1));
    let expired = exchange(&broker, &tokens.access, &[]).await;
    assert_eq!(expired.refusal(), "400 invalid_request");
}

async fn case_27_what_was_exchanged_dies_with_the_session(db: Kind) {
    let server = TestServer::start(db).await;
    declare(&server, "broker", ("live", "all"), &json!({})).await;
    let (broker, ben) = (app(&server, "broker"), ben(&server));
    let tokens = backend(&server).tokens(&server, &ben).await;
    let token = exchange(&broker, &tokens.access, &[]).await.expect(200).text("access_token");
    broker.userinfo(&token).await.expect(200);

    ben.browser.get(&format!("/logout?id_token_hint={}", tokens.id)).await.expect(303);

    assert_eq!(broker.userinfo(&token).await.status, 401);
    assert_eq!(exchange(&broker, &tokens.access, &[]).await.status, 400);
}

async fn case_32_no_grant_gives_more_than_was_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let key = speaker(&server).await;
    let robot = app(&server, "robot");
    let many = vec!["project.read"; 20_000].join(" ");
    for scope in ["group.read", "openid policy.write", "no.such", "\"", &many] {
        let assertion = key.sign("JWT", &statement(&server, "ben", &scope[..scope.len().min(9)]));
        let spoken = speak(&server, &assertion, scope).await;
        let device = robot.authenticated("/device_authorization", &[("scope", scope)]).await;
        let own = backend(&server).client_credentials(scope).await;
        for answer in [spoken, device, own] {
            let told = answer.refusal();
            let is_refused = told == "400 invalid_scope" || answer.status == 413;
            assert!(is_refused, "{}: {answer:?}", &scope[..scope.len().min(20)]);
        }
    }
}

async fn case_35_no_header_talks_us_out_of_the_signature_of_an_assertion_for_a_user(db: Kind) {
    let server = TestServer::start(db).await;
    let key = speaker(&server).await;
    let claims = statement(&server, "ben", "forged");

    for (attack, token) in attacks(&Signer::new("ES256"), &key.jwk(), "JWT", &claims) {
        let answer = speak(&server, &token, "openid").await;
        assert_eq!(answer.status / 100, 4, "{attack}: {answer:?}");
    }
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt"] {
        let answer = speak(&server, &key.sign(typ, &claims), "openid").await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{typ}");
    }
    speak(&server, &key.sign("JWT", &claims), "openid").await.expect(200);
}
