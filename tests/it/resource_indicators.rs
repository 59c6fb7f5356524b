//! Resource indicators: for whom access tokens are. Source: RFC 8707.

use serde_json::json;

use crate::common::actors::{ClientApp, Tokens, VERIFIER};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben};

const ONE: &str = "https://one.example/api";
const TWO: &str = "https://two.example";
const APPS: &str = "
apps:
  - id: shop
    account: acme
    title: Shop
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [https://shop.example/callback]
    grant_types: [authorization_code, refresh_token, client_credentials]
    secrets: [shop-secret-0123456789-abcdefghijklmnopqr]
    client_metadata: { resources: [https://one.example/api, https://two.example] }
";

both!(
    rfc8707_2_the_audience_is_what_was_asked_for,
    rfc8707_2_2_a_token_request_narrows_and_never_widens,
    rfc8707_2_unknown_resources_are_invalid_targets,
    case_33_a_token_for_others_opens_nothing_here,
    rfc8707_resources_are_the_operators_to_say,
);

fn shop(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "shop",
        secret: Some("shop-secret-0123456789-abcdefghijklmnopqr"),
        redirect_uri: "https://shop.example/callback",
        scope: "openid project.read",
        http: server.browser(),
    }
}

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    server
}

fn twice(app: &ClientApp) -> String {
    format!("{}&resource=https%3A%2F%2Ftwo.example", app.authorize_url_with(&[("resource", ONE)]))
}

async fn exchange(
    app: &ClientApp,
    code: &str,
    resources: &[&str],
) -> crate::common::answer::Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(resources.iter().map(|resource| ("resource", *resource)));
    app.token(&fields).await
}

async fn rfc8707_2_the_audience_is_what_was_asked_for(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (shop(&server), ben(&server));
    let code = app.code_for(&server, &ben, &twice(&app)).await;
    let both = Tokens::of(&exchange(&app, &code, &[]).await);
    assert_eq!(jwt::claims(&both.access)["aud"], json!([ONE, TWO]));

    let one = Tokens::of(
        &app.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &both.refresh),
            ("resource", TWO),
        ])
        .await,
    );
    assert_eq!(jwt::claims(&one.access)["aud"], TWO);
    let again = Tokens::of(&app.refresh(&one.refresh).await);
    assert_eq!(jwt::claims(&again.access)["aud"], json!([ONE, TWO]), "the grant has not shrunk");
    let own = app.token(&[("grant_type", "client_credentials"), ("resource", ONE)]).await;
    assert_eq!(jwt::claims(&Tokens::of(&own).access)["aud"], ONE);
    let plain = app.client_credentials("").await;
    assert_eq!(jwt::claims(&Tokens::of(&plain).access)["aud"], server.url);
}

async fn rfc8707_2_2_a_token_request_narrows_and_never_widens(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (shop(&server), ben(&server));
    let url = app.authorize_url_with(&[("resource", ONE)]);
    let code = app.code_for(&server, &ben, &url).await;

    assert_eq!(exchange(&app, &code, &[TWO]).await.refusal(), "400 invalid_target");
    assert_eq!(exchange(&app, &code, &[ONE, TWO]).await.refusal(), "400 invalid_target");
    assert_eq!(exchange(&app, &code, &[&server.url]).await.refusal(), "400 invalid_target");
    let tokens = Tokens::of(&exchange(&app, &code, &[ONE]).await);
    let wider = app
        .token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &tokens.refresh),
            ("resource", TWO),
        ])
        .await;
    assert_eq!(wider.refusal(), "400 invalid_target");
    // A grant that named none is one for this server.
    let code = app.code(&server, &ben).await;
    assert_eq!(exchange(&app, &code, &[ONE]).await.refusal(), "400 invalid_target");
    let tokens = Tokens::of(&exchange(&app, &code, &[&server.url]).await);
    assert_eq!(jwt::claims(&tokens.access)["aud"], server.url);
}

async fn rfc8707_2_unknown_resources_are_invalid_targets(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (shop(&server), ben(&server));

    for bad in [
        "https://evil.example",
        "https://one.example/api/",
        "https://one.example/api#x",
        "/api",
        "x",
        "https://ONE.example/api",
    ] {
        let answer = ben.authorize(&server, &app.authorize_url_with(&[("resource", bad)])).await;
        assert_eq!(answer.refusal(), "303 invalid_target", "{bad}");
        let answer = app.token(&[("grant_type", "client_credentials"), ("resource", bad)]).await;
        assert_eq!(answer.refusal(), "400 invalid_target", "{bad}");
    }
    let other = backend(&server);
    let answer = other.token(&[("grant_type", "client_credentials"), ("resource", ONE)]).await;
    assert_eq!(answer.refusal(), "400 invalid_target");
    let answer =
        app
            .authenticated(
                "/par",
                &[
                    &app.request()
                        .iter()
                        .map(|(name, value)| (*name, &**value))
                        .collect::<Vec<_>>()[..],
                    &[("resource", "https://evil.example")],
                ]
                .concat(),
            )
            .await;
    assert_eq!(answer.refusal(), "400 invalid_target");
}

async fn case_33_a_token_for_others_opens_nothing_here(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (shop(&server), ben(&server));
    let url = app.authorize_url_with(&[("resource", ONE)]);
    let code = app.code_for(&server, &ben, &url).await;
    let tokens = Tokens::of(&exchange(&app, &code, &[]).await);

    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
    assert_eq!(app.api("/v1/projects", &tokens.access, "acme").await.status, 401);
    let known = app.introspect(&tokens.access).await.json();
    assert_eq!((&known["active"], &known["aud"]), (&json!(true), &json!(ONE)));
    let same_tenant = backend(&server).introspect(&tokens.access).await.json();
    assert_eq!(same_tenant["active"], true);
    app.revoke(&tokens.access).await.expect(200);
    assert_eq!(app.introspect(&tokens.access).await.json(), json!({ "active": false }));
}

async fn rfc8707_resources_are_the_operators_to_say(db: Kind) {
    let server = start(db).await;
    for bad in ["one.example", "https://one.example/#x", "/x"] {
        let yaml = APPS.replace("https://two.example]", &format!("'{bad}']"));
        assert!(server.try_apply(&yaml).await.is_err(), "{bad}");
    }
}
