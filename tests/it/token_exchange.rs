//! Token exchange. Source: RFC 8693.

mod id_token;

use chrono::TimeDelta;
use serde_json::json;

use crate::common::actors::{ClientApp, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben, betaware, eve, portal};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const APPS: &str = "
apps:
  - id: gateway
    account: acme
    title: Gateway
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read, project.write]
    grant_types: [client_credentials, 'urn:ietf:params:oauth:grant-type:token-exchange']
    secrets: [gateway-secret-0123456789-abcdefghijklmno]
    client_metadata: { resources: [https://one.example] }
  - id: support
    account: acme
    title: Support
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']
    secrets: [support-secret-0123456789-abcdefghijklmno]
    client_metadata: { may_impersonate: true }
  - id: stranger
    account: beta
    title: Stranger
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange']
    secrets: [stranger-secret-0123456789-abcdefghijklmn]
";

both!(
    rfc8693_a_service_acts_for_a_user_with_less,
    rfc8693_4_1_hands_are_recorded_and_bounded,
    case_27_impersonation_only_where_it_is_allowed,
    case_27_a_subject_token_must_be_ours_good_and_there,
    case_27_nothing_is_gained,
    case_27_what_came_out_dies_with_what_came_in,
    case_27_an_actor_is_the_app_itself,
    case_31_a_bound_token_is_exchanged_with_its_proof_alone,
);

fn app(server: &TestServer, id: &'static str, secret: &'static str) -> ClientApp {
    ClientApp {
        id,
        secret: Some(secret),
        redirect_uri: "",
        scope: "openid project.read",
        http: server.browser(),
    }
}

fn gateway(server: &TestServer) -> ClientApp {
    app(server, "gateway", "gateway-secret-0123456789-abcdefghijklmno")
}

fn support(server: &TestServer) -> ClientApp {
    app(server, "support", "support-secret-0123456789-abcdefghijklmno")
}

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    server
}

async fn exchange(app: &ClientApp, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields =
        [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
    app.token(&[&fields[..], more].concat()).await
}

async fn rfc8693_a_service_acts_for_a_user_with_less(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let held = portal.tokens(&server, &ben(&server)).await;

    let answer = exchange(&gateway, &held.access, &[("scope", "project.read")]).await.expect(200);

    assert_eq!(answer.text("issued_token_type"), ACCESS);
    assert_eq!((&*answer.text("scope"), &*answer.text("token_type")), ("project.read", "Bearer"));
    assert_eq!((answer.text("refresh_token"), answer.text("id_token")), Default::default());
    let token = answer.text("access_token");
    let claims = jwt::claims(&token);
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("ben"), &json!("gateway")));
    assert_eq!(claims["act"], json!({ "sub": "gateway", "client_id": "gateway" }));
    gateway.api("/v1/projects", &token, "acme").await.expect(200);
    assert_eq!(gateway.introspect(&token).await.json()["act"], claims["act"]);
    // Another audience, if the app may.
    let fields = [("audience", "https://one.example"), ("requested_token_type", ACCESS)];
    let other = exchange(&gateway, &held.access, &fields).await.expect(200);
    assert_eq!(jwt::claims(&other.text("access_token"))["aud"], "https://one.example");
}

async fn rfc8693_4_1_hands_are_recorded_and_bounded(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let held = portal.tokens(&server, &ben(&server)).await;
    let own = gateway.client_credentials("project.read").await.text("access_token");
    let actor = [("actor_token", &*own), ("actor_token_type", ACCESS)];
    let mut token = held.access.clone();
    for hands in 1..=4 {
        token = exchange(&gateway, &token, &actor).await.expect(200).text("access_token");
        let text = jwt::claims(&token)["act"].to_string();
        assert_eq!(text.matches("\"sub\"").count(), hands, "{text}");
    }
    let answer = exchange(&gateway, &token, &actor).await;
    assert_eq!(answer.refusal(), "400 invalid_request");
}

async fn case_27_impersonation_only_where_it_is_allowed(db: Kind) {
    let server = start(db).await;
    let (portal, gateway, support) = (portal(&server), gateway(&server), support(&server));
    let held = portal.tokens(&server, &ben(&server)).await;

    let token = exchange(&support, &held.access, &[]).await.expect(200).text("access_token");
    assert!(jwt::claims(&token).get("act").is_none());
    let token = exchange(&gateway, &held.access, &[]).await.expect(200).text("access_token");
    assert_eq!(jwt::claims(&token)["act"]["sub"], "gateway");
    // Who acted before stays on record.
    let token = exchange(&support, &token, &[]).await.expect(200).text("access_token");
    assert_eq!(jwt::claims(&token)["act"]["sub"], "gateway");
}

async fn case_27_a_subject_token_must_be_ours_good_and_there(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let held = portal.tokens(&server, &ben(&server)).await;

    let nothing = gateway.token(&[("grant_type", EXCHANGE), ("scope", "project.read")]).await;
    assert_eq!(nothing.refusal(), "400 invalid_request", "never client_credentials");
    let untyped = [("grant_type", EXCHANGE), ("subject_token", &*held.access)];
    assert_eq!(gateway.token(&untyped).await.refusal(), "400 invalid_request");
    let own = gateway.client_credentials("project.read").await.text("access_token");
    for bad in ["x", "a.b.c", "☃", &held.id, &held.refresh, &own, &format!("{}x", held.access)] {
        assert_eq!(exchange(&gateway, bad, &[]).await.refusal(), "400 invalid_request", "{bad}");
    }
    for kind in ["urn:ietf:params:oauth:token-type:id_token", "x"] {
        let fields = [
            ("grant_type", EXCHANGE),
            ("subject_token", &*held.access),
            ("subject_token_type", kind),
        ];
        assert_eq!(gateway.token(&fields).await.refusal(), "400 invalid_request", "{kind}");
    }
    let wanted = [("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")];
    assert_eq!(exchange(&gateway, &held.access, &wanted).await.refusal(), "400 invalid_request");
    let may_not = exchange(&backend(&server), &held.access, &[]).await;
    assert_eq!(may_not.refusal(), "400 unauthorized_client");
    let stranger = app(&server, "stranger", "stranger-secret-0123456789-abcdefghijklmn");
    assert_eq!(exchange(&stranger, &held.access, &[]).await.refusal(), "400 invalid_request");
    portal.revoke(&held.access).await.expect(200);
    assert_eq!(exchange(&gateway, &held.access, &[]).await.refusal(), "400 invalid_request");
}

async fn case_27_nothing_is_gained(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let reader = ClientApp { scope: "openid project.read", ..portal };
    let held = reader.tokens(&server, &ben(&server)).await;

    for scope in ["project.write", "project.read project.write", "account.read", "☃"] {
        let answer = exchange(&gateway, &held.access, &[("scope", scope)]).await;
        assert_eq!(answer.refusal(), "400 invalid_scope", "{scope}");
    }
    let audience = [("audience", "https://two.example")];
    assert_eq!(exchange(&gateway, &held.access, &audience).await.refusal(), "400 invalid_target");
    server.advance(TimeDelta::minutes(50));
    let answer = exchange(&gateway, &held.access, &[]).await.expect(200);
    assert_eq!(answer.json()["expires_in"], 600, "never longer than what came in");
    let (exp, before) = (answer.text("access_token"), held.access.clone());
    assert_eq!(jwt::claims(&exp)["exp"], jwt::claims(&before)["exp"]);
    // A user of another account: the app is not for them.
    let eve = eve(&server);
    let held = crate::common::world::portal(&server).tokens(&server, &eve).await;
    assert_eq!(exchange(&gateway, &held.access, &[]).await.refusal(), "400 invalid_grant");
    let beta = betaware(&server).tokens(&server, &eve).await;
    assert_eq!(exchange(&gateway, &beta.access, &[]).await.refusal(), "400 invalid_request");
}

async fn case_27_what_came_out_dies_with_what_came_in(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let held = portal.tokens(&server, &ben(&server)).await;
    let token = exchange(&gateway, &held.access, &[]).await.expect(200).text("access_token");
    gateway.userinfo(&token).await.expect(200);

    portal.revoke(&held.refresh).await.expect(200);

    assert_eq!(gateway.userinfo(&token).await.status, 401);
    assert_eq!(exchange(&gateway, &token, &[]).await.refusal(), "400 invalid_request");
}

async fn case_27_an_actor_is_the_app_itself(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let held = portal.tokens(&server, &ben(&server)).await;
    let other = backend(&server).client_credentials("project.read").await.text("access_token");

    for fields in [
        vec![("actor_token", &*other), ("actor_token_type", ACCESS)],
        vec![("actor_token", &*held.access), ("actor_token_type", ACCESS)],
        vec![("actor_token", "x"), ("actor_token_type", ACCESS)],
        vec![("actor_token", &*other)],
        vec![("actor_token_type", ACCESS)],
    ] {
        let answer = exchange(&gateway, &held.access, &fields).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{fields:?}");
    }
}

async fn case_31_a_bound_token_is_exchanged_with_its_proof_alone(db: Kind) {
    let server = start(db).await;
    let (portal, gateway) = (portal(&server), gateway(&server));
    let (key, other) =
        (crate::common::proof::ProofKey::new(), crate::common::proof::ProofKey::new());
    let code = portal.code(&server, &ben(&server)).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", portal.redirect_uri),
        ("code_verifier", crate::common::actors::VERIFIER),
    ];
    let proof = key.proof(&server, "POST", "/token");
    let held = Tokens::of(&portal.prove(&[&proof], &fields).await);
    let fields = [
        ("grant_type", EXCHANGE),
        ("subject_token", &*held.access),
        ("subject_token_type", ACCESS),
    ];

    assert_eq!(gateway.token(&fields).await.refusal(), "400 invalid_request");
    let proof = other.proof(&server, "POST", "/token");
    assert_eq!(gateway.prove(&[&proof], &fields).await.refusal(), "400 invalid_request");
    let proof = key.proof(&server, "POST", "/token");
    let answer = gateway.prove(&[&proof], &fields).await.expect(200);
    assert_eq!(answer.text("token_type"), "DPoP");
}
