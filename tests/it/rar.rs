//! Rich authorization requests. Source: RFC 9396.

use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Tokens, VERIFIER};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben};

const APPS: &str = "
apps:
  - id: bank
    account: acme
    title: Bank
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [https://bank.example/callback]
    grant_types: [authorization_code, refresh_token, client_credentials, 'urn:ietf:params:oauth:grant-type:device_code']
    secrets: [bank-secret-0123456789-abcdefghijklmnopqr]
    client_metadata: { authorization_details_types: [payment, account] }
";

both!(
    rfc9396_details_are_shown_stored_and_returned,
    rfc9396_6_details_shrink_and_never_grow,
    rfc9396_5_bad_details_are_refused_everywhere,
    rfc9396_consent_to_details_is_for_one_occasion,
    rfc9396_apps_have_details_of_their_own,
    rfc9396_10_the_metadata_name_the_types_that_apps_may_use,
);

fn bank(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "bank",
        secret: Some("bank-secret-0123456789-abcdefghijklmnopqr"),
        redirect_uri: "https://bank.example/callback",
        scope: "openid",
        http: server.browser(),
    }
}

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    server
}

fn details() -> Value {
    json!([{
        "type": "payment", "actions": ["initiate", "cancel"],
        "creditor": "<script>alert(1)</script>", "amount": { "currency": "EUR", "value": "12.50" },
    }])
}

async fn exchange(app: &ClientApp, code: &str, details: &str) -> Answer {
    app.token(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
        ("authorization_details", details),
    ])
    .await
}

async fn rfc9396_details_are_shown_stored_and_returned(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (bank(&server), ben(&server));
    ben.sign_in(&server).await;
    let url = app.authorize_url_with(&[("authorization_details", &details().to_string())]);

    let page = ben.browser.get(&url).await;
    let page = ben.browser.follow(page).await;
    for text in ["payment", "actions: initiate, cancel", "currency: EUR; value: 12.50"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    assert!(!page.body.contains("<script") && page.body.contains("creditor: &#60;script&#62;"));
    let code = ben.decide(&page, true).await.location_param("code").expect("a code");

    let answer = exchange(&app, &code, "").await;
    assert_eq!(answer.json()["authorization_details"], details());
    let tokens = Tokens::of(&answer);
    assert_eq!(jwt::claims(&tokens.access)["authorization_details"], details());
    assert_eq!(app.introspect(&tokens.access).await.json()["authorization_details"], details());
    let next = app.refresh(&tokens.refresh).await;
    assert_eq!(next.json()["authorization_details"], details());
}

async fn rfc9396_6_details_shrink_and_never_grow(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (bank(&server), ben(&server));
    let url = app.authorize_url_with(&[("authorization_details", &details().to_string())]);
    let code = app.code_for(&server, &ben, &url).await;
    let mut less = details();
    less[0]["actions"] = json!(["cancel"]);
    let mut more = details();
    more[0]["amount"]["value"] = json!("99.00");
    let other = json!([{ "type": "account" }]);

    for bad in [more, other] {
        let answer = exchange(&app, &code, &bad.to_string()).await;
        assert_eq!(answer.refusal(), "400 invalid_authorization_details", "{bad}");
    }
    let answer = exchange(&app, &code, &less.to_string()).await;
    assert_eq!(answer.json()["authorization_details"], less);
    let refresh = answer.text("refresh_token");
    let again = app.refresh(&refresh).await;
    assert_eq!(again.json()["authorization_details"], details(), "the grant has not shrunk");
    let plain = app.code(&server, &ben).await;
    let answer = exchange(&app, &plain, &less.to_string()).await;
    assert_eq!(answer.refusal(), "400 invalid_authorization_details");
}

async fn rfc9396_5_bad_details_are_refused_everywhere(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (bank(&server), ben(&server));
    for bad in ["x", "{}", "[]", "[1]", r#"[{"type":"other"}]"#, r#"[{"type":1}]"#, "[[]]", "null"]
    {
        let fields = [("authorization_details", bad)];
        let answer = ben.authorize(&server, &app.authorize_url_with(&fields)).await;
        assert_eq!(answer.refusal(), "303 invalid_authorization_details", "{bad}");
        let own = [&[("grant_type", "client_credentials")], &fields[..]].concat();
        assert_eq!(app.token(&own).await.refusal(), "400 invalid_authorization_details", "{bad}");
        let answer = app.authenticated("/device_authorization", &fields).await;
        assert_eq!(answer.refusal(), "400 invalid_authorization_details", "{bad}");
        let request = app.request();
        let mut pushed: Vec<_> = request.iter().map(|(name, value)| (*name, &**value)).collect();
        pushed.extend(fields);
        let answer = app.authenticated("/par", &pushed).await;
        assert_eq!(answer.refusal(), "400 invalid_authorization_details", "{bad}");
    }
}

async fn rfc9396_consent_to_details_is_for_one_occasion(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (bank(&server), ben(&server));
    app.tokens(&server, &ben).await;
    let silent = app.authorize_url_with(&[("prompt", "none")]);
    assert!(ben.authorize(&server, &silent).await.location_param("code").is_some());

    let url = app.authorize_url_with(&[
        ("authorization_details", &details().to_string()),
        ("prompt", "none"),
    ]);
    assert_eq!(ben.authorize(&server, &url).await.refusal(), "303 consent_required");
}

async fn rfc9396_apps_have_details_of_their_own(db: Kind) {
    let server = start(db).await;
    let asked = json!([{ "type": "account", "actions": ["read"] }]);
    let fields =
        [("grant_type", "client_credentials"), ("authorization_details", &*asked.to_string())];

    let answer = bank(&server).token(&fields).await;

    assert_eq!(answer.json()["authorization_details"], asked);
    let access = Tokens::of(&answer).access;
    assert_eq!(jwt::claims(&access)["authorization_details"], asked);
    let none = backend(&server).token(&fields).await;
    assert_eq!(none.refusal(), "400 invalid_authorization_details");
}

async fn rfc9396_10_the_metadata_name_the_types_that_apps_may_use(db: Kind) {
    let server = TestServer::start(db).await;
    let told = async |path: &str| {
        let document = server.browser().get(path).await.expect(200).json();
        document.get("authorization_details_types_supported").cloned()
    };
    let both = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
    for path in both {
        assert_eq!(told(path).await, None, "none may use any");
    }

    server.apply(APPS).await;

    for path in both {
        assert_eq!(told(path).await, Some(json!(["account", "payment"])), "{path}");
    }
    server.apply(&APPS.replace("[payment, account]", "[payment]")).await;
    assert_eq!(told(both[0]).await, Some(json!(["payment"])));
}
